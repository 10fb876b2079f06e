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

#include "executor/plan.h"

namespace headrace {

class Step;

/// One call of a kernel that waits.
struct AsyncCall {
  Step* step;
  int32_t node;
  std::vector<InputValue> outputs;
  std::optional<KernelContext> context;
  Status status;
  AsyncCall* next = nullptr;  // in a Frame
};

/// What one thread is running: nodes that are ready, and scratch space. Not thread-safe.
struct ReadyNodes {
  std::vector<int32_t> cheap;   // a stack, most urgent last
  std::vector<int32_t> costly;  // worth handing to another thread
  std::vector<InputValue> outputs;
  int num_run_beside_costly = 0;
};

class Step {
 public:
  Step(const Plan& plan, StepPool* pool);
  ~Step();

  void Run(StepContext* context, StepPlan::Done done);

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
  void ClearSlots();

  // The loop (run_loop.cc).
  void RunLoop(ReadyNodes* ready);
  bool TakeNext(ReadyNodes* ready, int32_t* node);
  void HandOff(int32_t node);
  void RunNode(int32_t index, ReadyNodes* ready);
  bool RunKernel(int32_t index, const PlanNode& node, ReadyNodes* ready);
  void StartAsync(int32_t index, const PlanNode& node, ReadyNodes* ready);
  void FinishAsync(AsyncCall* call, ReadyNodes* ready);
  Status Dereference(const PlanNode& node);
  Status CheckOutputs(const PlanNode& node, std::vector<InputValue>& outputs) const;
  void ClearInputs(const PlanNode& node);
  void UpdateCost(int32_t index, TimePoint begin);

  // From a node to its consumers (propagate.cc).
  void Propagate(const PlanNode& node, bool is_dead, std::vector<InputValue>& outputs, ReadyNodes* ready);
  void DeliverResult(const PlanEdge& edge, InputValue& value);
  void Arrive(const PlanEdge& edge, bool is_dead, ReadyNodes* ready);
  void ArriveAtMerge(const PlanEdge& edge, InputValue* value, ReadyNodes* ready);

  bool IsCostly(int32_t node) const {
    return plan_.cost_ns[static_cast<size_t>(node)].load(std::memory_order_relaxed) > kCostlyNs;
  }
  InputValue* SlotsOf(const PlanNode& node) { return slots_.data() + node.first_slot; }

  static constexpr uint32_t kCostlyNs = 50'000;  // about two handoffs to another core

  const Plan& plan_;
  StepPool* const pool_;
  StepContext* context_ = nullptr;
  StepPlan::Done done_;
  bool is_measured_ = false;

  std::vector<InputValue> slots_;
  std::vector<int32_t> pending_;  // by node; atomic_ref
  std::vector<int64_t> merges_;   // by merge; atomic_ref
  std::vector<uint8_t> dead_;     // by node: a dead value has arrived; atomic_ref; zero between steps
  ReadyNodes main_;               // of the thread that began the step

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
