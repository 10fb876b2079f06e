// OneHot: a new axis of `depth` elements, `on_value` where the index points to, `off_value` elsewhere; an index out of range points
// nowhere. Source: TensorFlow's op `OneHot`.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Result<int> NewAxis(int64_t axis, int rank) {
  if (axis < -1 || axis > rank)
    return InvalidArgument("Expected axis to be -1 or between [0, ", rank + 1, ").  But received: ", axis);
  return axis == -1 ? rank : static_cast<int>(axis);
}

Status OneHotShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_RETURN_IF_ERROR(c.RequireScalar(2));
  HR_RETURN_IF_ERROR(c.RequireScalar(3));
  const PartialShape& indices = c.input(0);
  if (!indices.has_rank()) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(const int axis, NewAxis(c.attr<int64_t>("axis"), indices.rank()));
  const auto depth = ConstantIntegers(c, 1);
  if (depth && (*depth)[0] < 0) return InvalidArgument("OneHot: depth must be non-negative, got ", (*depth)[0]);
  std::vector<int64_t> dims(indices.dims().begin(), indices.dims().end());
  dims.insert(dims.begin() + axis, depth ? (*depth)[0] : PartialShape::kUnknownDim);
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

class OneHotKernel final : public Kernel {
 public:
  explicit OneHotKernel(KernelConstruction& construction) : axis_(construction.attr<int64_t>("axis")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& indices = context.input(0);
    for (int i = 1; i < 4; ++i) {
      if (context.input(i).num_elements() != 1)
        return InvalidArgument("OneHot: depth, on_value and off_value must be scalars, input ", i, " is ",
                               context.input(i));
    }
    const int64_t depth = IntegerAt(context.input(1), 0);
    if (depth < 0) return InvalidArgument("depth must be non-negative, got: ", depth);
    HR_ASSIGN_OR_RETURN(const int axis, NewAxis(axis_, indices.rank()));
    std::vector<int64_t> dims(indices.shape().dims().begin(), indices.shape().dims().end());
    dims.insert(dims.begin() + axis, depth);
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    const Elements elements(output->dtype());
    elements.Fill(context.input(3).raw(), output->mutable_raw(), shape.num_elements());
    int64_t inner = 1;
    for (int d = axis; d < indices.rank(); ++d) inner *= indices.dim(d);
    for (int64_t i = 0; i < indices.num_elements(); ++i) {
      const int64_t index = IntegerAt(indices, i);
      if (index < 0 || index >= depth) continue;
      const int64_t place = (i / inner * depth + index) * inner + i % inner;
      elements.Copy(context.input(2).raw(), elements.At(output->mutable_raw(), place), 1);
    }
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

}  // namespace

std::vector<OpDefinition> OneHotOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "OneHot(indices: TI, depth: i32, on_value: T, off_value: T) -> (output: T) | axis: int = -1 | T: type | "
          "TI: type = i64 in {u8,i8,i32,i64}")
          .Shape(OneHotShape)
          .NoGradient("TensorFlow has none")
          .Kernels(AnyType(ClassKernel<OneHotKernel>())));
  return ops;
}

}  // namespace headrace
