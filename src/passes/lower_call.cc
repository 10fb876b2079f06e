// See lower_call.h.
#include "passes/lower_call.h"

#include <algorithm>
#include <optional>

#include "graph/builder.h"
#include "graph/function_ops.h"
#include "graph/loop_frames.h"
#include "passes/inline_body.h"

namespace headrace {
namespace {

class CallLowering {
 public:
  CallLowering(Graph* graph, const Node& call, const std::vector<Node*>& gate)
      : graph_(graph),
        call_(call),
        gate_(gate),
        follows_inputs_(GraphBuilder(graph, &status_).WithNamePrefix(call.name())),
        builder_(follows_inputs_.WithDevice(call.requested_device())) {}

  Result<LoweredCall> Run() {
    HR_RETURN_IF_ERROR(status_);
    const std::string_view op = call_.op();
    Result<LoweredCall> lowered = op.ends_with("While")             ? Loop()
                                  : op.ends_with("PartitionedCall") ? Inlined()
                                                                    : Choice(op.ends_with("Case"));
    HR_RETURN_IF_ERROR(status_);
    return lowered;
  }

 private:
  struct Branch {
    FunctionBody body;
    Node* pivot;  // runs when the branch is taken
    InlinedBody inlined = {};
  };
  struct Variable {
    Endpoint enter;
    Node* merge = nullptr;  // null: it never changes
    Node* choice = nullptr;
    Node* exit = nullptr;
  };

  Result<LoweredCall> Inlined();
  Result<LoweredCall> Choice(bool is_case);
  Result<LoweredCall> Loop();

  Result<FunctionBody> Instantiate(const FunctionRef& function, size_t num_args, size_t num_results) const;
  BodyPlace PlaceFor(const std::string& name, std::vector<Node*> gate) const {
    return {.prefix = StrCat(call_.name(), "/", name),
            .device = call_.requested_device(),
            .arguments = {},
            .gating = {},
            .gate = std::move(gate),
            .repeats = false};
  }
  Status InlineBranch(const std::string& name, const std::vector<Node*>& operands, int side, Branch* branch);

  /// Handles, lists and datasets stay where they are.
  Node* Add(std::string_view op, const std::string& name, std::vector<Endpoint> inputs, AttrMap attrs = {},
            std::vector<Node*> controls = {}) {
    const bool follows = !inputs.empty() && inputs[0] && IsHandle(RemoveRef(inputs[0].dtype()));
    return (follows ? follows_inputs_ : builder_)
        .AddNode(op, std::move(inputs), std::move(attrs),
                 {.name = name, .device = "", .control_inputs = std::move(controls), .colocate_with = {}});
  }
  /// A scalar bool for what TensorFlow takes as a condition.
  Endpoint Condition(const Endpoint& value, const std::vector<Node*>& controls) {
    const bool is_bool = value.dtype() == DType::kBool && value.shape().has_rank() && value.shape().rank() == 0;
    return {Add(is_bool ? "Identity" : "ToBool", "pred", {value}, {}, controls), 0};
  }

  // Loops.
  void AddEnters(const FunctionBody& body);
  Result<InlinedBody> InlineCond(const FunctionBody& cond);
  Result<InlinedBody> InlineIteration(const FunctionBody& body, Node* pivot);
  Status CloseLoop(const InlinedBody& iteration, Node* pivot);
  LoweredCall EndLoop();
  std::string FrameName() const;

  Graph* const graph_;
  const Node& call_;
  const std::vector<Node*>& gate_;
  Status status_;
  const GraphBuilder follows_inputs_;
  const GraphBuilder builder_;
  std::vector<Variable> variables_;  // of the loop; a token behind them where none of them can drive it
  size_t driver_ = 0;                // the variable by which iterations come one after the other
};

Result<FunctionBody> CallLowering::Instantiate(const FunctionRef& function, size_t num_args, size_t num_results) const {
  HR_ASSIGN_OR_RETURN(FunctionBody body, InstantiateFunction(graph_->functions(), function));
  if (body.args.size() == num_args && body.results.size() == num_results) return body;
  return InvalidArgument("Function '", function.name, "' takes ", body.args.size(), " and returns ",
                         body.results.size(), " tensors; ", call_.ToString(), " wants ", num_args, " and ",
                         num_results);
}

Result<LoweredCall> CallLowering::Inlined() {
  FunctionRef function;
  HR_RETURN_IF_ERROR(call_.GetAttr("f", &function));
  HR_ASSIGN_OR_RETURN(const FunctionBody body,
                      Instantiate(function, call_.inputs().size(), call_.output_types().size()));
  LoweredCall lowered;
  if (!gate_.empty()) lowered.ends.push_back(Add("NoOp", "start", {}, {}, gate_));
  HR_RETURN_IF_ERROR(status_);
  BodyPlace place = PlaceFor("", lowered.ends);
  place.arguments = call_.inputs();
  place.gating.assign(call_.inputs().size(), gate_.empty());
  HR_ASSIGN_OR_RETURN(InlinedBody inlined, InlineBody(body, place, graph_));
  lowered.outputs = std::move(inlined.results);
  lowered.ends.insert(lowered.ends.end(), inlined.ends.begin(), inlined.ends.end());
  return lowered;
}

Status CallLowering::InlineBranch(const std::string& name, const std::vector<Node*>& operands, int side,
                                  Branch* branch) {
  BodyPlace place = PlaceFor(name + "/", {branch->pivot});
  for (Node* operand : operands) place.arguments.push_back(operand == nullptr ? Endpoint{} : Endpoint{operand, side});
  place.gating.assign(operands.size(), true);
  HR_ASSIGN_OR_RETURN(branch->inlined, InlineBody(branch->body, place, graph_));
  return OkStatus();
}

Result<LoweredCall> CallLowering::Choice(bool is_case) {
  std::vector<FunctionRef> functions(2);
  if (is_case) {
    HR_RETURN_IF_ERROR(call_.GetAttr("branches", &functions));
  } else {
    HR_RETURN_IF_ERROR(call_.GetAttr("else_branch", &functions[0]));
    HR_RETURN_IF_ERROR(call_.GetAttr("then_branch", &functions[1]));
  }
  const Endpoint selector =
      is_case ? Endpoint{Add("Identity", "index", {call_.input(0)}, {}, gate_), 0} : Condition(call_.input(0), gate_);
  const auto choose = [&](const std::string& name, const Endpoint& value) {
    if (!is_case) return Add("Switch", name, {value, selector});
    return Add("_SwitchN", name, {value, selector}, {{"num_outs", std::ssize(functions)}});
  };
  Node* const taken = choose("taken", selector);
  const size_t num_operands = call_.inputs().size() - 1;
  std::vector<Branch> branches;
  std::vector<Node*> operands(num_operands);
  for (const FunctionRef& function : functions) {
    const int side = static_cast<int>(std::ssize(branches));
    HR_ASSIGN_OR_RETURN(FunctionBody body, Instantiate(function, num_operands, call_.output_types().size()));
    const std::vector<std::vector<Consumer>> readers = body.graph.Consumers();
    for (size_t i = 0; i < num_operands; ++i) {
      if (operands[i] != nullptr || readers[static_cast<size_t>(body.args[i]->id())].empty()) continue;
      operands[i] = choose(StrCat("operand_", i), call_.input(static_cast<int>(i) + 1));
    }
    branches.push_back({std::move(body), Add("Identity", StrCat("taken_", side), {Endpoint{taken, side}})});
  }
  HR_RETURN_IF_ERROR(status_);
  bool has_ends = call_.num_outputs() == 0;
  for (size_t k = 0; k < branches.size(); ++k) {
    const std::string name = is_case ? StrCat("branch_", k) : k == 1 ? "then" : "else";
    HR_RETURN_IF_ERROR(InlineBranch(name, operands, static_cast<int>(k), &branches[k]));
    has_ends = has_ends || !branches[k].inlined.ends.empty();
  }
  LoweredCall lowered;
  std::vector<Endpoint> alternatives(branches.size());
  for (size_t i = 0; i < call_.output_types().size(); ++i) {
    std::ranges::transform(branches, alternatives.begin(), [i](const Branch& b) { return b.inlined.results[i]; });
    lowered.outputs.push_back({Add("Merge", StrCat("result_", i), alternatives), 0});
  }
  if (!has_ends) return lowered;
  std::ranges::transform(branches, alternatives.begin(), [this](const Branch& branch) -> Endpoint {
    return {Add("Identity", "done", {Endpoint{branch.pivot, 0}}, {}, branch.inlined.ends), 0};
  });
  lowered.ends.push_back(Add("Merge", "done", alternatives));
  return lowered;
}

// The argument that a body hands back as it is; -1: none.
int ArgumentBehind(const FunctionBody& body, const Node& result) {
  const Node* node = result.input(0).node;
  while (node->op() == "Identity" && node->control_inputs().empty()) node = node->input(0).node;
  return node->op() == "_Arg" ? static_cast<int>(std::ranges::find(body.args, node) - body.args.begin()) : -1;
}

std::string CallLowering::FrameName() const {
  const std::vector<Node*> nodes = graph_->Nodes();
  std::string name = call_.name() + "/frame";
  while (std::ranges::any_of(nodes, [&](const Node* node) {
    return IsEnter(*node) && GetAttrOr<std::string>(node->attrs(), "frame_name", "") == name;
  })) {
    name += '_';
  }
  return name;
}

void CallLowering::AddEnters(const FunctionBody& body) {
  const AttrMap frame = {{"frame_name", FrameName()},
                         {"parallel_iterations", GetAttrOr<int64_t>(call_.attrs(), "parallel_iterations", 10)}};
  std::optional<size_t> driver;
  for (size_t i = 0; i < call_.inputs().size(); ++i) {
    const bool changes = ArgumentBehind(body, *body.results[i]) != static_cast<int>(i);
    const Endpoint& input = call_.inputs()[i];
    AttrMap attrs = frame;
    attrs["is_constant"] = !changes;
    Variable variable{.enter = {Add("Enter", StrCat("enter_", i), {input}, std::move(attrs), gate_), 0}};
    if (changes) variable.merge = Add("Merge", StrCat("merge_", i), {variable.enter, Endpoint{}});
    if (variable.merge != nullptr)
      variable.merge->set_output_shapes({call_.output_shapes()[i], PartialShape::Scalar()});
    if (changes && !driver && !IsHandle(RemoveRef(input.dtype()))) driver = i;
    variables_.push_back(variable);
  }
  driver_ = driver.value_or(variables_.size());
  if (driver) return;
  Node* start = Add("Const", "token", {}, {{"value", Tensor::Scalar(false)}, {"dtype", DType::kBool}}, gate_);
  Variable token{.enter = {Add("Enter", "enter_token", {Endpoint{start, 0}}, frame), 0}};
  token.merge = Add("Merge", "merge_token", {token.enter, Endpoint{}});
  variables_.push_back(token);
}

Result<InlinedBody> CallLowering::InlineCond(const FunctionBody& cond) {
  BodyPlace place = PlaceFor("cond/", {variables_[driver_].merge});
  for (size_t i = 0; i < cond.args.size(); ++i) {
    const Variable& variable = variables_[i];
    place.arguments.push_back(variable.merge == nullptr ? variable.enter : Endpoint{variable.merge, 0});
    place.gating.push_back(variable.merge != nullptr);
  }
  return InlineBody(cond, place, graph_);
}

Result<InlinedBody> CallLowering::InlineIteration(const FunctionBody& body, Node* pivot) {
  BodyPlace place = PlaceFor("body/", {pivot});
  place.repeats = true;
  for (size_t i = 0; i < body.args.size(); ++i) {
    const Variable& variable = variables_[i];
    place.arguments.push_back(variable.merge == nullptr ? variable.enter : Endpoint{variable.choice, 1});
    place.gating.push_back(variable.merge != nullptr);
  }
  return InlineBody(body, place, graph_);
}

Status CallLowering::CloseLoop(const InlinedBody& iteration, Node* pivot) {
  std::vector<Node*> done;
  if (!iteration.ends.empty()) {
    std::vector<Node*> ends = iteration.ends;
    ends.push_back(pivot);
    done.push_back(Add("NoOp", "body/done", {}, {}, std::move(ends)));
  }
  for (size_t i = 0; i < variables_.size(); ++i) {
    const Variable& variable = variables_[i];
    if (variable.merge == nullptr) continue;
    Endpoint next = i < iteration.results.size() ? iteration.results[i] : Endpoint{variable.choice, 1};
    // What never changes is there in iterations that do not come, too.
    if (IsEnter(*next.node)) next = {Add("Identity", "body/result", {next}, {}, {pivot}), 0};
    Node* const back = Add("NextIteration", StrCat("next_", i), {next}, {}, done);
    HR_RETURN_IF_ERROR(status_);
    HR_RETURN_IF_ERROR(graph_->SetInput(variable.merge, 1, Endpoint{back, 0}));
  }
  return OkStatus();
}

LoweredCall CallLowering::EndLoop() {
  LoweredCall lowered;
  for (size_t i = 0; i < variables_.size(); ++i) {
    Variable& variable = variables_[i];
    if (variable.merge != nullptr) variable.exit = Add("Exit", StrCat("exit_", i), {Endpoint{variable.choice, 0}});
    if (i == call_.inputs().size()) continue;  // the token
    lowered.outputs.push_back(variable.merge == nullptr ? call_.input(static_cast<int>(i))
                                                        : Endpoint{variable.exit, 0});
  }
  if (driver_ == call_.inputs().size()) lowered.ends.push_back(variables_[driver_].exit);
  return lowered;
}

Result<LoweredCall> CallLowering::Loop() {
  FunctionRef cond_function, body_function;
  HR_RETURN_IF_ERROR(call_.GetAttr("cond", &cond_function));
  HR_RETURN_IF_ERROR(call_.GetAttr("body", &body_function));
  const size_t num_variables = call_.inputs().size();
  HR_ASSIGN_OR_RETURN(const FunctionBody cond, Instantiate(cond_function, num_variables, 1));
  HR_ASSIGN_OR_RETURN(const FunctionBody body, Instantiate(body_function, num_variables, num_variables));
  AddEnters(body);
  HR_RETURN_IF_ERROR(status_);
  HR_ASSIGN_OR_RETURN(const InlinedBody test, InlineCond(cond));
  const Endpoint condition = Condition(test.results[0], {});
  Node* const goes_on = Add("LoopCond", "goes_on", {condition}, {}, test.ends);
  for (size_t i = 0; i < variables_.size(); ++i) {
    Variable& variable = variables_[i];
    if (variable.merge == nullptr) continue;
    variable.choice = Add("Switch", StrCat("switch_", i), {Endpoint{variable.merge, 0}, Endpoint{goes_on, 0}});
  }
  HR_RETURN_IF_ERROR(status_);
  Node* const pivot = Add("Identity", "body/pivot", {Endpoint{variables_[driver_].choice, 1}});
  HR_RETURN_IF_ERROR(status_);
  HR_ASSIGN_OR_RETURN(const InlinedBody iteration, InlineIteration(body, pivot));
  HR_RETURN_IF_ERROR(CloseLoop(iteration, pivot));
  return EndLoop();
}

}  // namespace

Result<LoweredCall> LowerCall(Graph* graph, const Node& call, const std::vector<Node*>& gate) {
  return CallLowering(graph, call, gate).Run();
}

}  // namespace headrace
