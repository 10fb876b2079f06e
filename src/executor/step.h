// Step: one run of a plan. Its memory is used again by later steps of the plan. Private to the executor.
//
// Activities (a thread in the loop, a kernel handed to the pool, a waiting kernel) are counted; the step is over when none is
// left. A kernel that waited and is done continues the step on the thread that brought the news; where that thread is already
// running a step, the news waits in the thread's Frame, so that no chain of events makes the stack grow.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "executor/loop_run.h"
#include "executor/plan.h"
#include "executor/step_observer.h"

namespace headrace {

class Step;

/// A node that may run, and where.
struct ReadyNode {
  int32_t node = 0;
  Iteration* at = nullptr;
};

/// One call of a kernel that waits.
struct AsyncCall {
  Step* step = nullptr;
  ReadyNode ready = {};
  std::vector<InputValue> outputs;
  std::optional<KernelContext> context;
  Status status;
  TimePoint begin;            // of observed steps
  AsyncCall* next = nullptr;  // in a Frame
};

/// What one thread is running: nodes that are ready, and scratch space. Not thread-safe.
struct ReadyNodes {
  std::vector<ReadyNode> cheap;   // a stack, most urgent last
  std::vector<ReadyNode> costly;  // worth handing to another thread
  std::vector<InputValue> outputs;
  TimePoint begin;  // of the node that runs, in observed steps
  int num_run_beside_costly = 0;
  bool leaves_costly = false;  // costly nodes all go to the pool, none runs here
};

class Step {
 public:
  Step(const Plan& plan, StepPool* pool);
  ~Step();

  void Run(StepContext* context, StepPlan::Done done, StepObserver* observer);

 private:
  friend class Frame;
  enum class Liveness : uint8_t { kAlive = 0, kDead = 1 };

  // The start and the end of a step (step.cc).
  Status CheckContext() const;
  void BindTokens();
  void BindValues();
  void Fail(const Status& status, const PlanNode* node);
  void NoteInterrupted(const Node* node);
  bool IsStopped();
  void Leave() {
    if (num_active_.fetch_sub(1, std::memory_order_acq_rel) == 1) Finish();
  }
  void Finish();
  Status CollectStatus();
  void Clear();

  // The loop (run_loop.cc).
  void RunLoop(ReadyNodes* ready);
  bool TakeNext(ReadyNodes* ready, ReadyNode* next);
  void HandOff(ReadyNode next);
  void RunNode(ReadyNode next, ReadyNodes* ready);
  bool RunKernel(ReadyNode next, const PlanNode& node, ReadyNodes* ready);
  void StartAsync(ReadyNode next, const PlanNode& node);
  void FinishAsync(AsyncCall* call, ReadyNodes* ready);
  Status Dereference(const PlanNode& node, Iteration* at);
  Status CheckOutputs(const PlanNode& node, std::vector<InputValue>& outputs) const;
  void ClearInputs(const PlanNode& node, Iteration* at);
  void UpdateCost(int32_t index, TimePoint begin);
  void UpdateIsLong();

  // What an observer is told (observe.cc).
  void BeginObserving(StepObserver* observer);
  void EndObserving();
  void RunObservedLoop(ReadyNodes* ready);
  void Observe(const PlanNode& node, TimePoint begin, std::span<const InputValue> outputs);

  // From a node to its consumers (propagate.cc).
  void Propagate(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready);
  int64_t Deliver(const PlanNode& node, Iteration* to, bool is_dead, InputValue* outputs, ReadyNodes* ready);
  void DeliverResult(const PlanEdge& edge, InputValue& value);
  void Arrive(const PlanEdge& edge, Iteration* to, bool is_dead, ReadyNodes* ready);
  void ArriveAtMerge(const PlanEdge& edge, Iteration* to, InputValue* value, ReadyNodes* ready);

  // From one iteration to another (loop_step.cc).
  void EnterLoop(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready);
  void ExitLoop(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready);
  void GoToNextIteration(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready);
  LoopRun* ChildRun(const PlanNode& enter, Iteration* at);
  Iteration* BeginIteration(LoopRun* run, ReadyNodes* ready);
  void AddHolds(Iteration* at, int64_t count, ReadyNodes* ready);
  void EndIteration(Iteration* ended, ReadyNodes* ready);
  Iteration* EndRun(LoopRun* run, ReadyNodes* ready);

  bool IsCostly(int32_t node) const {
    return plan_.cost_ns[static_cast<size_t>(node)].load(std::memory_order_relaxed) > kCostlyNs;
  }

  static constexpr uint32_t kCostlyNs = 50'000;   // about two handoffs to another core
  static constexpr uint64_t kLongNs = 1'000'000;  // of costly nodes: a step to which one handoff more does not matter

  const Plan& plan_;
  StepPool* const pool_;
  StepContext* context_ = nullptr;
  StepPlan::Done done_;
  bool is_measured_ = false;
  StepObserver* observer_ = nullptr;                           // null in all but traced steps
  std::unique_ptr<std::atomic<Duration::rep>[]> ready_times_;  // by node; only with an observer

  Iteration root_;   // the graph outside of loops
  ReadyNodes main_;  // of the thread that began the step

  std::mutex loops_mutex_;
  std::vector<std::unique_ptr<LoopRun>> runs_;    // guarded by loops_mutex_, as the next two
  std::vector<std::vector<LoopRun*>> free_runs_;  // by frame
  size_t num_runs_alive_ = 0;

  std::atomic<int32_t> num_active_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Status status_;  // guarded by mutex_
  std::vector<const Node*>
      interrupted_;  // nodes that were still waiting when the step was cancelled; guarded by mutex_

  std::optional<CancellationToken> token_;  // of steps with kernels that wait
  CancellationToken* parent_token_ = nullptr;
  uint64_t parent_callback_ = 0;
};

/// The step memory of one plan that is not in use.
class StepPool {
 public:
  explicit StepPool(const Plan& plan) : plan_(plan) {}
  Step* Take();
  void Give(Step* step);

 private:
  static constexpr size_t kMaxKept = 16;
  const Plan& plan_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Step>> free_;  // guarded by mutex_
};

/// A thread that runs steps. One lives on the stack of each call that drives a loop; nested calls have their own.
class Frame {
 public:
  Frame() : outer_(current_) { current_ = this; }
  /// Continues what became ready on this thread meanwhile, until nothing is left.
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  /// Continues the call's step: in the thread's frame where it has one, else now.
  static void Continue(AsyncCall* call);
  /// Takes the finished calls of `step` out and completes them.
  void CompleteCallsOf(Step* step, ReadyNodes* ready);

 private:
  static thread_local Frame* current_;
  Frame* const outer_;
  AsyncCall* finished_ = nullptr;  // newest first
  AsyncCall* Pop();
  friend class Step;
};

}  // namespace headrace
