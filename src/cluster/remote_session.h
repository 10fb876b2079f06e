// RemoteSession: a client's session whose master is in another process, TensorFlow's or ours. OpenSession: whichever way a
// target is reached.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rpc/channel.h"
#include "session/graph_session.h"

namespace headrace {

/// Opens a session of the MasterService behind `channel`. Of the options those count that a client decides (not the workers,
/// the master's task, the runtime). Steps are never repeated; a master that has gone is kUnavailable.
/// Errors: kDeadlineExceeded after creation_timeout_ms, naming the master or the tasks that it misses, with address and last
/// error; as GraphSession::Create.
HR_EXPORT Result<std::shared_ptr<GraphSession>> OpenRemoteSession(std::shared_ptr<Channel> channel,
                                                                  const GraphDef& graph,
                                                                  const GraphSessionOptions& options);

/// Opens a session at "grpc://host:port": without the wire when a Server of this process has that target.
/// Errors: kInvalidArgument for another target; as OpenRemoteSession.
HR_EXPORT Result<std::shared_ptr<GraphSession>> OpenSession(const std::string& target, const GraphDef& graph,
                                                            const GraphSessionOptions& options);

/// Ends all sessions of the master at `target`, whoever opened them, and drops the state in the named containers of all tasks of its
/// cluster; none named: the default one. Errors: kUnavailable, kDeadlineExceeded.
HR_EXPORT Status ResetTarget(const std::string& target, const std::vector<std::string>& containers);

}  // namespace headrace
