// The gradient of a call, of one function or of one of several: see function_gradient.h. What a branch hands to its gradient is
// returned by all branches, as a value that nobody uses where another branch was taken.
#include "autodiff/call_gradient.h"

#include <algorithm>

#include "autodiff/body_gradient.h"
#include "autodiff/gradients.h"
#include "graph/function_export.h"
#include "graph/shape_context.h"

namespace headrace {
namespace {

/// A branch after the split. `saved` are its own outputs for the gradient.
struct Branch {
  std::unique_ptr<BodyGradient> body;
  std::vector<Node*> input_args;  // of the backward graph, by the call's input; null where not used
  std::vector<Endpoint> saved;
  std::vector<Node*> saved_args;  // of the backward graph
};

class CallGradient {
 public:
  CallGradient(GradientContext& context, Node* node, const GradientScope& scope)
      : c_(context), graph_(context.builder().graph()), node_(node), scope_(scope) {}

  Status Build() {
    HR_RETURN_IF_ERROR(ReadCall());
    for (const FunctionRef& function : functions_) HR_RETURN_IF_ERROR(SplitBranch(function));
    HR_RETURN_IF_ERROR(ChangeCall());
    for (size_t i = 0; i < xs_.size(); ++i) {
      const bool exists =
          std::ranges::any_of(branches_, [i](const Branch& branch) { return bool(branch.body->gradients()[i]); });
      if (exists) with_gradient_.push_back(i);
    }
    if (with_gradient_.empty()) return OkStatus();
    return AddBackwardCall();
  }

 private:
  Status ReadCall();
  Status SplitBranch(const FunctionRef& function);
  Status ChangeCall();
  Status AddBackwardCall();
  Result<FunctionRef> BackwardFunction(size_t index);
  DType GradientType(size_t x) const;
  size_t num_saved() const {
    size_t number = 0;
    for (const Branch& branch : branches_) number += branch.saved.size();
    return number;
  }
  Endpoint CallInput(size_t i) const { return node_->input(first_input_ + static_cast<int>(i)); }
  /// The attributes of the call, or its gradient, with these functions.
  void SetFunctions(const std::vector<FunctionRef>& functions, AttrMap* attrs) const;

  GradientContext& c_;
  Graph& graph_;
  Node* const node_;
  const GradientScope& scope_;
  int first_input_ = 0;
  std::vector<FunctionRef> functions_;
  std::vector<PartialShape> input_shapes_;
  std::vector<size_t> ys_;
  std::vector<size_t> xs_;
  std::vector<size_t> with_gradient_;  // in xs_
  std::vector<Branch> branches_;
  size_t num_outputs_ = 0;  // before the change
  std::string name_;        // of the first function, for those made from it
};

Status CallGradient::ReadCall() {
  const std::string& op = node_->op();
  if (op.ends_with("Call")) {
    HR_RETURN_IF_ERROR(node_->GetAttr("f", &functions_.emplace_back()));
  } else if (op.ends_with("If")) {
    HR_RETURN_IF_ERROR(node_->GetAttr("then_branch", &functions_.emplace_back()));
    HR_RETURN_IF_ERROR(node_->GetAttr("else_branch", &functions_.emplace_back()));
  } else {
    HR_RETURN_IF_ERROR(node_->GetAttr("branches", &functions_));
  }
  first_input_ = op.ends_with("Call") ? 0 : 1;
  num_outputs_ = static_cast<size_t>(node_->num_outputs());
  for (int i = first_input_; i < node_->num_inputs(); ++i) {
    if (IsDifferentiable(node_->input(i).dtype())) xs_.push_back(input_shapes_.size());
    input_shapes_.push_back(node_->input(i).shape());
  }
  for (size_t i = 0; i < num_outputs_; ++i) {
    if (c_.has_output_gradient(static_cast<int>(i)) && IsDifferentiable(node_->output_types()[i])) ys_.push_back(i);
  }
  return OkStatus();
}

Status CallGradient::SplitBranch(const FunctionRef& function) {
  HR_ASSIGN_OR_RETURN(BodyGradient made, BodyGradient::Make(graph_, function, input_shapes_));
  Branch branch;
  branch.body = std::make_unique<BodyGradient>(std::move(made));
  branch.input_args.resize(input_shapes_.size(), nullptr);
  HR_RETURN_IF_ERROR(branch.body->Differentiate(ys_, xs_, scope_.Inner()));
  const auto capture = [&branch](const GraphBuilder& backward, Endpoint source) -> Endpoint {
    const std::vector<Node*>& args = branch.body->args();
    const auto arg = std::ranges::find(args, source.node);
    if (arg != args.end()) {
      Node*& input = branch.input_args[static_cast<size_t>(arg - args.begin())];
      input = AddArgument(backward, StrCat("input_", arg - args.begin()), source.dtype(), source.shape());
      return {input, 0};
    }
    const size_t index = branch.saved.size();
    branch.saved.push_back(source);
    branch.saved_args.push_back(AddArgument(backward, StrCat("saved_", index), source.dtype(), source.shape()));
    return {branch.saved_args.back(), 0};
  };
  HR_RETURN_IF_ERROR(branch.body->Split(&graph_, capture));
  branches_.push_back(std::move(branch));
  return OkStatus();
}

void CallGradient::SetFunctions(const std::vector<FunctionRef>& functions, AttrMap* attrs) const {
  if (first_input_ == 0) {
    (*attrs)["f"] = functions[0];
  } else if (node_->op().ends_with("If")) {
    (*attrs)["then_branch"] = functions[0];
    (*attrs)["else_branch"] = functions[1];
  } else {
    (*attrs)["branches"] = functions;
  }
}

// The call gets an output for each value that some branch saves.
Status CallGradient::ChangeCall() {
  if (num_saved() == 0) return OkStatus();
  std::vector<FunctionRef> functions;
  AttrMap attrs = node_->attrs();
  auto types = GetAttrOr<std::vector<DType>>(attrs, "Tout", {});
  auto shapes = GetAttrOr<std::vector<PartialShape>>(attrs, "output_shapes", {});
  for (const Branch& branch : branches_) {
    for (const Endpoint& saved : branch.saved) {
      types.push_back(RemoveRef(saved.dtype()));
      if (!shapes.empty()) shapes.push_back(branches_.size() == 1 ? saved.shape() : PartialShape());
    }
  }
  for (size_t i = 0; i < branches_.size(); ++i) {
    std::vector<Endpoint> results = branches_[i].body->results();
    for (size_t other = 0; other < branches_.size(); ++other) {
      for (const Endpoint& saved : branches_[other].saved) {
        results.push_back(other == i
                              ? saved
                              : branches_[i].body->forward_builder().Op(
                                    "FakeParam", {}, {{"dtype", RemoveRef(saved.dtype())}, {"shape", PartialShape()}}));
      }
    }
    HR_RETURN_IF_ERROR(branches_[i].body->forward_builder().status());
    HR_ASSIGN_OR_RETURN(functions.emplace_back(),
                        AddFunction(&graph_.functions(), branches_[i].body->forward(),
                                    StrCat(functions_[i].name, "_forward"), branches_[i].body->args(), results));
  }
  SetFunctions(functions, &attrs);
  attrs["Tout"] = types;
  if (!shapes.empty()) attrs["output_shapes"] = shapes;
  HR_RETURN_IF_ERROR(graph_.ChangeNode(node_, std::move(attrs), node_->inputs()));
  return InferShapes(node_);
}

DType CallGradient::GradientType(size_t x) const {
  for (const Branch& branch : branches_) {
    if (branch.body->gradients()[x]) return RemoveRef(branch.body->gradients()[x].dtype());
  }
  return DType::kInvalid;
}

/// Arguments: the gradients of the outputs, the call's inputs, what all branches saved.
Result<FunctionRef> CallGradient::BackwardFunction(size_t index) {
  Branch& branch = branches_[index];
  const GraphBuilder& builder = branch.body->backward_builder();
  std::vector<Endpoint> results;
  std::vector<Node*> args = branch.body->gradient_args();
  for (size_t i = 0; i < input_shapes_.size(); ++i) {
    Node*& input = branch.input_args[i];
    if (input == nullptr) input = AddArgument(builder, StrCat("input_", i), CallInput(i).dtype(), input_shapes_[i]);
    args.push_back(input);
  }
  for (size_t other = 0; other < branches_.size(); ++other) {
    for (size_t i = 0; i < branches_[other].saved.size(); ++i) {
      args.push_back(other == index ? branch.saved_args[i]
                                    : AddArgument(builder, StrCat("unused_", other, "_", i),
                                                  branches_[other].saved[i].dtype(), PartialShape()));
    }
  }
  HR_RETURN_IF_ERROR(builder.status());
  for (const size_t x : with_gradient_) {
    const Endpoint gradient = branch.body->gradients()[x];
    results.push_back(gradient ? gradient : ZeroGradient(builder, {branch.input_args[xs_[x]], 0}, GradientType(x)));
  }
  HR_RETURN_IF_ERROR(builder.status());
  return AddFunction(&graph_.functions(), branch.body->backward(), StrCat(functions_[index].name, "_backward"), args,
                     results);
}

Status CallGradient::AddBackwardCall() {
  std::vector<FunctionRef> functions;
  std::vector<DType> types;
  bool has_state = false;
  for (size_t i = 0; i < branches_.size(); ++i) {
    HR_ASSIGN_OR_RETURN(functions.emplace_back(), BackwardFunction(i));
    has_state = has_state || graph_.functions().Find(functions.back().name)->signature.stateful;
  }
  for (const size_t x : with_gradient_) types.push_back(GradientType(x));
  std::vector<Endpoint> inputs;
  if (first_input_ == 1) inputs.push_back(node_->input(0));
  for (const size_t y : ys_) inputs.push_back(c_.output_gradient(static_cast<int>(y)));
  for (size_t i = 0; i < input_shapes_.size(); ++i) inputs.push_back(CallInput(i));
  for (size_t i = 0; i < num_saved(); ++i) inputs.push_back({node_, static_cast<int>(num_outputs_ + i)});
  AttrMap attrs = {{"Tout", types}};
  SetFunctions(functions, &attrs);
  const std::string kind = first_input_ == 0 ? "PartitionedCall" : node_->op().ends_with("If") ? "If" : "Case";
  const std::string op =
      first_input_ == 0 ? (has_state ? "StatefulPartitionedCall" : kind) : (has_state ? kind : "Stateless" + kind);
  Node* gradient = c_.builder().AddNode(op, std::move(inputs), std::move(attrs));
  if (gradient == nullptr) return c_.builder().status();
  std::vector<PartialShape> shapes;
  for (size_t i = 0; i < with_gradient_.size(); ++i) {
    const size_t input = xs_[with_gradient_[i]];
    const bool is_handle = RemoveRef(CallInput(input).dtype()) == DType::kResource;
    shapes.push_back(is_handle ? PartialShape() : input_shapes_[input]);
    HR_RETURN_IF_ERROR(
        c_.SetInputGradient(first_input_ + static_cast<int>(input), Endpoint{gradient, static_cast<int>(i)}));
  }
  if (first_input_ == 1) gradient->mutable_attrs()["output_shapes"] = shapes;
  gradient->set_output_shapes(std::move(shapes));
  return OkStatus();
}

}  // namespace

Status AddCallGradient(GradientContext& context, Node* node, const GradientScope& scope) {
  return CallGradient(context, node, scope).Build();
}

}  // namespace headrace
