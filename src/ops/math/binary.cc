#include "ops/math/binary.h"

#include "graph/shape_context.h"

namespace headrace {

OpDefinition BinaryOp(std::string_view signature, std::vector<KernelDefinition> kernels, Partial by_x, Partial by_y) {
  GradientFunction gradient = [by_x, by_y](GradientContext& c) {
    const Formula x = InputFormula(c, 0), y = InputFormula(c, 1), z = OutputFormula(c), dz = OutputGradientFormula(c);
    if (by_x != nullptr) HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(by_x(x, y, z, dz), x)));
    if (by_y != nullptr) HR_RETURN_IF_ERROR(c.SetInputGradient(1, SumToShapeOf(by_y(x, y, z, dz), y)));
    return OkStatus();
  };
  return OpDefinition(signature).Shape(BroadcastBinaryShape).Gradient(std::move(gradient)).Kernels(std::move(kernels));
}

OpDefinition BinaryOp(std::string_view signature, std::vector<KernelDefinition> kernels, std::string_view no_gradient) {
  return OpDefinition(signature).Shape(BroadcastBinaryShape).NoGradient(no_gradient).Kernels(std::move(kernels));
}

}  // namespace headrace
