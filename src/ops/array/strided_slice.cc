// StridedSlice: x[begin:end:stride, ...] as in numpy, with masks for what is left open (slice_spec.h). StridedSliceGrad: the reverse,
// dy in its place in zeros of a given shape. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "ops/array/array_ops.h"
#include "ops/array/slice_spec.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

constexpr std::string_view kMaskNames[] = {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask",
                                           "shrink_axis_mask"};

AttrMap MaskAttrs(const GradientContext& c) {
  AttrMap attrs;
  for (const std::string_view name : kMaskNames) attrs.emplace(name, c.attr<int64_t>(name));
  return attrs;
}

Status StridedSliceShape(ShapeContext& c) {
  const auto begin = ConstantIntegers(c, 1), end = ConstantIntegers(c, 2), strides = ConstantIntegers(c, 3);
  if (!c.input(0).has_rank() || !begin || !end || !strides) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(SliceSpec spec, SliceSpec::Resolve(c.input(0).dims(), *begin, *end, *strides, SliceMasks::Of(c)));
  return c.SetOutput(0, PartialShape(std::move(spec.final_shape)));
}

Status StridedSliceGradient(GradientContext& c) {
  const DType index_type = c.input(1).dtype();
  const bool narrow = index_type == DType::kInt16;  // StridedSliceGrad takes i32 and i64 only
  const DType type = narrow ? DType::kInt32 : index_type;
  const auto index = [&](int i) { return narrow ? c.Op("Cast", {c.input(i)}, {{"DstT", type}}) : c.input(i); };
  const Endpoint shape = c.Op("Shape", {c.input(0)}, {{"out_type", type}});
  return c.SetInputGradient(
      0, c.Op("StridedSliceGrad", {shape, index(1), index(2), index(3), c.output_gradient(0)}, MaskAttrs(c)));
}

// The first dimension alone is cut, in steps of one.
bool RowsOnly(const Shape& input, const SliceSpec& spec) {
  if (spec.dims.empty() || spec.dims[0].stride != 1) return false;
  for (size_t d = 1; d < spec.dims.size(); ++d) {
    if (spec.dims[d].stride != 1 || spec.dims[d].extent != input.dim(static_cast<int>(d))) return false;
  }
  return true;
}

class StridedSliceKernel final : public Kernel {
 public:
  explicit StridedSliceKernel(KernelConstruction& construction) : masks_(SliceMasks::Of(construction)) {}

  Status Compute(KernelContext& context) override {
    const Tensor& input = context.input(0);
    HR_ASSIGN_OR_RETURN(const SliceSpec spec,
                        SliceSpec::Resolve(input.shape().dims(), IntegersOf(context.input(1)),
                                           IntegersOf(context.input(2)), IntegersOf(context.input(3)), masks_));
    HR_ASSIGN_OR_RETURN(const SliceLayout layout, SliceLayout::Make(input.shape(), spec));
    if (layout.shape.num_elements() > 0 && IsPlainData(input.dtype()) && RowsOnly(input.shape(), spec)) {
      const int64_t begin = spec.dims[0].begin;
      return context.SetOutput(0, input.Slice(begin, begin + spec.dims[0].extent).Reshaped(layout.shape));
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, layout.shape));
    if (layout.shape.num_elements() == 0) return OkStatus();
    StridedCopy(context, input.dtype(), layout.dims, Elements(input.dtype()).At(input.raw(), layout.offset),
                output->mutable_raw());
    return OkStatus();
  }

 private:
  const SliceMasks masks_;
};

Status StridedSliceGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(0));
  return c.SetOutput(0, std::move(shape));
}

Status StridedSliceGradGradient(GradientContext& c) {
  return c.SetInputGradient(
      4, c.Op("StridedSlice", {c.output_gradient(0), c.input(1), c.input(2), c.input(3)}, MaskAttrs(c)));
}

class StridedSliceGradKernel final : public Kernel {
 public:
  explicit StridedSliceGradKernel(KernelConstruction& construction) : masks_(SliceMasks::Of(construction)) {}

  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("StridedSliceGrad", context.input(0)));
    const Tensor& dy = context.input(4);
    HR_ASSIGN_OR_RETURN(const SliceSpec spec,
                        SliceSpec::Resolve(shape.dims(), IntegersOf(context.input(1)), IntegersOf(context.input(2)),
                                           IntegersOf(context.input(3)), masks_));
    HR_ASSIGN_OR_RETURN(SliceLayout layout, SliceLayout::Make(shape, spec));
    if (dy.shape() != layout.shape) {
      return InvalidArgument("shape of dy was ", dy.shape(), " instead of ", layout.shape);
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    const Elements elements(dy.dtype());
    elements.FillZero(output->mutable_raw(), shape.num_elements());
    if (dy.num_elements() == 0) return OkStatus();
    layout.Reverse();
    StridedCopy(context, dy.dtype(), layout.dims, dy.raw(), elements.At(output->mutable_raw(), layout.offset));
    return OkStatus();
  }

 private:
  const SliceMasks masks_;
};

}  // namespace

std::vector<OpDefinition> StridedSliceOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(StrCat("StridedSlice(input: T, begin: Index, end: Index, strides: Index) -> (output: T) | T: type | "
                          "Index: type in {i16,i32,i64}",
                          kSliceMaskAttrs))
          .Shape(StridedSliceShape)
          .Gradient(StridedSliceGradient)
          .Kernels(AnyType(ClassKernel<StridedSliceKernel>())));
  ops.push_back(
      OpDefinition(
          StrCat("StridedSliceGrad(shape: Index, begin: Index, end: Index, strides: Index, dy: T) -> (output: T) | "
                 "T: type | Index: type in {i32,i64}",
                 kSliceMaskAttrs))
          .Shape(StridedSliceGradShape)
          .Gradient(StridedSliceGradGradient)
          .Kernels(AnyType(ClassKernel<StridedSliceGradKernel>())));
  return ops;
}

}  // namespace headrace
