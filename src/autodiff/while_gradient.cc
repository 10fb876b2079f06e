// The gradient of a loop. The forward loop counts its iterations and pushes what the gradient needs of each onto lists; the backward
// loop runs as often, pops them, and carries
//   - the gradients of the loop's variables, from those after an iteration to those before it, and
//   - for each input that the body does not change (a captured weight, a variable's handle), the sum of its gradients so far.
// Constants and unchanged inputs are not pushed: the backward loop takes them as they are.
#include <algorithm>
#include <memory>

#include "autodiff/body_gradient.h"
#include "autodiff/call_gradient.h"
#include "autodiff/gradients.h"
#include "graph/function_export.h"
#include "graph/shape_context.h"

namespace headrace {
namespace {

class WhileGradient {
 public:
  WhileGradient(GradientContext& context, Node* node, const GradientScope& scope)
      : c_(context),
        graph_(context.builder().graph()),
        node_(node),
        scope_(scope),
        num_variables_(static_cast<size_t>(node->num_inputs())) {}

  Status Build() {
    HR_RETURN_IF_ERROR(ReadLoop());
    if (ys_.empty()) return OkStatus();
    HR_RETURN_IF_ERROR(SplitBody());
    HR_RETURN_IF_ERROR(ChangeLoop());
    return AddBackwardLoop();
  }

 private:
  /// A value that the forward body pushes in each iteration and the backward body pops.
  struct Saved {
    Endpoint source;       // in the forward body
    Node* list_arg;        // of the backward body
    Endpoint popped_list;  // in the backward body
  };

  Status ReadLoop();
  void CollectVariables();
  Status SplitBody();
  Endpoint CaptureFor(const GraphBuilder& backward, Endpoint source);
  Status ChangeLoop();
  Result<FunctionRef> ForwardCond(const FunctionRef& cond) const;
  Result<FunctionRef> ForwardBody();
  Status AddBackwardLoop();
  Result<FunctionRef> BackwardCond(const std::vector<Endpoint>& variables);
  Result<FunctionRef> BackwardBody();

  bool IsUnchanged(size_t i) const {
    Endpoint result = body_->results()[i];
    while (result.node->op() == "Identity") result = result.node->input(0);
    return result.node == body_->args()[i];
  }
  /// Where nodes stand that the forward loop needs: beside it, and waiting for nothing.
  GraphBuilder BesideLoop() const {
    return c_.builder().AtRoot().WithNamePrefix(node_->name() + "_saved").WithDevice(node_->requested_device());
  }

  GradientContext& c_;
  Graph& graph_;
  Node* const node_;
  const GradientScope& scope_;
  const size_t num_variables_;
  FunctionRef body_function_;
  std::vector<PartialShape> shapes_;  // of the variables, in all iterations
  std::unique_ptr<BodyGradient> body_;
  std::vector<size_t> ys_;    // variables that have a gradient and change
  std::vector<size_t> xs_;    // ys_, and the unchanged ones that may have a gradient
  std::vector<size_t> sums_;  // unchanged ones that have a gradient: positions in xs_

  std::vector<Saved> saved_;
  std::vector<Node*> unchanged_args_;  // of the backward body, by variable; null where not used
};

Status WhileGradient::ReadLoop() {
  HR_RETURN_IF_ERROR(node_->GetAttr("body", &body_function_));
  shapes_ = GetAttrOr<std::vector<PartialShape>>(node_->attrs(), "output_shapes", {});
  shapes_.resize(num_variables_);
  for (size_t i = 0; i < num_variables_; ++i) {
    if (RemoveRef(node_->output_types()[i]) == DType::kVariant) shapes_[i] = PartialShape::Scalar();
  }
  HR_ASSIGN_OR_RETURN(BodyGradient made, BodyGradient::Make(graph_, body_function_, shapes_));
  body_ = std::make_unique<BodyGradient>(std::move(made));
  if (body_->results().size() != num_variables_) {
    return InvalidArgument("The loop has ", num_variables_, " variables, its body returns ", body_->results().size());
  }
  CollectVariables();
  return OkStatus();
}

// The changing variables whose gradient is not none: those that have one after the loop, and all that these are computed from.
void WhileGradient::CollectVariables() {
  std::vector<bool> takes_part(num_variables_, false);
  std::vector<size_t> pending;
  const auto add = [&](size_t i) {
    if (takes_part[i] || !IsDifferentiable(node_->output_types()[i])) return;
    takes_part[i] = true;
    if (!IsUnchanged(i)) pending.push_back(i);
  };
  for (size_t i = 0; i < num_variables_; ++i) {
    if (c_.has_output_gradient(static_cast<int>(i))) add(i);
  }
  while (!pending.empty()) {
    const size_t variable = pending.back();
    pending.pop_back();
    const std::vector<bool> reached = body_->ReachedFrom(variable);
    for (size_t i = 0; i < num_variables_; ++i) {
      if (reached[i]) add(i);
    }
  }
  for (size_t i = 0; i < num_variables_; ++i) {
    const bool is_handle = RemoveRef(node_->output_types()[i]) == DType::kResource;
    if (takes_part[i] && !IsUnchanged(i) && !is_handle) ys_.push_back(i);
    if (takes_part[i] && (IsUnchanged(i) || !is_handle)) xs_.push_back(i);
    // What the loop passes on as it is has at least the gradient that arrives.
    if (takes_part[i] && IsUnchanged(i) && c_.has_output_gradient(static_cast<int>(i))) {
      (void)c_.SetInputGradient(static_cast<int>(i), c_.raw_output_gradient(static_cast<int>(i)));
    }
  }
}

Status WhileGradient::SplitBody() {
  HR_RETURN_IF_ERROR(body_->Differentiate(ys_, xs_, scope_.Inner()));
  unchanged_args_.resize(num_variables_, nullptr);
  HR_RETURN_IF_ERROR(body_->Split(
      &graph_, [this](const GraphBuilder& backward, Endpoint source) { return CaptureFor(backward, source); }));
  for (size_t x = 0; x < xs_.size(); ++x) {
    if (IsUnchanged(xs_[x]) && body_->gradients()[x]) sums_.push_back(x);
  }
  return OkStatus();
}

Endpoint WhileGradient::CaptureFor(const GraphBuilder& backward, Endpoint source) {
  const std::vector<Node*>& args = body_->args();
  const auto arg = std::ranges::find(args, source.node);
  const DType type = RemoveRef(source.dtype());
  if (arg != args.end() && IsUnchanged(static_cast<size_t>(arg - args.begin()))) {
    Node*& unchanged = unchanged_args_[static_cast<size_t>(arg - args.begin())];
    unchanged = AddArgument(backward, StrCat("unchanged_", arg - args.begin()), type, source.shape());
    return {unchanged, 0};
  }
  Saved saved{.source = source, .list_arg = nullptr, .popped_list = {}};
  saved.list_arg = AddArgument(backward, StrCat("list_", saved_.size()), DType::kVariant, PartialShape::Scalar());
  const AttrMap attrs = {{"element_dtype", type}};
  Node* pop = backward.AddNode("TensorListPopBack", {Endpoint{saved.list_arg, 0}, backward.Scalar<int32_t>(-1)}, attrs);
  if (pop == nullptr) return {};
  pop->set_output_shapes({PartialShape::Scalar(), source.shape()});
  saved.popped_list = {pop, 0};
  saved_.push_back(std::move(saved));
  return {pop, 1};
}

// The loop gets further variables: a count of iterations and the lists.
Status WhileGradient::ChangeLoop() {
  FunctionRef cond;
  HR_RETURN_IF_ERROR(node_->GetAttr("cond", &cond));
  const GraphBuilder builder = BesideLoop();
  std::vector<Endpoint> inputs = node_->inputs();
  std::vector<DType> types;
  for (size_t i = 0; i < num_variables_; ++i) types.push_back(RemoveRef(node_->output_types()[i]));
  inputs.push_back(builder.Scalar<int32_t>(0));
  types.push_back(DType::kInt32);
  for (const Saved& saved : saved_) {
    const Endpoint unknown = builder.Scalar<int32_t>(-1);
    inputs.push_back(
        builder.Op("EmptyTensorList", {unknown, unknown}, {{"element_dtype", RemoveRef(saved.source.dtype())}}));
    types.push_back(DType::kVariant);
  }
  HR_RETURN_IF_ERROR(builder.status());
  AttrMap attrs = node_->attrs();
  HR_ASSIGN_OR_RETURN(attrs["cond"], ForwardCond(cond));
  HR_ASSIGN_OR_RETURN(attrs["body"], ForwardBody());
  attrs["T"] = types;
  if (!GetAttrOr<std::vector<PartialShape>>(attrs, "output_shapes", {}).empty()) {
    std::vector<PartialShape> shapes = shapes_;
    shapes.resize(types.size(), PartialShape::Scalar());
    attrs["output_shapes"] = std::move(shapes);
  }
  HR_RETURN_IF_ERROR(graph_.ChangeNode(node_, std::move(attrs), std::move(inputs)));
  return InferShapes(node_);
}

/// The same, with arguments for the new variables that it does not look at.
Result<FunctionRef> WhileGradient::ForwardCond(const FunctionRef& cond) const {
  const std::shared_ptr<const FunctionDef> before = graph_.functions().Find(cond.name);
  if (before == nullptr) return NotFound("Function ", cond.name, " is not defined.");
  FunctionDef function = *before;
  function.signature.name = FreeFunctionName(graph_.functions(), cond.name + "_forward");
  for (size_t i = 0; i <= saved_.size(); ++i) {
    ArgSignature arg;
    arg.name = StrCat("unused_saved_", function.signature.inputs.size());
    arg.type = i == 0 ? DType::kInt32 : DType::kVariant;
    function.signature.inputs.push_back(std::move(arg));
  }
  FunctionRef changed{.name = function.signature.name, .attrs = cond.attrs};
  HR_RETURN_IF_ERROR(graph_.functions().Add(std::move(function)));
  return changed;
}

Result<FunctionRef> WhileGradient::ForwardBody() {
  const GraphBuilder& builder = body_->forward_builder();
  std::vector<Node*> args = body_->args();
  std::vector<Endpoint> results = body_->results();
  args.push_back(AddArgument(builder, "count", DType::kInt32, PartialShape::Scalar()));
  results.push_back(builder.Op("AddV2", {Endpoint{args.back(), 0}, builder.Scalar<int32_t>(1)}));
  for (const Saved& saved : saved_) {
    args.push_back(AddArgument(builder, "saved", DType::kVariant, PartialShape::Scalar()));
    results.push_back(builder.Op("TensorListPushBack", {Endpoint{args.back(), 0}, saved.source}));
  }
  HR_RETURN_IF_ERROR(builder.status());
  return AddFunction(&graph_.functions(), body_->forward(), body_function_.name + "_forward", args, results);
}

Status WhileGradient::AddBackwardLoop() {
  const GraphBuilder& builder = c_.builder();
  std::vector<Endpoint> variables = {Endpoint{node_, static_cast<int>(num_variables_)}};
  std::vector<PartialShape> shapes = {PartialShape::Scalar()};
  for (const size_t y : ys_) {
    variables.push_back(c_.output_gradient(static_cast<int>(y)));
    shapes.push_back(shapes_[y]);
  }
  for (const size_t x : sums_) {
    const auto input = static_cast<int>(xs_[x]);
    const bool is_handle = RemoveRef(node_->input(input).dtype()) == DType::kResource;
    variables.push_back(c_.has_output_gradient(input)
                            ? c_.output_gradient(input)
                            : ZeroGradient(builder, node_->input(input), body_->gradients()[x].dtype()));
    shapes.push_back(is_handle ? PartialShape() : node_->input(input).shape());
  }
  for (size_t i = 0; i < saved_.size(); ++i) {
    variables.push_back({node_, static_cast<int>(num_variables_ + 1 + i)});
    shapes.push_back(PartialShape::Scalar());
  }
  for (size_t i = 0; i < num_variables_; ++i) {
    if (unchanged_args_[i] == nullptr) continue;
    variables.push_back(node_->input(static_cast<int>(i)));
    shapes.push_back(node_->input(static_cast<int>(i)).shape());
  }
  HR_RETURN_IF_ERROR(builder.status());
  AttrMap attrs = {{"output_shapes", shapes}};
  HR_ASSIGN_OR_RETURN(const FunctionRef body, BackwardBody());
  HR_ASSIGN_OR_RETURN(attrs["cond"], BackwardCond(variables));
  attrs["body"] = body;
  const bool has_state = graph_.functions().Find(body.name)->signature.stateful;
  Node* loop = builder.AddNode(has_state ? "While" : "StatelessWhile", std::move(variables), std::move(attrs));
  if (loop == nullptr) return builder.status();
  int output = 1;
  for (const size_t y : ys_) HR_RETURN_IF_ERROR(c_.SetInputGradient(static_cast<int>(y), Endpoint{loop, output++}));
  for (const size_t x : sums_) {
    HR_RETURN_IF_ERROR(c_.SetInputGradient(static_cast<int>(xs_[x]), Endpoint{loop, output++}));
  }
  return OkStatus();
}

Result<FunctionRef> WhileGradient::BackwardCond(const std::vector<Endpoint>& variables) {
  Graph graph;
  Status status;
  const GraphBuilder builder(&graph, &status);
  std::vector<Node*> args;
  for (const Endpoint& variable : variables) {
    args.push_back(AddArgument(builder, "variable", variable.dtype(), PartialShape()));
  }
  const Endpoint goes_on = builder.Op("Greater", {Endpoint{args[0], 0}, builder.Scalar<int32_t>(0)});
  HR_RETURN_IF_ERROR(status);
  return AddFunction(&graph_.functions(), graph, body_function_.name + "_backward_cond", args, {goes_on});
}

Result<FunctionRef> WhileGradient::BackwardBody() {
  const GraphBuilder& builder = body_->backward_builder();
  std::vector<Node*> args = {AddArgument(builder, "count", DType::kInt32, PartialShape::Scalar())};
  HR_RETURN_IF_ERROR(builder.status());
  std::vector<Endpoint> results = {builder.Op("Sub", {Endpoint{args[0], 0}, builder.Scalar<int32_t>(1)})};
  for (size_t i = 0; i < ys_.size(); ++i) {
    args.push_back(body_->gradient_args()[i]);
    const auto x = static_cast<size_t>(std::ranges::find(xs_, ys_[i]) - xs_.begin());
    const Endpoint gradient = body_->gradients()[x];
    results.push_back(gradient ? gradient : builder.Op("ZerosLike", {Endpoint{args.back(), 0}}));
  }
  for (const size_t x : sums_) {
    const Endpoint gradient = body_->gradients()[x];
    args.push_back(AddArgument(builder, StrCat("sum_", xs_[x]), gradient.dtype(), gradient.shape()));
    results.push_back(builder.Op("AddN", {Endpoint{args.back(), 0}, gradient}));
  }
  for (const Saved& saved : saved_) {
    args.push_back(saved.list_arg);
    results.push_back(saved.popped_list);
  }
  for (Node* unchanged : unchanged_args_) {
    if (unchanged == nullptr) continue;
    args.push_back(unchanged);
    results.push_back({unchanged, 0});
  }
  HR_RETURN_IF_ERROR(builder.status());
  return AddFunction(&graph_.functions(), body_->backward(), body_function_.name + "_backward", args, results);
}

}  // namespace

Status AddWhileGradient(GradientContext& context, Node* node, const GradientScope& scope) {
  return WhileGradient(context, node, scope).Build();
}

}  // namespace headrace
