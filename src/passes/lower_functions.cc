// See lower_functions.h. In rounds: each replaces calls, whose bodies may hold calls for the next one.
#include "passes/lower_functions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "graph/builder.h"
#include "graph/device_name.h"
#include "graph/function_ops.h"
#include "graph/loop_frames.h"
#include "passes/colocation.h"
#include "passes/condition_depth.h"
#include "passes/lower_call.h"
#include "passes/tensor_name.h"

namespace headrace {
namespace {

constexpr int kMaxDepth = 64;                   // of functions that call functions, as in the executor
constexpr int kMaxNewNodes = 1'000'000;         // functions that call others twice grow fast
constexpr char kBehind[] = "_lowered_handles";  // by output: "node:index" that its consumers read, or empty

/// Only what names a task.
DeviceName TaskOf(const DeviceName& name) {
  return {.job = name.job, .replica = name.replica, .task = name.task, .type = {}, .id = {}};
}

/// What a call and its functions need, put together until it does not fit one task.
class TaskWish {
 public:
  TaskWish(const Graph& graph, const ColocationGroups& groups, const DeviceName& local)
      : graph_(graph), groups_(groups), local_(local) {}

  Result<bool> SpansTasks(const Node& call) {
    const DeviceName own = TaskOf(groups_.WishOf(groups_.RootOf(call.id())));
    wish_ = Likely(own);
    for (const Endpoint& input : call.inputs()) {
      if (!IsHandle(input.dtype())) continue;
      if (!Add(Likely(TaskOf(groups_.WishOf(groups_.RootOf(input.node->id())))))) return true;
    }
    return AnyInFunctions(call.attrs());
  }

 private:
  /// Where the placer puts what asks for that much.
  DeviceName Likely(const DeviceName& wish) const {
    return wish.IsCompatibleWith(local_) ? local_.MergedWith(wish) : wish;
  }
  /// False when that lies elsewhere.
  bool Add(const DeviceName& other) {
    if (!wish_.IsCompatibleWith(other)) return false;
    wish_ = wish_.MergedWith(other);
    return true;
  }
  Result<bool> AnyInFunctions(const AttrMap& attrs) {
    for (const auto& [name, value] : attrs) {
      std::vector<FunctionRef> functions;
      if (const auto* one = value.As<FunctionRef>()) functions.push_back(*one);
      if (const auto* several = value.As<std::vector<FunctionRef>>()) functions = *several;
      for (const FunctionRef& function : functions) {
        HR_ASSIGN_OR_RETURN(const bool elsewhere, AnyInFunction(function.name));
        if (elsewhere) return true;
      }
    }
    return false;
  }
  Result<bool> AnyInFunction(const std::string& name) {
    const auto function = graph_.functions().Find(name);
    if (function == nullptr || !seen_.insert(name).second) return false;
    for (const NodeDef& node : function->nodes) {
      HR_ASSIGN_OR_RETURN(const DeviceName asked, DeviceName::Parse(node.device));
      if (!Add(TaskOf(asked))) return true;
      if (IsFunctionCall(node.op)) {
        HR_ASSIGN_OR_RETURN(const bool elsewhere, AnyInFunctions(node.attrs));
        if (elsewhere) return true;
      }
      HR_ASSIGN_OR_RETURN(const bool elsewhere, AnyInFunction(node.op));  // a function's name may stand for its call
      if (elsewhere) return true;
    }
    return false;
  }

  const Graph& graph_;
  const ColocationGroups& groups_;
  const DeviceName& local_;
  DeviceName wish_;
  std::set<std::string> seen_;
};

struct Call {
  Node* node;
  bool is_conditional;  // inside of a condition or a loop
};

Result<std::vector<Call>> CallsThatSpanTasks(const Graph& graph, const PlacementOptions& options) {
  std::vector<Call> calls;
  for (Node* node : graph.Nodes()) {
    if (IsFunctionCall(node->op()) && node->assigned_device().empty()) calls.push_back({node, false});
  }
  if (calls.empty()) return calls;
  HR_ASSIGN_OR_RETURN(const DeviceName local, DeviceName::Parse(options.local_task));
  ColocationGroups groups(graph);
  HR_RETURN_IF_ERROR(groups.Build(options.allow_soft_placement, CallEdges::kFree));
  std::vector<Call> spanning;
  for (const Call& call : calls) {
    HR_ASSIGN_OR_RETURN(const bool spans, TaskWish(graph, groups, local).SpansTasks(*call.node));
    if (spans) spanning.push_back(call);
  }
  if (spanning.empty()) return spanning;
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph.TopologicalOrder());
  const std::vector<int> depths = ConditionDepths(graph, order);
  for (Call& call : spanning) call.is_conditional = depths[static_cast<size_t>(call.node->id())] > 0;
  return spanning;
}

class Replacement {
 public:
  Replacement(Graph* graph, const Call& call)
      : graph_(graph),
        call_(call.node),
        is_conditional_(call.is_conditional),
        consumers_(graph->Consumers()[static_cast<size_t>(call.node->id())]),
        builder_(
            GraphBuilder(graph, &status_).WithNamePrefix(call.node->name()).WithDevice(call.node->requested_device())) {
  }

  Status Run() {
    FindGate();
    HR_RETURN_IF_ERROR(status_);
    Result<LoweredCall> lowered = LowerCall(graph_, *call_, gate_);
    if (!lowered.ok()) return lowered.status().WithFrame(StrCat("lowering ", call_->ToString()));
    lowered_ = *std::move(lowered);
    NodeSpec spec = Stand();
    HR_RETURN_IF_ERROR(status_);
    return Replace(std::move(spec));
  }

 private:
  void FindGate();
  NodeSpec Stand();
  Status Replace(NodeSpec spec);

  Graph* const graph_;
  Node* const call_;
  const bool is_conditional_;
  const std::vector<Consumer> consumers_;
  Status status_;
  const GraphBuilder builder_;
  std::vector<Node*> gate_;
  LoweredCall lowered_;
};

// What the call waits for: control inputs; where its functions have side effects, its values, too, as a call begins when all of them are
// there; and where it may be dead or belongs to a loop, what says so: its values, or a handle where there are none. A Switch runs
// whether its outputs are dead or not: an Identity tells.
void Replacement::FindGate() {
  gate_ = call_->control_inputs();
  const auto add = [&](bool handles) {
    for (const Endpoint& input : call_->inputs()) {
      const bool is_root = input.node->num_inputs() == 0 && input.node->control_inputs().empty();
      if (is_root || IsHandle(RemoveRef(input.dtype())) != handles) continue;
      const bool tells = !IsSwitch(*input.node) && !IsEnter(*input.node);
      gate_.push_back(tells ? input.node : builder_.AddNode("Identity", {input}, {}, {.name = "gate"}));
      if (handles) return;
    }
  };
  if (is_conditional_ || call_->definition().signature().stateful) add(/*handles=*/false);
  if (is_conditional_ && gate_.empty()) add(/*handles=*/true);
}

// The node that takes the call's name.
NodeSpec Replacement::Stand() {
  NodeSpec spec{.name = call_->name(), .control_inputs = lowered_.ends, .device = call_->requested_device()};
  std::vector<std::string> behind(lowered_.outputs.size());
  for (size_t i = 0; i < lowered_.outputs.size(); ++i) {
    spec.inputs.push_back(lowered_.outputs[i]);
    const DType type = call_->output_types()[i];
    if (!IsHandle(type)) continue;
    behind[i] = lowered_.outputs[i].ToString();
    spec.inputs[i] = {builder_.AddNode("FakeParam", {}, {{"dtype", type}, {"shape", PartialShape()}},
                                       {.name = "handle", .control_inputs = gate_}),
                      0};
  }
  const std::vector<DType>& types = call_->output_types();
  const std::string_view op = types.empty() ? "NoOp" : types.size() == 1 ? "Identity" : "IdentityN";
  const Result<const OpDefinition*> definition = OpRegistry::Global().Lookup(op);
  if (!definition.ok()) builder_.Fail(definition.status());
  spec.definition = definition.ok() ? *definition : nullptr;
  if (types.size() == 1) spec.attrs["T"] = types[0];
  if (types.size() > 1) spec.attrs["T"] = types;
  if (std::ranges::any_of(types, IsHandle)) spec.attrs[kBehind] = std::move(behind);
  if (const auto classes = call_->attrs().find("_class"); classes != call_->attrs().end()) spec.attrs.insert(*classes);
  return spec;
}

void ReplaceControlInput(Graph* graph, Node* node, const Node* old, Node* replacement) {
  const std::vector<Node*> before = node->control_inputs();
  graph->RemoveControlInputs(node);
  for (Node* source : before) graph->AddControlInput(node, source == old ? replacement : source);
}

Status Replacement::Replace(NodeSpec spec) {
  const std::vector<DType> types = call_->output_types();
  std::vector<PartialShape> shapes = call_->output_shapes();
  const Node* const old = call_;
  graph_->RemoveNode(call_);  // the name is free now
  HR_ASSIGN_OR_RETURN(Node * stand, graph_->AddNode(std::move(spec)));
  for (size_t i = 0; i < shapes.size(); ++i) {
    const PartialShape& known = stand->input(static_cast<int>(i)).shape();
    if (!shapes[i].has_rank() && !IsHandle(types[i])) shapes[i] = known;
  }
  stand->set_output_shapes(std::move(shapes));
  for (const Consumer& consumer : consumers_) {
    if (consumer.input < 0) {
      ReplaceControlInput(graph_, consumer.node, old, stand);
      continue;
    }
    const auto index = static_cast<size_t>(consumer.output_index);
    const bool is_handle = IsHandle(types[index]);
    const Endpoint source = is_handle ? lowered_.outputs[index] : Endpoint{stand, consumer.output_index};
    HR_RETURN_IF_ERROR(graph_->SetInput(consumer.node, consumer.input, source));
    if (is_handle) graph_->AddControlInput(consumer.node, stand);
  }
  return OkStatus();
}

/// Lets the nodes of a later extension read the handles behind what took a call's place.
Status ReadHandlesBehind(Graph* graph) {
  for (Node* node : graph->Nodes()) {
    for (int i = 0; i < node->num_inputs(); ++i) {
      const Endpoint input = node->input(i);
      if (!input || !IsHandle(input.dtype()) || !input.node->attrs().contains(kBehind)) continue;
      const auto behind = GetAttrOr<std::vector<std::string>>(input.node->attrs(), kBehind, {});
      const auto index = static_cast<size_t>(input.index);
      const std::optional<TensorName> name =
          index < behind.size() ? TensorName::Parse(behind[index]) : std::optional<TensorName>();
      Node* const source = name ? graph->Find(name->node) : nullptr;
      if (source == nullptr) continue;
      HR_RETURN_IF_ERROR(graph->SetInput(node, i, Endpoint{source, name->index}));
      graph->AddControlInput(node, input.node);
    }
  }
  return OkStatus();
}

}  // namespace

Status LowerFunctions(Graph* graph, const PlacementOptions& options) {
  HR_RETURN_IF_ERROR(ReadHandlesBehind(graph));
  const int before = graph->num_ids();
  for (int round = 0; round < kMaxDepth; ++round) {
    HR_ASSIGN_OR_RETURN(const std::vector<Call> calls, CallsThatSpanTasks(*graph, options));
    if (calls.empty()) return OkStatus();
    for (const Call& call : calls) {
      const std::string name = call.node->name();
      HR_RETURN_IF_ERROR(Replacement(graph, call).Run());
      if (graph->num_ids() - before > kMaxNewNodes) {
        return InvalidArgument("Functions become more than ", kMaxNewNodes, " nodes, at {{node ", name, "}}");
      }
    }
  }
  return InvalidArgument("Functions call each other over ", kMaxDepth, " deep");
}

}  // namespace headrace
