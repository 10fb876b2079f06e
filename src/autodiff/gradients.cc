// See gradients.h. Three sweeps, none recursive: forward from the xs and backward from the ys to find the nodes
// between, then the nodes between in reverse topological order, so that a node's output gradients are complete when it
// is visited.
#include "autodiff/gradients.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "autodiff/custom_gradient.h"
#include "autodiff/function_gradient.h"
#include "autodiff/indexed_slices.h"

namespace headrace {
namespace {

class Backward {
 public:
  Backward(const GraphBuilder& builder, const std::vector<Endpoint>& ys, const std::vector<Endpoint>& xs,
           const GradientScope& scope, const std::vector<Endpoint>& stops = {})
      : builder_(builder.WithNamePrefix(scope.name)), graph_(builder.graph()), ys_(ys), xs_(xs), scope_(scope) {
    for (const Endpoint& stop : stops) stops_.insert(stop.node);
  }

  Result<std::vector<Gradient>> Run(const std::vector<Endpoint>& grad_ys);

 private:
  void FindBetween();
  std::vector<bool> ReachedFromXs() const;
  Status Seed(const std::vector<Endpoint>& grad_ys);
  Endpoint Ones(const Endpoint& y, size_t number) const;
  Status Visit(Node* node);
  bool IsBetween(const Node* node) const {
    return static_cast<size_t>(node->id()) < between_.size() && between_[static_cast<size_t>(node->id())];
  }
  std::vector<Gradient>& GradientsOf(const Endpoint& endpoint) {
    return gradients_[static_cast<size_t>(endpoint.node->id())][static_cast<size_t>(endpoint.index)];
  }
  /// Adds up what has arrived at the endpoint; the sum takes its place.
  Gradient Sum(const Endpoint& endpoint);

  const GraphBuilder builder_;
  Graph& graph_;
  const std::vector<Endpoint>& ys_;
  const std::vector<Endpoint>& xs_;
  const GradientScope& scope_;
  std::set<const Node*> stops_;
  std::vector<bool> between_;                                  // by node id
  std::vector<std::vector<std::vector<Gradient>>> gradients_;  // by node id and output: all that arrived
};

constexpr int kMaxDepth = 64;  // of functions within functions

/// "gradients", "gradients_1", ...: the first that no node's name begins with.
std::string FreeScopeName(const GraphBuilder& builder) {
  std::set<std::string_view> taken;
  const std::string& prefix = builder.name_prefix();
  const std::vector<Node*> nodes = builder.graph().Nodes();
  for (const Node* node : nodes) {
    const std::string_view name = node->name();
    if (name.starts_with(prefix))
      taken.insert(name.substr(prefix.size(), name.find('/', prefix.size()) - prefix.size()));
  }
  std::string name = "gradients";
  for (int i = 1; taken.contains(name); ++i) name = StrCat("gradients_", i);
  return name;
}

std::vector<bool> Backward::ReachedFromXs() const {
  const std::vector<std::vector<Consumer>> consumers = graph_.Consumers();
  std::vector<bool> reached(static_cast<size_t>(graph_.num_ids()), false);
  std::vector<Node*> pending;
  const auto reach = [&](Node* node) {
    if (reached[static_cast<size_t>(node->id())]) return;
    reached[static_cast<size_t>(node->id())] = true;
    pending.push_back(node);
  };
  for (const Endpoint& x : xs_) reach(x.node);
  while (!pending.empty()) {
    Node* node = pending.back();
    pending.pop_back();
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      if (consumer.input < 0 || StopsGradients(*consumer.node)) continue;
      if (IsDifferentiable(node->output_types()[static_cast<size_t>(consumer.output_index)])) reach(consumer.node);
    }
  }
  return reached;
}

void Backward::FindBetween() {
  const std::vector<bool> reached = ReachedFromXs();
  between_.assign(static_cast<size_t>(graph_.num_ids()), false);
  std::vector<Node*> pending;
  const auto visit = [&](Node* node) {
    const size_t id = static_cast<size_t>(node->id());
    if (!reached[id] || between_[id]) return;
    between_[id] = true;
    pending.push_back(node);
  };
  for (const Endpoint& y : ys_) visit(y.node);
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    for (const Endpoint& input : node->inputs()) {
      if (input && IsDifferentiable(input.dtype())) visit(input.node);
    }
  }
}

Endpoint Backward::Ones(const Endpoint& y, size_t number) const {
  const GraphBuilder builder = builder_.WithNamePrefix(StrCat("grad_ys_", number));
  const Endpoint one = builder.ScalarOf(RemoveRef(y.dtype()), 1.0);
  if (y.shape().rank() == 0) return one;
  if (!y.shape().IsFullyKnown()) return builder.Op("Fill", {builder.Op("Shape", {y}), one});
  const std::vector<int64_t> dims(y.shape().dims().begin(), y.shape().dims().end());
  return builder.Op("Fill", {builder.Const(Tensor::Vector(dims)), one});
}

Status Backward::Seed(const std::vector<Endpoint>& grad_ys) {
  if (!grad_ys.empty() && grad_ys.size() != ys_.size()) {
    return InvalidArgument("Gradients: the number of grad_ys differs from that of ys: ", grad_ys.size(), " and ",
                           ys_.size());
  }
  for (size_t i = 0; i < ys_.size(); ++i) {
    const Endpoint& y = ys_[i];
    const DType type = RemoveRef(y.dtype());
    const bool given = !grad_ys.empty() && grad_ys[i];
    const bool inside = scope_.depth > 0 && given && IsDifferentiable(type);  // a function may return lists and handles
    if (!IsFloating(type) && !IsComplex(type) && !inside)
      return InvalidArgument("Gradients: y ", y, " is of type ", type, ", not of a float type");
    if (given && !inside && RemoveRef(grad_ys[i].dtype()) != type) {
      return InvalidArgument("Gradients: types differ: y ", y, "=", type, " grad_y ", grad_ys[i], "=",
                             grad_ys[i].dtype());
    }
    if (!IsBetween(y.node)) continue;
    GradientsOf(y).push_back(given ? grad_ys[i] : Ones(y, i));
  }
  return builder_.status();
}

Gradient Backward::Sum(const Endpoint& endpoint) {
  std::vector<Gradient>& arrived = GradientsOf(endpoint);
  if (arrived.empty()) return {};
  const Gradient sum = SumGradients(builder_, arrived);
  arrived = {sum};
  return sum;
}

Status Backward::Visit(Node* node) {
  std::vector<Gradient> outputs;
  outputs.reserve(static_cast<size_t>(node->num_outputs()));
  for (int i = 0; i < node->num_outputs(); ++i) outputs.push_back(Sum(Endpoint{node, i}));
  if (std::ranges::none_of(outputs, &Gradient::exists)) return builder_.status();
  // An x that nothing between feeds: its gradient is the answer, and goes no further.
  const bool leads_on =
      std::ranges::any_of(node->inputs(), [&](const Endpoint& input) { return input && IsBetween(input.node); });
  if (!leads_on || StopsGradients(*node) || stops_.contains(node)) return builder_.status();
  GradientFunction gradient = node->definition().gradient_function();
  if (HasCustomGradient(*node))
    gradient = [node](GradientContext& context) { return AddCustomGradient(context, *node); };
  if (CallsFunctions(*node))
    gradient = [this, node](GradientContext& context) { return AddFunctionGradient(context, node, scope_); };
  if (gradient == nullptr)
    return Unimplemented("No gradient defined for operation '", node->name(), "' (op type: ", node->op(), ")");
  const GraphBuilder builder = builder_.WithNamePrefix(node->name() + "_grad");
  GradientContext context(builder, node, std::move(outputs));
  if (Status status = gradient(context); !status.ok()) {
    return status.WithFrame(StrCat("in the gradient of node '", node->name(), "' (", node->op(), ")"));
  }
  HR_RETURN_IF_ERROR(builder_.status());
  std::vector<Gradient> inputs = context.TakeInputGradients();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Endpoint& input = node->input(static_cast<int>(i));
    if (inputs[i].exists() && IsBetween(input.node)) GradientsOf(input).push_back(inputs[i]);
  }
  return OkStatus();
}

Result<std::vector<Gradient>> Backward::Run(const std::vector<Endpoint>& grad_ys) {
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_.TopologicalOrder());
  FindBetween();
  gradients_.resize(between_.size());
  for (const Node* node : order) {
    if (IsBetween(node)) gradients_[static_cast<size_t>(node->id())].resize(static_cast<size_t>(node->num_outputs()));
  }
  HR_RETURN_IF_ERROR(Seed(grad_ys));
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    if (IsBetween(*node)) HR_RETURN_IF_ERROR(Visit(*node));
  }
  std::vector<Gradient> results;
  for (const Endpoint& x : xs_) results.push_back(IsBetween(x.node) ? Sum(x) : Gradient());
  HR_RETURN_IF_ERROR(builder_.status());
  return results;
}

}  // namespace

bool IsDifferentiable(DType type) {
  const DType value = RemoveRef(type);
  return IsFloating(value) || IsComplex(value) || value == DType::kResource || value == DType::kVariant;
}

bool StopsGradients(const Node& node) {
  return node.definition().gradient_function() == nullptr && !node.definition().no_gradient_reason().empty() &&
         !CallsFunctions(node);
}

Result<std::vector<Gradient>> AddGradientsInside(const GraphBuilder& builder, const std::vector<Endpoint>& ys,
                                                 const std::vector<Endpoint>& xs, const std::vector<Endpoint>& grad_ys,
                                                 const GradientScope& scope) {
  if (scope.depth > kMaxDepth) return InvalidArgument("Gradients: functions call each other over ", kMaxDepth, " deep");
  return Backward(builder, ys, xs, scope).Run(grad_ys);
}

Result<std::vector<Gradient>> AddGradients(const GraphBuilder& builder, const std::vector<Endpoint>& ys,
                                           const std::vector<Endpoint>& xs, const std::vector<Endpoint>& grad_ys,
                                           const std::vector<Endpoint>& stops) {
  HR_RETURN_IF_ERROR(builder.status());
  for (const Endpoint& y : ys) {
    if (!y) return InvalidArgument("Gradients: a y is empty");
  }
  for (const Endpoint& x : xs) {
    if (!x) return InvalidArgument("Gradients: an x is empty");
  }
  const GradientScope scope = {.name = FreeScopeName(builder)};
  return Backward(builder, ys, xs, scope, stops).Run(grad_ys);
}

}  // namespace headrace
