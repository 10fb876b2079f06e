// Iteration: the memory in which the nodes of one frame run once. LoopRun: one run of a loop, which is what a frame is while its
// iterations go by. Private to the executor.
//
// An iteration ends when nothing holds it any more. It is held by each of its nodes that is ready or running, by each loop that
// was entered from it, by its predecessor (so iterations end in order) and, iteration 0, by each Enter that is still to come. The
// run ends with its last iteration. Both are then used again: a loop's memory does not grow with its length.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "executor/loop_key.h"
#include "executor/plan.h"

namespace headrace {

struct LoopRun;

struct Iteration {
  Iteration(const Plan& plan, const PlanFrame& frame);
  /// Everything as at the beginning, but for the slots, which nodes leave empty.
  void Reset(const Plan& plan, const PlanFrame& frame);
  /// Empties the slots; constants are put back.
  void ClearSlots(const Plan& plan);

  InputValue* SlotsOf(const PlanNode& node) { return &slots[static_cast<size_t>(node.first_slot - first_slot)]; }
  InputValue& Slot(int32_t slot) { return slots[static_cast<size_t>(slot - first_slot)]; }
  int32_t& Pending(int32_t node) { return pending[static_cast<size_t>(node - first_node)]; }
  uint8_t& Dead(int32_t node) { return dead[static_cast<size_t>(node - first_node)]; }
  int64_t& MergeState(const PlanNode& merge) { return merges[static_cast<size_t>(merge.value_index - first_merge)]; }

  const int32_t first_node;
  const int32_t first_slot;
  const int32_t first_merge;
  std::vector<InputValue> slots;
  std::vector<int32_t> pending;  // by node; atomic_ref
  std::vector<int64_t> merges;   // by merge; atomic_ref
  std::vector<uint8_t> dead;     // by node: a dead value has arrived; atomic_ref

  LoopRun* run = nullptr;  // null outside of loops
  int64_t number = 0;
  Iteration* next = nullptr;       // the younger one, where it has begun; guarded by the run's mutex
  std::atomic<int64_t> holds{0};   // not counted outside of loops
  std::vector<LoopRun*> children;  // by index_in_parent; guarded by the step's loops mutex
  StepContext* context = nullptr;  // what kernels see: the step's, or `own_context` where edges leave the device
  std::optional<StepContext> own_context;
  LoopRendezvous rendezvous;
};

/// A value that is there before its iteration is.
struct HeldValue {
  const PlanNode* node = nullptr;
  InputValue value;
  bool is_dead = false;
};

struct LoopRun {
  LoopRun(const Plan& of_plan, const PlanFrame& of_frame) : plan(of_plan), frame(of_frame) {}

  /// Begins the run: no iteration yet.
  void Begin(Iteration* entered_from);
  /// A new youngest iteration, held `holds` times. REQUIRES: the mutex is held.
  Iteration* AddIteration(StepContext* step, int64_t holds);

  const Plan& plan;
  const PlanFrame& frame;
  Iteration* parent = nullptr;
  uint64_t id = 0;

  std::mutex mutex;  // guards what follows
  Iteration* oldest = nullptr;
  Iteration* youngest = nullptr;
  int64_t num_alive = 0;             // iterations
  std::vector<HeldValue> constants;  // of constant Enters
  std::vector<HeldValue> waiting;    // of NextIterations beyond parallel_iterations
  std::vector<uint8_t> exited;       // by exit
  std::vector<Iteration*> free;
  std::vector<std::unique_ptr<Iteration>> memory;
};

}  // namespace headrace
