// StepPlan: a graph of one device, compiled once and run many times, also at the same time.
//
// The order of a plan's nodes is priority, not sequence: a node starts when its inputs are there. The thread that starts a step
// runs it in a loop; a kernel is handed to another thread only when it has proved to be worth it and other work is ready.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executor/kernel_cache.h"
#include "graph/graph.h"
#include "kernel/kernel.h"

namespace headrace {

struct Plan;
class StepObserver;
class StepPool;

/// What a plan is compiled for. `runtime` and `resources` are kept by the plan.
struct HR_EXPORT PlanEnvironment {
  std::string device;  // full name
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<ResourceManager> resources;
  std::shared_ptr<FunctionRunner> functions;
  KernelCache* kernels = nullptr;  // null: the plan has its own stateful kernels
  /// Leaves client-terminated `_Recv` and `_Send` to the rendezvous, so that feeds may come while the step runs.
  bool client_ends_in_rendezvous = false;
};

/// The rendezvous key that the attributes of a `_Recv` or `_Send` say, outside of loops.
HR_EXPORT std::string KeyOfTransfer(const Node& node);

/// A feed or a fetch of a plan: where the argument of that index goes, or the result comes from.
struct HR_EXPORT PlanEnd {
  std::string
      name;  // the rendezvous key of a client-terminated `_Recv` or `_Send`; the name of an `_Arg` or `_Retval` node
  DType dtype = DType::kInvalid;  // kInvalid: no node has this index
};

/// Immutable and thread-safe. Kept alive by the caller until `done` of its last step was called.
class HR_EXPORT StepPlan {
 public:
  using Done = std::function<void(const Status&)>;

  /// Errors: kUnimplemented, naming the node, for an op without a kernel for the device; kInvalidArgument for loops that are not
  /// well-formed and indices of `_Arg` or `_Retval` that clash; what the kernels' construction reports.
  static Result<std::shared_ptr<const StepPlan>> Compile(std::shared_ptr<const Graph> graph,
                                                         const PlanEnvironment& environment);
  ~StepPlan();

  const std::string& device() const;
  /// `StepContext::args` and `results` are in the order of these.
  const std::vector<PlanEnd>& feeds() const;
  const std::vector<PlanEnd>& fetches() const;
  /// True when no kernel waits: the step is over when Run returns, unless it handed work to the pool.
  bool is_synchronous() const;
  /// True when no node has state.
  bool is_stateless() const;

  /// A context for one step of this plan; the caller adds what belongs to the step.
  StepContext NewContext() const;

  /// Runs one step on the calling thread and calls `done` once, maybe before it returns, when all its kernels have ended. Until
  /// then `*step` stays; its token is replaced by one of the step's own, which the first error cancels.
  /// Errors: the first one of a kernel, with the node's name; kInvalidArgument for feeds that do not fit or a dead fetch; the
  /// reason of the cancellation.
  /// `observer`, or null, is told of the nodes that run; it stays until `done`.
  void Run(StepContext* step, Done done, StepObserver* observer = nullptr) const;
  /// The same, waiting for the end.
  Status RunAndWait(StepContext* step) const;

 private:
  explicit StepPlan(std::unique_ptr<const Plan> plan);

  const std::unique_ptr<const Plan> plan_;
  const std::unique_ptr<StepPool> pool_;
};

}  // namespace headrace
