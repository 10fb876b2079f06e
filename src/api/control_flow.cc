// See control_flow.h.
#include "api/control_flow.h"

#include "api/emit.h"
#include "api/trace.h"

namespace headrace::api::internal {
namespace {

std::vector<DType> TypesOf(const std::vector<Output>& outputs) {
  std::vector<DType> types;
  for (const Output& output : outputs) types.push_back(output.dtype());
  return types;
}

std::vector<PartialShape> ShapesOf(const std::vector<Output>& outputs) {
  std::vector<PartialShape> shapes;
  for (const Output& output : outputs) shapes.push_back(output.shape());
  return shapes;
}

// What is known where either shape may come.
PartialShape Either(const PartialShape& a, const PartialShape& b) {
  if (!a.has_rank() || a.rank() != b.rank()) return PartialShape();
  PartialShape common = a;
  for (int i = 0; i < a.rank(); ++i) {
    if (a.dim(i) != b.dim(i)) common.SetDim(i, PartialShape::kUnknownDim);
  }
  return common;
}

Status CheckOutputs(std::string_view what, const std::vector<Output>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].valid()) return InvalidArgument(what, ": number ", i, " is empty");
  }
  return OkStatus();
}

std::vector<Input> Inputs(const std::vector<Output>& first, const std::vector<Output>& captures,
                          const std::source_location& where) {
  std::vector<Input> inputs;
  for (const Output& output : first) inputs.emplace_back(output, where);
  for (const Output& output : captures) inputs.emplace_back(output, where);
  return inputs;
}

// An op with the functions that it calls, ready to be added.
struct CallingOp {
  std::string op;
  AttrMap attrs;
  std::vector<Output> captures;
};

Result<CallingOp> TraceCond(const std::shared_ptr<GraphState>& graph, const std::vector<Output>& operands,
                            const data::ElementFunction& then_function, const data::ElementFunction& else_function) {
  HR_RETURN_IF_ERROR(CheckOutputs("Cond: the operands", operands));
  const std::vector<DType> types = TypesOf(operands);
  const std::vector<PartialShape> shapes = ShapesOf(operands);
  HR_ASSIGN_OR_RETURN(FunctionTrace then_trace, FunctionTrace::Run(graph, types, shapes, then_function));
  HR_ASSIGN_OR_RETURN(FunctionTrace else_trace, FunctionTrace::Run(graph, types, shapes, else_function));
  if (then_trace.result_types() != else_trace.result_types()) {
    return InvalidArgument("Cond: the branches return different types: (", StrJoin(then_trace.result_types(), ", "),
                           ") and (", StrJoin(else_trace.result_types(), ", "), ")");
  }
  CallingOp calling{.op = then_trace.has_state() || else_trace.has_state() ? "If" : "StatelessIf",
                    .attrs = {{"Tout", then_trace.result_types()}},
                    .captures = UnionOfCaptures({&then_trace, &else_trace})};
  std::vector<PartialShape> output_shapes = then_trace.result_shapes();
  for (size_t i = 0; i < output_shapes.size(); ++i) {
    output_shapes[i] = Either(output_shapes[i], else_trace.result_shapes()[i]);
  }
  calling.attrs["output_shapes"] = std::move(output_shapes);
  HR_RETURN_IF_ERROR(then_trace.SetCaptures(calling.captures));
  HR_RETURN_IF_ERROR(else_trace.SetCaptures(calling.captures));
  HR_ASSIGN_OR_RETURN(calling.attrs["then_branch"], then_trace.AddToLibrary("cond_true_"));
  HR_ASSIGN_OR_RETURN(calling.attrs["else_branch"], else_trace.AddToLibrary("cond_false_"));
  return calling;
}

Status CheckLoop(const FunctionTrace& cond, const FunctionTrace& body, const std::vector<DType>& types,
                 const std::vector<PartialShape>& shapes) {
  if (cond.results().size() != 1 || cond.result_types()[0] != DType::kBool) {
    return InvalidArgument("WhileLoop: cond has to return one bool, it returns (", StrJoin(cond.result_types(), ", "),
                           ")");
  }
  if (body.result_types() != types) {
    return InvalidArgument("WhileLoop: the body returns other types than the variables have: (",
                           StrJoin(body.result_types(), ", "), ") and (", StrJoin(types, ", "), ")");
  }
  const std::vector<PartialShape> results = body.result_shapes();
  for (size_t i = 0; i < shapes.size(); ++i) {
    const PartialShape& after = results[i];
    if (Either(shapes[i], after) == shapes[i]) continue;
    return InvalidArgument("WhileLoop: variable ", i, " has the shape ", shapes[i], ", and ", after,
                           " after an iteration: give shape_invariants that hold for both");
  }
  return OkStatus();
}

Result<CallingOp> TraceLoop(const std::shared_ptr<GraphState>& graph, const std::vector<Output>& variables,
                            const data::ElementFunction& cond, const data::ElementFunction& body,
                            const WhileLoopOptions& options) {
  HR_RETURN_IF_ERROR(CheckOutputs("WhileLoop: the variables", variables));
  const std::vector<DType> types = TypesOf(variables);
  std::vector<PartialShape> shapes = options.shape_invariants.empty() ? ShapesOf(variables) : options.shape_invariants;
  if (shapes.size() != types.size()) {
    return InvalidArgument("WhileLoop: ", shapes.size(), " shape_invariants for ", types.size(), " variables");
  }
  HR_ASSIGN_OR_RETURN(FunctionTrace cond_trace, FunctionTrace::Run(graph, types, shapes, cond));
  HR_ASSIGN_OR_RETURN(FunctionTrace body_trace, FunctionTrace::Run(graph, types, shapes, body));
  HR_RETURN_IF_ERROR(CheckLoop(cond_trace, body_trace, types, shapes));
  CallingOp calling{.op = cond_trace.has_state() || body_trace.has_state() ? "While" : "StatelessWhile",
                    .attrs = {},
                    .captures = UnionOfCaptures({&cond_trace, &body_trace})};
  HR_RETURN_IF_ERROR(cond_trace.SetCaptures(calling.captures));
  HR_RETURN_IF_ERROR(body_trace.SetCaptures(calling.captures));
  body_trace.ReturnCaptures();
  for (const Output& capture : calling.captures) shapes.push_back(capture.shape());
  calling.attrs["output_shapes"] = std::move(shapes);
  HR_ASSIGN_OR_RETURN(calling.attrs["cond"], cond_trace.AddToLibrary("while_cond_"));
  HR_ASSIGN_OR_RETURN(calling.attrs["body"], body_trace.AddToLibrary("while_body_"));
  return calling;
}

}  // namespace

std::vector<Output> CondOf(const Input& pred, const std::vector<Output>& operands,
                           const data::ElementFunction& then_function, const data::ElementFunction& else_function) {
  const Scope& scope = pred.output().valid() || operands.empty() ? pred.output().scope() : operands[0].scope();
  if (!scope.valid()) return {};
  CallingOp calling;
  BuildAt(*Access::GraphOf(scope), pred.where(), [&]() -> Status {
    HR_ASSIGN_OR_RETURN(calling, TraceCond(Access::GraphOf(scope), operands, then_function, else_function));
    return OkStatus();
  });
  std::vector<Input> inputs = Inputs(operands, calling.captures, pred.where());
  inputs.insert(inputs.begin(), pred);
  return EmitAll(calling.op, inputs, std::move(calling.attrs));
}

std::vector<Output> LoopOf(const std::vector<Output>& variables, const data::ElementFunction& cond,
                           const data::ElementFunction& body, const WhileLoopOptions& options,
                           const std::source_location& where) {
  if (variables.empty() || !variables[0].scope().valid()) return {};
  const Scope& scope = variables[0].scope();
  CallingOp calling;
  BuildAt(*Access::GraphOf(scope), where, [&]() -> Status {
    HR_ASSIGN_OR_RETURN(calling, TraceLoop(Access::GraphOf(scope), variables, cond, body, options));
    return OkStatus();
  });
  std::vector<Output> outputs =
      EmitAll(calling.op, Inputs(variables, calling.captures, where), std::move(calling.attrs));
  if (outputs.size() > variables.size()) outputs.resize(variables.size());
  return outputs;
}

}  // namespace headrace::api::internal
