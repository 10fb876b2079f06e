// Plan: what the compiler makes of a graph, as flat arrays. Read by Step. Private to the executor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "executor/step_plan.h"

namespace headrace {

enum class NodeKind : uint8_t {
  kKernel,
  kAsync,   // a kernel that waits
  kConst,   // hands out constant `value_index`
  kArg,     // hands out argument `value_index`
  kResult,  // stores result `value_index`
  kPass,    // hands its input on: Enter, Exit, NextIteration, LoopCond
  kNothing  // NoOp
};

/// Where a node's outputs go, if not to its own iteration.
enum class LoopRole : uint8_t {
  kNone,
  kEnter,          // to iteration 0 of frame `loop_index`
  kConstantEnter,  // to every iteration of it
  kExit,  // to the iteration that the frame was entered from; `loop_index` is its place among the frame's exits
  kNextIteration
};

/// A node that is run. Constants, arguments and results that wait for nothing are not: they are bound to their consumers' slots.
struct PlanNode {
  Kernel* kernel = nullptr;
  AsyncKernel* async = nullptr;
  const Node* node = nullptr;
  int32_t first_slot = 0;  // of its inputs, which are next to each other
  int32_t num_inputs = 0;
  int32_t num_outputs = 0;
  int32_t first_output = 0;  // in Plan::output_types
  int32_t first_edge = 0;
  int32_t first_control_edge = 0;
  int32_t end_edge = 0;
  int32_t value_index = 0;  // of the constant, argument or result; of a merge: in `initial_merge`
  int32_t loop_index = 0;   // see LoopRole
  NodeKind kind = NodeKind::kKernel;
  LoopRole loop = LoopRole::kNone;
  bool cheap = false;              // never measured, never handed off
  bool has_ref_inputs = false;     // an edge that carries a variable ends here
  bool runs_when_dead = false;     // Send: it passes deadness on
  bool revives = false;            // ControlTrigger: alive whatever comes
  bool may_leave_outputs = false;  // Switch, Recv, Merge: an output that is not set is dead, not a fault
  bool is_merge = false;
};

/// An edge to a node's input, to a result (node < 0), or, among control edges, to the node itself.
struct PlanEdge {
  int32_t output = 0;  // of the producer
  int32_t slot = 0;    // where the value goes; for a result its index; for an input of a merge also its slot
  int32_t node = -1;
  bool last = false;  // of this output: the value is moved, not copied
  bool lone = false;  // all that `node` waits for
  bool to_merge = false;
};

/// A value that is there before the step begins, and the slot or result it goes to.
struct PlanBinding {
  int32_t value_index = 0;
  int32_t slot = 0;
  bool last = false;  // of an argument: nobody else in the plan takes it
};

/// The graph outside of loops (index 0), or what lies between the Enters and Exits of one loop. Its nodes, slots and merges are
/// next to each other in the plan.
struct PlanFrame {
  std::string name;
  int32_t parent = -1;
  int32_t num_children = 0;
  int32_t index_in_parent = 0;
  int32_t num_enters = 0;
  int64_t parallel_iterations = 1;
  uint64_t name_hash = 0;     // as peers compute it
  bool meets_others = false;  // a node sends or receives
  int32_t first_node = 0;
  int32_t num_nodes = 0;
  int32_t first_slot = 0;
  int32_t num_slots = 0;
  int32_t first_merge = 0;
  int32_t num_merges = 0;
  std::vector<int32_t> exits = {};
};

constexpr int64_t kMergeControl = int64_t{1} << 32;  // see Plan::initial_merge
constexpr int64_t kMergeInput = 4;
constexpr int64_t kMergeUnclaimed = 2;
constexpr int64_t kMergeNoLive = 1;

struct Plan {
  std::shared_ptr<const Graph> graph;  // owns the nodes
  PlanEnvironment environment;
  std::vector<std::shared_ptr<Kernel>> kernels;

  std::vector<PlanNode> nodes;  // in the order of priority
  std::vector<PlanEdge> edges;
  std::vector<DType> output_types;
  std::vector<int32_t> initial_pending;  // inputs and control inputs a node waits for
  /// For each merge: control inputs to come (upper half), inputs to come (from bit 2), nobody has claimed to be the live
  /// input (bit 1), no live input has arrived (bit 0).
  std::vector<int64_t> initial_merge;
  /// The same from iteration 1 on, where a loop's merge gets no value from Enter but one from NextIteration.
  std::vector<int64_t> later_merge;
  std::vector<PlanFrame> frames;
  std::vector<int32_t> roots;  // that wait for nothing, most urgent last
  int32_t num_slots = 0;
  int32_t max_outputs = 0;
  bool has_async = false;
  bool stateless = true;

  std::vector<Tensor> constants;
  std::vector<int32_t> slot_constant;  // by slot: the constant that always lies there, or -1
  std::vector<PlanBinding> constant_results;
  std::vector<PlanBinding> arg_slots;
  std::vector<PlanBinding> arg_results;
  std::vector<PlanEnd> feeds;
  std::vector<PlanEnd> fetches;

  mutable std::vector<std::atomic<uint32_t>> cost_ns;  // by node: moving average of what its kernel took
  mutable std::atomic<bool> is_long = false;           // costly nodes together took long in the step measured last
  mutable std::atomic<uint32_t> num_steps{0};
};

Result<std::unique_ptr<const Plan>> CompilePlan(std::shared_ptr<const Graph> graph, const PlanEnvironment& environment);

}  // namespace headrace
