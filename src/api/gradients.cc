// See gradients.h.
#include "api/gradients.h"

#include "api/emit.h"
#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"

namespace headrace::api {

std::vector<Output> Gradients(const Input& y, const std::vector<Output>& xs) {
  const Scope& scope = y.output().scope();
  std::vector<Output> results(xs.size());
  if (!scope.valid()) return results;
  BuildAt(*Access::GraphOf(scope), y.where(), [&]() -> Status {
    HR_ASSIGN_OR_RETURN(const Endpoint target, ToEndpoint(scope, y, DType::kFloat));
    std::vector<Endpoint> sources;
    for (const Output& x : xs) {
      HR_ASSIGN_OR_RETURN(const Endpoint source, ToEndpoint(scope, x, DType::kFloat));
      sources.push_back(source);
    }
    const GraphBuilder& builder = Access::Builder(scope);
    HR_ASSIGN_OR_RETURN(const std::vector<Gradient> gradients, AddGradients(builder, {target}, sources));
    for (size_t i = 0; i < xs.size(); ++i) {
      const Endpoint dense = ToDense(builder.WithNamePrefix("gradients"), gradients[i]);
      if (dense) results[i] = Access::MakeOutput(scope, dense);
    }
    return OkStatus();
  });
  return results;
}

std::vector<Output> Gradients(const Input& y, const std::vector<Variable>& xs) {
  std::vector<Output> handles;
  for (const Variable& x : xs) handles.push_back(x.handle());
  return Gradients(y, handles);
}

}  // namespace headrace::api
