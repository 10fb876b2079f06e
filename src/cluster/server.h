// Server: one task of a cluster. It holds state and runs its part of other tasks' steps (the worker), and gives sessions to
// clients (the master), all on the task's one address.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cluster/cluster_spec.h"
#include "kernel/runtime.h"
#include "session/graph_session.h"

namespace headrace {

struct HR_EXPORT ServerOptions {
  ClusterSpec cluster;
  std::string job;
  int task = 0;
  /// Where to listen instead of the task's address in the cluster, as behind a translated address: "host:port".
  std::string bind_address;
  /// Nothing on the wire is encrypted or authenticated, and clients run any graph. So addresses beyond the loopback are
  /// refused, unless the network is known to be closed.
  bool insecure = false;
  /// Null: the process's own.
  std::shared_ptr<Runtime> runtime;
};

/// Thread-safe. The ops must be registered before (RegisterAllOps).
class HR_EXPORT Server {
 public:
  static constexpr std::chrono::seconds kStopWithin{5};

  /// Listens on the task's address and no other. Does not wait for the other tasks.
  /// Errors: kInvalidArgument for a task that the cluster lacks; kFailedPrecondition for an address beyond the loopback without
  /// `insecure`; kUnavailable when the address cannot be resolved or bound.
  static Result<std::shared_ptr<Server>> Start(ServerOptions options);
  /// The running server of this process at `target`, or null.
  static std::shared_ptr<Server> FindInProcess(const std::string& target);
  /// Stops.
  virtual ~Server() = default;

  /// "grpc://host:port", what clients open.
  virtual const std::string& target() const = 0;
  /// "/job:worker/replica:0/task:0".
  virtual const std::string& task_name() const = 0;
  virtual const std::string& job() const = 0;
  virtual int task() const = 0;
  /// "host:port".
  virtual const std::string& address() const = 0;

  /// Makes a session of this task's master without the wire. `options` names neither tasks nor runtime: those are the server's.
  virtual Result<std::shared_ptr<GraphSession>> OpenSession(const GraphDef& graph, GraphSessionOptions options) = 0;

  /// Ends all steps and sessions with kUnavailable and frees the address; waiting clients learn of it at once. Returns within
  /// kStopWithin. Repeatable.
  virtual void Stop() = 0;
  /// Waits until somebody calls Stop.
  virtual void Join() = 0;
};

}  // namespace headrace
