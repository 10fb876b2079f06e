// From a session's target to the master that runs it. Not installed.
#pragma once

#include <memory>
#include <string>

#include "api/session.h"
#include "session/graph_session.h"

namespace headrace::api {

/// "": a session of its own task in this process. "grpc://host:port": on that server, in process where it is in this
/// one.
HR_EXPORT Result<std::shared_ptr<GraphSession>> OpenTarget(const std::string& target, const GraphDef& graph,
                                                           const SessionOptions& options);

}  // namespace headrace::api
