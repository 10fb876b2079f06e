#include "cluster/session_options_proto.h"

#include "graph/device_name.h"
#include "headrace/proto/config.pb.h"

namespace headrace {

Status ApplyConfig(const proto::ConfigProto& config, GraphSessionOptions* options) {
  if (config.cluster_def().job_size() > 0) {
    return Unimplemented(
        "CreateSession: a cluster other than the server's own (ClusterSpec propagation) is not offered");
  }
  if (config.use_per_session_threads() || config.session_inter_op_thread_pool_size() > 0) {
    return InvalidArgument(
        "CreateSession: a distributed session has no thread pools of its own "
        "(use_per_session_threads, session_inter_op_thread_pool)");
  }
  options->device_filters.assign(config.device_filters().begin(), config.device_filters().end());
  HR_RETURN_IF_ERROR(PassesFilters(options->device_filters, options->master_task).status());
  options->allow_soft_placement = config.allow_soft_placement();
  options->log_device_placement = config.log_device_placement();
  options->isolate_session_state = config.isolate_session_state();
  options->operation_timeout_ms = config.operation_timeout_in_ms();
  return OkStatus();
}

void ToConfig(const GraphSessionOptions& options, proto::ConfigProto* config) {
  for (const std::string& filter : options.device_filters) config->add_device_filters(filter);
  config->set_allow_soft_placement(options.allow_soft_placement);
  config->set_log_device_placement(options.log_device_placement);
  config->set_isolate_session_state(options.isolate_session_state);
  config->set_operation_timeout_in_ms(options.operation_timeout_ms);
}

Result<CallableSpec> CallableFromProto(const proto::CallableOptions& options) {
  if (options.tensor_connection_size() > 0) return Unimplemented("MakeCallable: tensor connections are not offered");
  if (options.feed_devices_size() > 0 || options.fetch_devices_size() > 0) {
    return Unimplemented("MakeCallable: devices of feeds and fetches are not offered");
  }
  return CallableSpec{.feeds = {options.feed().begin(), options.feed().end()},
                      .fetches = {options.fetch().begin(), options.fetch().end()},
                      .targets = {options.target().begin(), options.target().end()},
                      .options = {.timeout_ms = options.run_options().timeout_in_ms()}};
}

void CallableToProto(const CallableSpec& spec, proto::CallableOptions* options) {
  for (const std::string& feed : spec.feeds) options->add_feed(feed);
  for (const std::string& fetch : spec.fetches) options->add_fetch(fetch);
  for (const std::string& target : spec.targets) options->add_target(target);
  options->mutable_run_options()->set_timeout_in_ms(spec.options.timeout_ms);
}

Result<bool> PassesFilters(const std::vector<std::string>& filters, const std::string& task_name) {
  bool passes = filters.empty();
  HR_ASSIGN_OR_RETURN(const DeviceName task, DeviceName::Parse(task_name));
  for (const std::string& text : filters) {
    const Result<DeviceName> filter = DeviceName::Parse(text);
    if (!filter.ok()) return InvalidArgument("device filter '", text, "' cannot be read: ", filter.status().message());
    passes = passes || filter->IsCompatibleWith(task);
  }
  return passes;
}

}  // namespace headrace
