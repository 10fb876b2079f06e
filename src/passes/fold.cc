// See fold.h.
#include "passes/fold.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "graph/function_ops.h"
#include "graph/loop_frames.h"
#include "kernel/evaluate.h"

namespace headrace {
namespace {

const Tensor* ConstantValue(const Node& node) {
  if (node.op() != "Const" || !node.control_inputs().empty()) return nullptr;
  const auto value = node.attrs().find("value");
  return value == node.attrs().end() ? nullptr : value->second.As<Tensor>();
}

// True when the node's results depend on its inputs' values and nothing else, and may be kept in a constant.
bool IsPure(const Node& node) {
  const OpSignature& signature = node.definition().signature();
  if (signature.stateful || node.num_inputs() == 0 || node.num_outputs() == 0 || TakesFunctions(signature))
    return false;
  if (!node.control_inputs().empty()) return false;
  if (IsSwitch(node) || IsMerge(node) || IsEnter(node) || node.op() == "PlaceholderWithDefault") return false;
  if (node.op() == "PyFuncStateless") return false;  // its function may be in another process
  return std::ranges::all_of(node.output_types(),
                             [](DType type) { return IsPlainData(type) || type == DType::kString; });
}

// The value of Shape, Size or Rank where it is known without running.
std::optional<std::vector<Tensor>> KnownMetadata(const Node& node) {
  const bool shape = node.op() == "Shape", size = node.op() == "Size", rank = node.op() == "Rank";
  if ((!shape && !size && !rank) || !node.control_inputs().empty() || !node.input(0)) return std::nullopt;
  const PartialShape& known = node.input(0).shape();
  if (!known.has_rank() || (!rank && !known.IsFullyKnown())) return std::nullopt;
  const Result<Shape> full = known.ToShape();
  std::vector<int64_t> values(known.dims().begin(), known.dims().end());
  if (rank) values = {known.rank()};
  if (size && !full.ok()) return std::nullopt;
  if (size) values = {full->num_elements()};
  const Shape result = shape ? Shape({known.rank()}) : Shape();
  if (node.output_types()[0] == DType::kInt64) return std::vector<Tensor>{Tensor::FromValues<int64_t>(values, result)};
  std::vector<int32_t> narrow;
  for (const int64_t value : values) {
    if (value != static_cast<int32_t>(value)) return std::nullopt;
    narrow.push_back(static_cast<int32_t>(value));
  }
  return std::vector<Tensor>{Tensor::FromValues<int32_t>(std::span<const int32_t>(narrow), result)};
}

std::optional<std::vector<Tensor>> Evaluate(const Node& node) {
  std::vector<Tensor> inputs;
  for (const Endpoint& input : node.inputs()) {
    const Tensor* value = input ? ConstantValue(*input.node) : nullptr;
    if (value == nullptr) return std::nullopt;
    inputs.push_back(*value);
  }
  Result<std::vector<Tensor>> results = EvaluateConstant(node.op(), std::move(inputs), node.attrs());
  if (!results.ok()) return std::nullopt;
  return *std::move(results);
}

// True by node id for what runs in some steps only, or several times in one. A constant, which waits for nothing, cannot stand for
// such a node even where its value is known.
std::vector<bool> ConditionalNodes(const Graph& graph, const std::vector<Node*>& order) {
  std::vector<bool> conditional(static_cast<size_t>(graph.num_ids()), false);
  const auto is_conditional = [&](const Node* node) { return conditional[static_cast<size_t>(node->id())]; };
  for (const Node* node : order) {
    conditional[static_cast<size_t>(node->id())] =
        IsSwitch(*node) || IsEnter(*node) ||
        std::ranges::any_of(node->inputs(), [&](const Endpoint& input) { return is_conditional(input.node); }) ||
        std::ranges::any_of(node->control_inputs(), is_conditional);
  }
  return conditional;
}

class Folder {
 public:
  Folder(Graph* graph, const FoldOptions& options) : graph_(graph), options_(options), consumers_(graph->Consumers()) {}
  Status Run();

 private:
  Status Replace(Node* node, const std::vector<Tensor>& values);
  void RemoveUnused(const std::vector<Node*>& order);

  Graph* graph_;
  const FoldOptions& options_;
  const std::vector<std::vector<Consumer>> consumers_;  // of the graph as it was
  std::vector<bool> folded_;                            // by node id
  std::vector<Node*> made_;
};

Status Folder::Replace(Node* node, const std::vector<Tensor>& values) {
  const std::vector<Consumer>& consumers = consumers_[static_cast<size_t>(node->id())];
  for (int i = 0; i < node->num_outputs(); ++i) {
    const Tensor& value = values[static_cast<size_t>(i)];
    NodeSpec spec;
    spec.name = graph_->UniqueName(node->name() + "/folded");
    HR_ASSIGN_OR_RETURN(spec.definition, OpRegistry::Global().Lookup("Const"));
    spec.attrs = {{"value", value}, {"dtype", value.dtype()}};
    spec.device = node->requested_device();
    HR_ASSIGN_OR_RETURN(Node * constant, graph_->AddNode(std::move(spec)));
    constant->set_assigned_device(node->assigned_device());
    constant->set_output_shapes({PartialShape(value.shape())});
    made_.push_back(constant);
    for (const Consumer& consumer : consumers) {
      if (consumer.output_index == i)
        HR_RETURN_IF_ERROR(graph_->SetInput(consumer.node, consumer.input, Endpoint{constant, 0}));
    }
  }
  // What waited for the node now has nothing to wait for.
  for (const Consumer& consumer : consumers) {
    if (consumer.input >= 0) continue;
    const std::vector<Node*> before = consumer.node->control_inputs();
    graph_->RemoveControlInputs(consumer.node);
    for (Node* source : before) {
      if (source != node) graph_->AddControlInput(consumer.node, source);
    }
  }
  folded_[static_cast<size_t>(node->id())] = true;
  return OkStatus();
}

// Goes from the last node to the first, so that whole chains go. Only what was folded, and constants that nobody reads
// any more.
void Folder::RemoveUnused(const std::vector<Node*>& order) {
  std::vector<int> uses(static_cast<size_t>(graph_->num_ids()), 0);
  for (const Node* node : graph_->Nodes()) {
    for (const Endpoint& input : node->inputs()) ++uses[static_cast<size_t>(input.node->id())];
    for (const Node* source : node->control_inputs()) ++uses[static_cast<size_t>(source->id())];
  }
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node* node = *it;
    const size_t id = static_cast<size_t>(node->id());
    const bool was_read = !consumers_[id].empty();
    if (uses[id] > 0 || !(folded_[id] || (was_read && ConstantValue(*node) != nullptr))) continue;
    for (const Endpoint& input : node->inputs()) --uses[static_cast<size_t>(input.node->id())];
    graph_->RemoveNode(node);
  }
  for (Node* node : made_) {
    if (uses[static_cast<size_t>(node->id())] == 0) graph_->RemoveNode(node);
  }
}

Status Folder::Run() {
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_->TopologicalOrder());
  folded_.assign(static_cast<size_t>(graph_->num_ids()), false);
  const std::vector<bool> conditional = ConditionalNodes(*graph_, order);
  for (Node* node : order) {
    if (consumers_[static_cast<size_t>(node->id())].empty()) continue;  // a target: it is to run
    if (conditional[static_cast<size_t>(node->id())]) continue;
    std::optional<std::vector<Tensor>> values = KnownMetadata(*node);
    if (!values && IsPure(*node)) values = Evaluate(*node);
    if (!values || static_cast<int>(values->size()) != node->num_outputs()) continue;
    int64_t bytes = 0;
    for (const Tensor& value : *values) bytes += value.size_bytes();
    if (bytes <= options_.max_result_bytes) HR_RETURN_IF_ERROR(Replace(node, *values));
  }
  RemoveUnused(order);
  return OkStatus();
}

}  // namespace

Status FoldConstants(Graph* graph, const FoldOptions& options) { return Folder(graph, options).Run(); }

}  // namespace headrace
