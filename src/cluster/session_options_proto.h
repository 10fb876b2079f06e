// Options of sessions and steps as clients send them.
#pragma once

#include "base/status.h"
#include "session/graph_session.h"

namespace headrace {

namespace proto {
class CallableOptions;
class ConfigProto;
}  // namespace proto

/// Takes over what a client may decide. Errors: kInvalidArgument for a malformed device filter or per-session thread pools;
/// kUnimplemented for a cluster of the client's own.
Status ApplyConfig(const proto::ConfigProto& config, GraphSessionOptions* options);
void ToConfig(const GraphSessionOptions& options, proto::ConfigProto* config);

/// Errors: kUnimplemented for tensor connections and devices of feeds and fetches.
Result<CallableSpec> CallableFromProto(const proto::CallableOptions& options);
void CallableToProto(const CallableSpec& spec, proto::CallableOptions* options);

/// Whether a session with these filters uses the task; its master's own task it always uses.
/// Errors: kInvalidArgument, quoting the filter that is malformed.
Result<bool> PassesFilters(const std::vector<std::string>& filters, const std::string& task_name);

}  // namespace headrace
