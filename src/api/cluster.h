// Clusters: which tasks there are, the server of one, and the device setter that spreads a graph over them.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/scope.h"
#include "cluster/cluster_spec.h"

namespace headrace {
class Server;
}

namespace headrace::api {

using headrace::ClusterSpec;
using headrace::TaskConfig;

struct DeviceSetterOptions {
  std::string ps_job = "ps";
  /// Everything but state; with a task ("/job:worker/task:1") where each worker builds its own graph.
  std::string worker_device = "/job:worker";
  std::set<std::string> ps_ops = {};  // kinds of operations that hold state; empty: TensorFlow's list
};

/// For Scope::WithDevice: variables go to the parameter servers of `cluster`, in turn; everything else to the workers.
/// Without parameter servers it asks for nothing. As TensorFlow's replica_device_setter.
HR_EXPORT DeviceFunction ReplicaDeviceSetter(const ClusterSpec& cluster, const DeviceSetterOptions& options = {});

struct ServerSettings {
  /// Where to listen instead of the task's address in the cluster: "host:port".
  std::string bind_address = {};
  /// Nothing on the wire is encrypted or authenticated, and clients run any graph: addresses beyond the loopback are
  /// refused, unless the network is known to be closed.
  bool insecure = false;
};

/// One task of a cluster in this process: holds state, runs its part of steps, and gives sessions to clients. Stops
/// when the last copy goes. Thread-safe.
class HR_EXPORT Server {
 public:
  /// Listens on the task's address and no other; does not wait for the other tasks.
  /// Errors: INVALID_ARGUMENT for a task that the cluster lacks; FAILED_PRECONDITION for an address beyond the loopback
  /// without `insecure`; UNAVAILABLE when the address cannot be bound.
  static Result<Server> Start(const ClusterSpec& cluster, const std::string& job, int task,
                              const ServerSettings& settings = {});

  /// "grpc://host:port", for Session::Open.
  const std::string& target() const;
  /// Ends all steps and sessions and frees the address; clients that wait get UNAVAILABLE at once.
  void Stop();
  /// Waits until somebody calls Stop.
  void Join();

 private:
  explicit Server(std::shared_ptr<headrace::Server> server) : server_(std::move(server)) {}
  std::shared_ptr<headrace::Server> server_;
};

}  // namespace headrace::api
