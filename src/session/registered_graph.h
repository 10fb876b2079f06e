// RegisteredGraph: a task's part of a graph, compiled into one plan for each of the task's devices.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "executor/step_plan.h"
#include "session/step_table.h"
#include "session/worker.h"

namespace headrace {

/// Thread-safe.
class RegisteredGraph : public std::enable_shared_from_this<RegisteredGraph> {
 public:
  using RunDone = std::function<void(const Status&, std::vector<Tensor> fetches)>;

  /// `environments` has one entry for each device of the task. Errors: kInvalidArgument for a node on another task's device; those
  /// of the partitioner and the compiler.
  static Result<std::shared_ptr<RegisteredGraph>> Compile(std::shared_ptr<const Graph> graph,
                                                          std::vector<PlanEnvironment> environments,
                                                          uint64_t incarnation);

  /// The only plan; null where there are several.
  const StepPlan* only_plan() const { return plans_.size() == 1 ? plans_[0].get() : nullptr; }

  /// Runs the step once; `done` comes when all plans have ended. `trace` may be null.
  void Run(const std::shared_ptr<WorkerStep>& step, std::vector<NamedTensor> feeds,
           const std::vector<std::string>& fetch_keys, std::shared_ptr<StepTrace> trace, RunDone done);
  /// Starts the plans, which take feeds from the step's rendezvous and leave fetches there.
  Status StartPartial(const std::shared_ptr<WorkerStep>& step);

 private:
  using Plans = std::vector<std::shared_ptr<const StepPlan>>;
  /// Which argument or result a key stands for.
  struct End {
    size_t plan;
    size_t index;
  };
  struct StepRun;

  Status CompilePlans(bool client_ends_in_rendezvous, Plans* plans) const;
  Status BindFeeds(std::vector<NamedTensor> feeds, StepRun* run) const;
  Status BeginTrace(StepRun* run) const;
  Status BindFetches(const std::vector<std::string>& fetch_keys, StepRun* run) const;
  void Start(const Plans& plans, const std::shared_ptr<StepRun>& run) const;

  std::map<std::string, std::shared_ptr<const Graph>> graphs_;  // by device
  std::map<std::string, PlanEnvironment> environments_;         // by device
  Plans plans_;
  std::unordered_map<std::string, End> feeds_;
  std::unordered_map<std::string, End> fetches_;

  std::mutex mutex_;
  Plans partial_plans_;  // made by the first partial run; guarded by mutex_
};

}  // namespace headrace
