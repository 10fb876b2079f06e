#include "autodiff/body_gradient.h"

#include <algorithm>
#include <map>
#include <memory>

#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"
#include "graph/function_export.h"
#include "graph/import.h"
#include "graph/shape_context.h"

namespace headrace {
namespace {

struct EndpointOrder {
  bool operator()(const Endpoint& a, const Endpoint& b) const {
    return std::pair(a.node->id(), a.index) < std::pair(b.node->id(), b.index);
  }
};

/// Infers all shapes again, now that those of the arguments are known.
Status InferAllShapes(const Graph& graph) {
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph.TopologicalOrder());
  for (Node* node : order) {
    if (node->op() != "_Arg") HR_RETURN_IF_ERROR(InferShapes(node));
  }
  return OkStatus();
}

/// Marks what the marked nodes need.
void MarkNeeded(const std::vector<Node*>& order, std::vector<bool>* marked) {
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    if (!(*marked)[static_cast<size_t>((*node)->id())]) continue;
    for (const Endpoint& input : (*node)->inputs()) (*marked)[static_cast<size_t>(input.node->id())] = true;
    for (const Node* input : (*node)->control_inputs()) (*marked)[static_cast<size_t>(input->id())] = true;
  }
}

}  // namespace

Node* AddArgument(const GraphBuilder& builder, const std::string& name, DType type, const PartialShape& shape) {
  NodeOptions options;
  options.name = name;
  Node* argument = builder.AddNode("_Arg", {}, {{"T", RemoveRef(type)}, {"index", 0}}, std::move(options));
  if (argument != nullptr) argument->set_output_shapes({shape});
  return argument;
}

Endpoint ZeroGradient(const GraphBuilder& builder, Endpoint of, DType type) {
  if (RemoveRef(of.dtype()) == DType::kResource) of = builder.Op("ReadVariableOp", {of}, {{"dtype", type}});
  return builder.Op("ZerosLike", {of});
}

Result<BodyGradient> BodyGradient::Make(const Graph& outer, const FunctionRef& function,
                                        const std::vector<PartialShape>& shapes) {
  HR_ASSIGN_OR_RETURN(FunctionBody body, InstantiateFunction(outer.functions(), function));
  if (body.args.size() != shapes.size()) {
    return InvalidArgument("Function '", function.name, "' takes ", body.args.size(), " arguments, ", shapes.size(),
                           " are given");
  }
  BodyGradient made;
  made.args_ = std::move(body.args);
  for (size_t i = 0; i < shapes.size(); ++i) made.args_[i]->set_output_shapes({shapes[i]});
  for (Node* result : body.results) {
    made.results_.push_back(result->input(0));
    body.graph.RemoveNode(result);
  }
  made.forward_ = std::move(body.graph);
  HR_RETURN_IF_ERROR(InferAllShapes(made.forward_));
  made.num_body_ids_ = made.forward_.num_ids();
  return made;
}

std::vector<bool> BodyGradient::ReachedFrom(size_t index) const {
  std::vector<bool> visited(static_cast<size_t>(forward_.num_ids()), false);
  std::vector<const Node*> pending;
  const auto visit = [&](const Endpoint& endpoint) {
    const auto id = static_cast<size_t>(endpoint.node->id());
    if (visited[id] || !IsDifferentiable(endpoint.dtype())) return;
    visited[id] = true;
    if (!StopsGradients(*endpoint.node)) pending.push_back(endpoint.node);
  };
  visit(results_[index]);
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    for (const Endpoint& input : node->inputs()) visit(input);
  }
  std::vector<bool> reached;
  for (const Node* arg : args_) reached.push_back(visited[static_cast<size_t>(arg->id())]);
  return reached;
}

Status BodyGradient::Differentiate(const std::vector<size_t>& ys, const std::vector<size_t>& xs,
                                   const GradientScope& scope) {
  const GraphBuilder builder(&forward_, status_.get());
  std::vector<Endpoint> results, result_gradients, args;
  for (const size_t y : ys) {
    results.push_back(results_[y]);
    Node* arg = AddArgument(builder, StrCat("gradient_", y), results_[y].dtype(), results_[y].shape());
    if (arg == nullptr) return builder.status();
    result_gradients.push_back({arg, 0});
    gradient_args_.push_back(arg);
  }
  for (const size_t x : xs) args.push_back({args_[x], 0});
  HR_ASSIGN_OR_RETURN(const std::vector<Gradient> gradients,
                      AddGradientsInside(builder, results, args, result_gradients, scope));
  for (const Gradient& gradient : gradients) gradients_.push_back(ToDense(builder, gradient));
  return builder.status();
}

std::vector<bool> BodyGradient::ForwardNodes() const {
  std::vector<bool> is_forward(static_cast<size_t>(forward_.num_ids()), false);
  std::fill_n(is_forward.begin(), num_body_ids_, true);
  if (const auto order = forward_.TopologicalOrder(); order.ok()) MarkNeeded(*order, &is_forward);
  return is_forward;
}

Status BodyGradient::Split(Graph* outer, const Capture& capture) {
  HR_RETURN_IF_ERROR(AddFunctions(&outer->functions(), forward_.functions()));
  backward_->functions() = forward_.functions();
  forward_builder_ = std::make_unique<GraphBuilder>(&forward_, status_.get());
  backward_builder_ = std::make_unique<GraphBuilder>(backward_.get(), status_.get());
  const std::vector<bool> is_forward = ForwardNodes();
  HR_RETURN_IF_ERROR(MoveNodes(is_forward, capture));
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, forward_.TopologicalOrder());
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    if (!is_forward[static_cast<size_t>((*node)->id())]) forward_.RemoveNode(*node);
  }
  return *status_;
}

Status BodyGradient::MoveNodes(const std::vector<bool>& is_forward, const Capture& capture) {
  std::map<Endpoint, Endpoint, EndpointOrder> captured;
  std::vector<Node*> moved(static_cast<size_t>(forward_.num_ids()), nullptr);
  const auto in_backward = [&](const Endpoint& source) -> Endpoint {
    const auto id = static_cast<size_t>(source.node->id());
    if (!is_forward[id]) return {moved[id], source.index};
    Endpoint& known = captured[source];
    if (known) return known;
    Tensor value;
    const bool is_constant = source.node->op() == "Const" && source.node->GetAttr("value", &value).ok();
    known = is_constant ? backward_builder_->Const(value) : capture(*backward_builder_, source);
    return known;
  };
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, forward_.TopologicalOrder());
  std::vector<bool> needed(moved.size(), false);
  for (const Endpoint& gradient : gradients_) {
    if (gradient) needed[static_cast<size_t>(gradient.node->id())] = true;
  }
  for (const Node* arg : gradient_args_) needed[static_cast<size_t>(arg->id())] = true;
  MarkNeeded(order, &needed);
  for (Node* node : order) {
    const auto id = static_cast<size_t>(node->id());
    if (is_forward[id] || !needed[id]) continue;
    NodeSpec spec{.name = backward_->UniqueName(node->name()),
                  .definition = &node->definition(),
                  .attrs = node->attrs(),
                  .inputs = {},
                  .control_inputs = {},
                  .device = node->requested_device()};
    spec.attrs.erase("_class");
    for (const Endpoint& input : node->inputs()) spec.inputs.push_back(in_backward(input));
    HR_RETURN_IF_ERROR(*status_);
    for (const Node* control : node->control_inputs()) {
      if (Node* source = moved[static_cast<size_t>(control->id())]) spec.control_inputs.push_back(source);
    }
    HR_ASSIGN_OR_RETURN(moved[id], backward_->AddNode(std::move(spec)));
    moved[id]->set_output_shapes(node->output_shapes());
  }
  for (Endpoint& gradient : gradients_) {
    if (gradient) gradient = in_backward(gradient);
  }
  for (Node*& arg : gradient_args_) arg = moved[static_cast<size_t>(arg->id())];
  return *status_;
}

}  // namespace headrace
