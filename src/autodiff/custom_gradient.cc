#include "autodiff/custom_gradient.h"

#include <string>
#include <vector>

#include "autodiff/gradients.h"

namespace headrace {

namespace {

constexpr std::string_view kFunction = "_gradient_function";

}  // namespace

bool HasCustomGradient(const Node& node) { return node.op() == "IdentityN" && node.attrs().contains(kFunction); }

Status AddCustomGradient(GradientContext& context, const Node& node) {
  FunctionRef function;
  int64_t results = 0, captures = 0;
  HR_RETURN_IF_ERROR(node.GetAttr(kFunction, &function.name));
  HR_RETURN_IF_ERROR(node.GetAttr("_gradient_results", &results));
  HR_RETURN_IF_ERROR(node.GetAttr("_gradient_captures", &captures));
  if (results < 0 || results > captures || captures > node.num_inputs()) {
    return InvalidArgument("The custom gradient of node '", node.name(), "' does not fit its ", node.num_inputs(),
                           " inputs: ", results, " results, captures from ", captures);
  }
  std::vector<Endpoint> inputs;
  for (int i = 0; i < static_cast<int>(results); ++i) {
    const DType type = RemoveRef(node.input(i).dtype());
    if (IsFloating(type) || IsComplex(type)) inputs.push_back(context.output_gradient(i));
  }
  for (int i = static_cast<int>(captures); i < node.num_inputs(); ++i) inputs.push_back(node.input(i));
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
  for (int i = static_cast<int>(results); i < static_cast<int>(captures); ++i) {
    types.push_back(RemoveRef(node.input(i).dtype()));
    shapes.push_back(node.input(i).shape());
  }
  if (types.empty()) return context.builder().status();
  const auto found = context.builder().graph().functions().Find(function.name);
  if (found == nullptr) {
    return InvalidArgument("The custom gradient of node '", node.name(), "' is not there: ", function.name);
  }
  const std::string_view op = found->signature.stateful ? "StatefulPartitionedCall" : "PartitionedCall";
  Node* call = context.builder().AddNode(op, std::move(inputs), {{"Tout", types}, {"f", function}});
  if (call == nullptr) return context.builder().status();
  call->set_output_shapes(std::move(shapes));
  for (int i = 0; i < call->num_outputs(); ++i) {
    HR_RETURN_IF_ERROR(context.SetInputGradient(static_cast<int>(results) + i, Endpoint{call, i}));
  }
  return OkStatus();
}

}  // namespace headrace
