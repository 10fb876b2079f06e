// Clusters: which tasks there are, the server of one, and the device setter that spreads a graph over them.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/scope.h"
#include "cluster/cluster_spec.h"

namespace headrace::api {

using headrace::ClusterSpec;
using headrace::TaskConfig;

struct DeviceSetterOptions {
  std::string ps_job = "ps";
  /// Everything but state; with a task ("/job:worker/task:1") where each worker builds its own graph.
  std::string worker_device = "/job:worker";
  std::set<std::string> ps_ops = {};  // kinds of operations that hold state; empty: TensorFlow's list
};

/// For Scope::WithDevice: variables go to the parameter servers of `cluster`, in turn; everything else to the workers. Without
/// parameter servers it asks for nothing. As TensorFlow's replica_device_setter.
HR_EXPORT DeviceFunction ReplicaDeviceSetter(const ClusterSpec& cluster, const DeviceSetterOptions& options = {});

}  // namespace headrace::api
