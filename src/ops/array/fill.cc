// Fill: a tensor of one value. ZerosLike, OnesLike: zeros (empty strings, lists of zeros) or ones in the input's shape.
// Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

Status FillShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(0));
  return c.SetOutput(0, std::move(shape));
}

Status FillGradient(GradientContext& c) {
  const Formula flat = OutputGradientFormula(c).Apply("Reshape", {IntVector(c.builder(), {-1})});
  return c.SetInputGradient(1, flat.Apply("Sum", {c.builder().Scalar<int32_t>(0)}));
}

Status FillKernel(KernelContext& context) {
  const Tensor& dims = context.input(0);
  const Tensor& value = context.input(1);
  if (dims.rank() > 1) return InvalidArgument("dims must be a vector, got shape ", dims.shape());
  if (value.num_elements() != 1 || value.rank() > 1)
    return InvalidArgument("value must be a scalar, got shape ", value.shape());
  for (int64_t extent : IntegersOf(dims)) {
    if (extent < 0) return InvalidArgument("Dimension ", extent, " must be >= 0");
  }
  HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("Fill", dims));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  Elements(value.dtype()).Fill(value.raw(), output->mutable_raw(), shape.num_elements());
  return OkStatus();
}

Status ZerosLikeKernel(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.dtype() == DType::kResource) return Unimplemented("ZerosLike: there is no zero of ", x);
  if (x.dtype() == DType::kVariant) {
    HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListFromTensor(x));
    HR_ASSIGN_OR_RETURN(TensorListPtr zeros, ZerosLikeList(context, *list));
    return context.SetOutput(0, ListToTensor(std::move(zeros)));
  }
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOrReuse(0, {0}, x.shape()));
  Elements(y->dtype()).FillZero(y->mutable_raw(), y->num_elements());
  return OkStatus();
}

template <typename T> Status OnesLikeKernel(KernelContext& context) {
  const Shape shape = context.input(0).shape();
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOrReuse(0, {0}, shape));
  const std::span<T> values = y->mutable_data<T>();
  std::fill(values.begin(), values.end(), static_cast<T>(1.0f));
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> FillOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Fill(dims: index_type, value: T) -> (output: T) | T: type | index_type: type = i32 in {i32,i64}")
          .Shape(FillShape)
          .Gradient(FillGradient)
          .Kernels(AnyType(FunctionKernel(FillKernel))));
  ops.push_back(OpDefinition("ZerosLike(x: T) -> (y: T) | T: type")
                    .Shape(UnchangedShape)
                    .NoGradient("constant")
                    .Kernels(AnyType(FunctionKernel(ZerosLikeKernel))));
  ops.push_back(
      OpDefinition(
          "OnesLike(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,u8,i16,u16,i32,u32,i64,u64,c64,c128,bool}")
          .Shape(UnchangedShape)
          .NoGradient("constant")
          .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t, bool, std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return FunctionKernel(OnesLikeKernel<T>); })));
  return ops;
}

}  // namespace headrace
