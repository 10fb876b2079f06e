// DynamicStitch, ParallelDynamicStitch: merged[indices[m][i]] = data[m][i]; of several slices for one place the last wins, a place
// without a slice is zero. Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status StitchShape(ShapeContext& c) {
  const int n = c.num_inputs() / 2;
  int64_t size = 0;
  PartialShape rest;
  for (int i = 0; i < n; ++i) {
    const PartialShape &indices = c.input(i), &data = c.input(n + i);
    const auto values = ConstantIntegers(c, i);
    if (!values) size = PartialShape::kUnknownDim;
    if (values && size >= 0) {
      for (int64_t index : *values) size = std::max(size, index + 1);
    }
    if (!indices.has_rank() || !data.has_rank()) continue;
    if (indices.rank() > data.rank())
      return InvalidArgument(c.node().op(), ": data ", i, " of shape ", data, " does not start with ", indices);
    PartialShape slice = PartialShape::Scalar();
    for (int d = indices.rank(); d < data.rank(); ++d) slice.AppendDim(data.dim(d));
    HR_ASSIGN_OR_RETURN(rest, rest.MergeWith(slice));
  }
  if (!rest.has_rank()) return c.SetOutput(0, PartialShape());
  std::vector<int64_t> dims(rest.dims().begin(), rest.dims().end());
  dims.insert(dims.begin(), size);
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

Status StitchGradient(GradientContext& c) {
  const int n = c.num_inputs() / 2;
  for (int i = 0; i < n; ++i) {
    const Formula rows = OutputGradientFormula(c).Apply("GatherV2", {c.input(i), c.builder().Scalar<int32_t>(0)});
    HR_RETURN_IF_ERROR(c.SetInputGradient(n + i, rows));
  }
  return OkStatus();
}

/// The shape of one slice of data[i].
Result<Shape> SliceShape(const Tensor& indices, const Tensor& data, int i) {
  bool starts = indices.rank() <= data.rank();
  for (int d = 0; starts && d < indices.rank(); ++d) starts = indices.dim(d) == data.dim(d);
  if (!starts) {
    return InvalidArgument("data[", i, "].shape = ", data.shape(), " does not start with indices[", i,
                           "].shape = ", indices.shape());
  }
  return Shape(data.shape().dims().subspan(static_cast<size_t>(indices.rank())));
}

Result<Shape> MergedShape(const KernelContext& context) {
  const int n = context.num_inputs() / 2;
  int64_t size = 0;
  Shape slice;
  for (int i = 0; i < n; ++i) {
    HR_ASSIGN_OR_RETURN(const Shape own, SliceShape(context.input(i), context.input(n + i), i));
    if (i == 0) slice = own;
    if (own != slice) {
      return InvalidArgument("Need data[0].shape[", context.input(0).rank(), ":] = data[", i, "].shape[",
                             context.input(i).rank(), ":], got data[0].shape = ", context.input(n).shape(), ", data[",
                             i, "].shape = ", context.input(n + i).shape());
    }
    const std::vector<int64_t> indices = IntegersOf(context.input(i));
    for (size_t k = 0; k < indices.size(); ++k) {
      if (indices[k] < 0) {
        return InvalidArgument("indices", ElementPosition(context.input(i).shape(), static_cast<int64_t>(k)),
                               " is out of range");
      }
      size = std::max(size, indices[k] + 1);
    }
  }
  std::vector<int64_t> dims(slice.dims().begin(), slice.dims().end());
  dims.insert(dims.begin(), size);
  return Shape::Make(dims);
}

Status StitchKernel(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const Shape shape, MergedShape(context));
  HR_ASSIGN_OR_RETURN(Tensor * merged, context.AllocateOutput(0, shape));
  if (shape.num_elements() == 0) return OkStatus();
  const int n = context.num_inputs() / 2;
  const int64_t width = shape.num_elements() / shape.dim(0);
  const Elements elements(merged->dtype());
  std::vector<bool> filled(static_cast<size_t>(shape.dim(0)), false);
  int64_t num_filled = 0;
  for (int i = 0; i < n; ++i) {
    const Tensor& indices = context.input(i);
    for (int64_t k = 0; k < indices.num_elements(); ++k) {
      const int64_t place = IntegerAt(indices, k);
      elements.Copy(elements.At(context.input(n + i).raw(), k * width),
                    elements.At(merged->mutable_raw(), place * width), width);
      if (!filled[static_cast<size_t>(place)]) ++num_filled;
      filled[static_cast<size_t>(place)] = true;
    }
  }
  for (int64_t place = 0; num_filled < shape.dim(0) && place < shape.dim(0); ++place) {
    if (!filled[static_cast<size_t>(place)])
      elements.FillZero(elements.At(merged->mutable_raw(), place * width), width);
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> DynamicStitchOps() {
  std::vector<OpDefinition> ops;
  for (const std::string_view name : {"DynamicStitch", "ParallelDynamicStitch"}) {
    ops.push_back(OpDefinition(StrCat(name, "(indices: N * i32, data: N * T) -> (merged: T) | N: int >= 1 | T: type"))
                      .Shape(StitchShape)
                      .Gradient(StitchGradient)
                      .Kernels(AnyType(FunctionKernel(StitchKernel))));
  }
  return ops;
}

}  // namespace headrace
