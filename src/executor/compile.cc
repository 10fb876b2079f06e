// From a graph to a Plan: which nodes are run, in what order of priority, and where every value goes.
#include <algorithm>
#include <climits>
#include <limits>
#include <span>
#include <unordered_map>

#include "executor/loop_key.h"
#include "executor/plan.h"
#include "graph/loop_frames.h"

namespace headrace {

namespace {

constexpr int64_t kMaxEnds = int64_t{1} << 20;  // bounds what an index in a graph from outside can make us allocate
constexpr int32_t kNotRun = -1;                 // a node bound to its consumers' slots

bool IsSend(const Node& node) { return node.op() == "_Send" || node.op() == "_HostSend"; }
bool IsRecv(const Node& node) { return node.op() == "_Recv" || node.op() == "_HostRecv"; }

LoopRole LoopRoleOf(const Node& node) {
  if (IsExit(node)) return LoopRole::kExit;
  if (IsNextIteration(node)) return LoopRole::kNextIteration;
  if (!IsEnter(node)) return LoopRole::kNone;
  return GetAttrOr<bool>(node.attrs(), "is_constant", false) ? LoopRole::kConstantEnter : LoopRole::kEnter;
}

class Compiler {
 public:
  Compiler(std::shared_ptr<const Graph> graph, const PlanEnvironment& environment)
      : graph_(*graph), plan_(std::make_unique<Plan>()), roles_(static_cast<size_t>(graph_.num_ids())) {
    plan_->graph = std::move(graph);
    plan_->environment = environment;
  }

  Result<std::unique_ptr<const Plan>> Compile() {
    HR_ASSIGN_OR_RETURN(order_, graph_.TopologicalOrder());
    HR_ASSIGN_OR_RETURN(loops_, FindLoopFrames(graph_));
    consumers_ = graph_.Consumers();
    std::ranges::stable_sort(order_, {}, [this](const Node* node) { return loops_.FrameOf(*node); });
    for (const Node* node : order_) HR_RETURN_IF_ERROR(Classify(*node));
    HR_RETURN_IF_ERROR(AddFrames());
    HR_RETURN_IF_ERROR(CountPending());
    plan_->slot_constant.assign(static_cast<size_t>(plan_->num_slots), -1);
    for (const Node* node : order_) AddEdges(*node);
    MarkLoneEdges();
    MarkLastBindings();
    CollectRoots();
    plan_->cost_ns = std::vector<std::atomic<uint32_t>>(plan_->nodes.size());
    return std::unique_ptr<const Plan>(std::move(plan_));
  }

 private:
  /// What a node of the graph is in the plan.
  struct Role {
    NodeKind kind = NodeKind::kKernel;
    bool runs = true;
    int32_t value_index = 0;
    int32_t plan_index = kNotRun;
  };
  Role& RoleOf(const Node& node) { return roles_[static_cast<size_t>(node.id())]; }
  const std::vector<Consumer>& ConsumersOf(const Node& node) const {
    return consumers_[static_cast<size_t>(node.id())];
  }
  PlanNode& PlanNodeOf(const Node& node) { return plan_->nodes[static_cast<size_t>(RoleOf(node).plan_index)]; }

  bool IsClientEnd(const Node& node) const {
    return !plan_->environment.client_ends_in_rendezvous && GetAttrOr<bool>(node.attrs(), "client_terminated", false);
  }
  /// A merge wants to see its inputs arrive, so what feeds one is run.
  bool FeedsMerge(const Node& node) const {
    return std::ranges::any_of(ConsumersOf(node), [](const Consumer& consumer) { return IsMerge(*consumer.node); });
  }

  Status Classify(const Node& node) {
    const bool is_end = node.op() == "_Retval" || GetAttrOr<bool>(node.attrs(), "client_terminated", false);
    if (is_end && loops_.FrameOf(node) != 0) {
      return InvalidArgument(node, ": a value inside of a loop cannot be fetched");
    }
    Role& role = RoleOf(node);
    const bool is_source = node.control_inputs().empty() && !FeedsMerge(node);
    if (node.op() == "Const") {
      HR_RETURN_IF_ERROR(AddConstant(node, &role));
      role.runs = !is_source;
    } else if (node.op() == "_Arg" || (IsRecv(node) && IsClientEnd(node))) {
      role.kind = NodeKind::kArg;
      role.runs = !is_source;
      return AddEnd(node, node.op() == "_Arg", node.output_types()[0], &plan_->feeds, &role);
    } else if (node.op() == "_Retval" || (IsSend(node) && IsClientEnd(node))) {
      role.kind = NodeKind::kResult;
      role.runs = !node.control_inputs().empty() || !ConsumersOf(node).empty();
      return AddEnd(node, node.op() == "_Retval", RemoveRef(node.input_types()[0]), &plan_->fetches, &role);
    } else if (node.op() == "NoOp" || node.op() == "ControlTrigger") {
      role.kind = NodeKind::kNothing;
    } else if (LoopRoleOf(node) != LoopRole::kNone || node.op() == "LoopCond") {
      role.kind = NodeKind::kPass;
    } else if (node.definition().signature().stateful) {
      plan_->stateless = false;
    }
    return OkStatus();
  }

  Status AddConstant(const Node& node, Role* role) {
    Tensor value;
    HR_RETURN_IF_ERROR(node.GetAttr("value", &value));
    if (value.dtype() != node.output_types()[0]) {
      return InvalidArgument(node.ToString(), ": the value is ", value, ", the attribute dtype is ",
                             node.output_types()[0]);
    }
    role->kind = NodeKind::kConst;
    role->value_index = static_cast<int32_t>(plan_->constants.size());
    plan_->constants.push_back(std::move(value));
    return OkStatus();
  }

  /// An `_Arg` or `_Retval` says which index it has; client ends take the next free one.
  Status AddEnd(const Node& node, bool has_index, DType dtype, std::vector<PlanEnd>* ends, Role* role) {
    auto index = static_cast<int64_t>(ends->size());
    if (has_index) HR_RETURN_IF_ERROR(node.GetAttr("index", &index));
    if (index < 0 || index >= kMaxEnds) return InvalidArgument(node.ToString(), ": index ", index, " is out of range");
    if (index >= static_cast<int64_t>(ends->size())) ends->resize(static_cast<size_t>(index) + 1);
    PlanEnd& end = (*ends)[static_cast<size_t>(index)];
    if (end.dtype != DType::kInvalid)
      return InvalidArgument(node.ToString(), ": index ", index, " is taken by ", end.name);
    end = PlanEnd{has_index ? node.name() : KeyOfTransfer(node), dtype};
    role->value_index = static_cast<int32_t>(index);
    return OkStatus();
  }

  /// Frame by frame, so that what belongs to one lies together.
  Status AddFrames() {
    auto begin = order_.begin();
    for (size_t i = 0; i < loops_.frames.size(); ++i) {
      const auto end = std::find_if(begin, order_.end(),
                                    [&](const Node* node) { return loops_.FrameOf(*node) != static_cast<int>(i); });
      HR_RETURN_IF_ERROR(AddFrame(loops_.frames[i], {begin, end}));
      begin = end;
    }
    return OkStatus();
  }

  Status AddFrame(const LoopFrames::Frame& found, std::span<Node* const> nodes) {
    PlanFrame frame{.name = found.name,
                    .parent = found.parent,
                    .num_children = static_cast<int32_t>(found.children.size()),
                    .num_enters = found.num_enters,
                    .parallel_iterations = found.parallel_iterations,
                    .name_hash = HashOfFrameName(found.name),
                    .first_node = static_cast<int32_t>(plan_->nodes.size()),
                    .first_slot = plan_->num_slots,
                    .first_merge = static_cast<int32_t>(plan_->initial_merge.size())};
    if (found.parent >= 0) {
      const std::vector<int>& siblings = loops_.frames[static_cast<size_t>(found.parent)].children;
      const auto index = static_cast<int>(plan_->frames.size());
      frame.index_in_parent = static_cast<int32_t>(std::ranges::find(siblings, index) - siblings.begin());
    }
    NumberNodes(nodes);
    for (const Node* node : nodes) {
      HR_RETURN_IF_ERROR(AddNode(*node));
      frame.meets_others |= (IsSend(*node) || IsRecv(*node)) && !IsClientEnd(*node);
      if (!IsExit(*node)) continue;
      PlanNodeOf(*node).loop_index = static_cast<int32_t>(frame.exits.size());
      frame.exits.push_back(RoleOf(*node).plan_index);
    }
    frame.num_nodes = static_cast<int32_t>(plan_->nodes.size()) - frame.first_node;
    frame.num_slots = plan_->num_slots - frame.first_slot;
    frame.num_merges = static_cast<int32_t>(plan_->initial_merge.size()) - frame.first_merge;
    plan_->frames.push_back(std::move(frame));
    return OkStatus();
  }

  /// What frees others goes first: sends, then what waits, then the rest as the graph's order has it.
  void NumberNodes(std::span<Node* const> nodes) {
    const auto urgency = [this](const Node& node) {
      if (IsSend(node)) return 0;
      return IsRecv(node) ? 1 : 2;
    };
    auto next = static_cast<int32_t>(plan_->nodes.size());
    for (int level = 0; level < 3; ++level) {
      for (const Node* node : nodes) {
        if (RoleOf(*node).runs && urgency(*node) == level) RoleOf(*node).plan_index = next++;
      }
    }
    plan_->nodes.resize(static_cast<size_t>(next));
  }

  Status AddNode(const Node& node) {
    const Role& role = RoleOf(node);
    if (!role.runs) return OkStatus();
    PlanNode& planned = PlanNodeOf(node);
    planned.node = &node;
    planned.kind = role.kind;
    planned.value_index = role.value_index;
    planned.loop = LoopRoleOf(node);
    if (IsEnter(node)) planned.loop_index = loops_.OutputFrameOf(node);
    planned.first_slot = plan_->num_slots;
    planned.num_inputs = node.num_inputs();
    planned.num_outputs = node.num_outputs();
    planned.first_output = static_cast<int32_t>(plan_->output_types.size());
    plan_->output_types.insert(plan_->output_types.end(), node.output_types().begin(), node.output_types().end());
    planned.runs_when_dead = IsSend(node) && role.kind == NodeKind::kKernel;
    planned.revives = node.op() == "ControlTrigger";
    planned.is_merge = IsMerge(node);
    planned.may_leave_outputs = IsSwitch(node) || IsRecv(node) || planned.is_merge;
    planned.has_ref_inputs =
        std::ranges::any_of(node.inputs(), [](const Endpoint& input) { return IsRef(input.dtype()); });
    if (node.num_inputs() > std::numeric_limits<int32_t>::max() - plan_->num_slots) {
      return ResourceExhausted("The graph has too many edges");
    }
    plan_->num_slots += node.num_inputs();
    plan_->max_outputs = std::max(plan_->max_outputs, planned.num_outputs);
    if (planned.is_merge) AddMerge(&planned);
    return role.kind == NodeKind::kKernel ? AddKernel(node, &planned) : OkStatus();
  }

  void AddMerge(PlanNode* planned) {
    planned->value_index = static_cast<int32_t>(plan_->initial_merge.size());
    plan_->initial_merge.push_back(kMergeUnclaimed | kMergeNoLive);
    plan_->later_merge.push_back(kMergeUnclaimed | kMergeNoLive);
  }

  Status AddKernel(const Node& node, PlanNode* planned) {
    const PlanEnvironment& environment = plan_->environment;
    HR_ASSIGN_OR_RETURN(const KernelDefinition* definition, node.definition().FindKernel(kCpu, node.attrs()));
    const auto make = [&] {
      KernelConstruction construction(node, environment.device, environment.runtime.get(), environment.resources.get(),
                                      environment.functions);
      return definition->factory(construction);
    };
    std::shared_ptr<Kernel> kernel;
    if (environment.kernels != nullptr && KernelCache::Shares(node)) {
      HR_ASSIGN_OR_RETURN(kernel, environment.kernels->GetOrCreate(environment.device, node, make));
    } else {
      HR_ASSIGN_OR_RETURN(std::unique_ptr<Kernel> made, make());
      kernel = std::move(made);
    }
    planned->kernel = kernel.get();
    planned->async = kernel->AsAsync();
    planned->cheap = definition->cheap;
    if (planned->async != nullptr) {
      planned->kind = NodeKind::kAsync;
      plan_->has_async = true;
    }
    plan_->kernels.push_back(std::move(kernel));
    return OkStatus();
  }

  /// Counts what each run node waits for: edges from nodes that run.
  Status CountPending() {
    plan_->initial_pending.assign(plan_->nodes.size(), 0);
    for (const Node* node : order_) {
      if (!RoleOf(*node).runs) continue;
      for (const Consumer& consumer : ConsumersOf(*node)) {
        const Role& role = RoleOf(*consumer.node);
        if (!role.runs) continue;
        if (loops_.OutputFrameOf(*node) != loops_.FrameOf(*consumer.node)) {
          return InvalidArgument(*consumer.node, " is in a loop, its input ", *node, " is not");
        }
        ++plan_->initial_pending[static_cast<size_t>(role.plan_index)];
        if (IsMerge(*consumer.node)) CountMergeInput(*node, consumer);
      }
    }
    return OkStatus();
  }

  void CountMergeInput(const Node& source, const Consumer& consumer) {
    const auto merge = static_cast<size_t>(PlanNodeOf(*consumer.node).value_index);
    const int64_t amount = consumer.input < 0 ? kMergeControl : kMergeInput;
    const LoopRole role = LoopRoleOf(source);
    if (role != LoopRole::kNextIteration) plan_->initial_merge[merge] += amount;
    if (role != LoopRole::kEnter) plan_->later_merge[merge] += amount;
  }

  void AddEdges(const Node& node) {
    std::vector<Consumer> consumers = ConsumersOf(node);
    std::ranges::stable_sort(consumers, {},
                             [](const Consumer& c) { return c.output_index < 0 ? INT_MAX : c.output_index; });
    const Role& role = RoleOf(node);
    if (role.runs) return AddRunEdges(consumers, &PlanNodeOf(node));
    for (const Consumer& consumer : consumers) {
      if (consumer.input >= 0) Bind(role, consumer);
    }
  }

  void Bind(const Role& source, const Consumer& consumer) {
    const Role& target = RoleOf(*consumer.node);
    const bool is_constant = source.kind == NodeKind::kConst;
    if (!target.runs) {
      (is_constant ? plan_->constant_results : plan_->arg_results).push_back({source.value_index, target.value_index});
      return;
    }
    const int32_t slot = PlanNodeOf(*consumer.node).first_slot + consumer.input;
    if (is_constant) {
      plan_->slot_constant[static_cast<size_t>(slot)] = source.value_index;
    } else {
      plan_->arg_slots.push_back({source.value_index, slot});
    }
  }

  void AddRunEdges(const std::vector<Consumer>& consumers, PlanNode* producer) {
    producer->first_edge = static_cast<int32_t>(plan_->edges.size());
    producer->first_control_edge = producer->first_edge;
    for (size_t i = 0; i < consumers.size(); ++i) {
      const Consumer& consumer = consumers[i];
      const Role& target = RoleOf(*consumer.node);
      PlanEdge edge{.output = consumer.output_index, .slot = target.value_index};
      if (target.runs) {
        edge.node = target.plan_index;
        edge.slot = PlanNodeOf(*consumer.node).first_slot + std::max(consumer.input, 0);
        edge.to_merge = IsMerge(*consumer.node);
      }
      edge.last = i + 1 == consumers.size() || consumers[i + 1].output_index != consumer.output_index;
      plan_->edges.push_back(edge);
      if (consumer.input >= 0) ++producer->first_control_edge;
    }
    producer->end_edge = static_cast<int32_t>(plan_->edges.size());
  }

  void MarkLoneEdges() {
    for (PlanEdge& edge : plan_->edges) {
      edge.lone = edge.node >= 0 && !edge.to_merge && plan_->initial_pending[static_cast<size_t>(edge.node)] == 1;
    }
  }

  /// A node that hands out an argument does so at any time.
  void MarkLastBindings() {
    std::vector<bool> is_taken(plan_->feeds.size(), false);
    for (const PlanNode& node : plan_->nodes) {
      if (node.kind == NodeKind::kArg) is_taken[static_cast<size_t>(node.value_index)] = true;
    }
    for (std::vector<PlanBinding>* bindings : {&plan_->arg_results, &plan_->arg_slots}) {
      for (auto binding = bindings->rbegin(); binding != bindings->rend(); ++binding) {
        binding->last = !is_taken[static_cast<size_t>(binding->value_index)];
        is_taken[static_cast<size_t>(binding->value_index)] = true;
      }
    }
  }

  void CollectRoots() {
    for (auto i = static_cast<int32_t>(plan_->nodes.size()) - 1; i >= 0; --i) {
      if (plan_->initial_pending[static_cast<size_t>(i)] == 0) plan_->roots.push_back(i);
    }
  }

  const Graph& graph_;
  std::unique_ptr<Plan> plan_;
  std::vector<Role> roles_;  // by node id
  LoopFrames loops_;
  std::vector<Node*> order_;  // frame by frame, inputs first
  std::vector<std::vector<Consumer>> consumers_;
};

}  // namespace

Result<std::unique_ptr<const Plan>> CompilePlan(std::shared_ptr<const Graph> graph,
                                                const PlanEnvironment& environment) {
  return Compiler(std::move(graph), environment).Compile();
}

}  // namespace headrace
