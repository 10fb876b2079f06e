// Between TensorArrays and whole tensors: TensorArrayGatherV3 stacks elements, TensorArrayConcatV3 joins them along dimension 0;
// TensorArrayScatterV3 and TensorArraySplitV3 write a tensor's rows or pieces, which share its memory.
// Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "graph/shape_context.h"
#include "ops/integers.h"
#include "ops/list/list_ops.h"
#include "ops/list/tensor_array.h"
#include "ops/list/tensor_array_ops.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

Result<Shape> ShapeWithRows(int64_t rows, const PartialShape& element) {
  if (!element.IsFullyKnown()) {
    return Unimplemented("TensorArray has size zero, but element shape ", element,
                         " is not fully defined. Currently only static shapes are supported when packing zero-size "
                         "TensorArrays.");
  }
  std::vector<int64_t> dims = {rows};
  dims.insert(dims.end(), element.dims().begin(), element.dims().end());
  return Shape::Make(dims);
}

class GatherKernel final : public Kernel {
 public:
  explicit GatherKernel(KernelConstruction& c) : element_shape_(c.attr<PartialShape>("element_shape")) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
    if (context.input(1).rank() != 1) {
      return InvalidArgument("Expected indices to be a vector, but received shape: ", context.input(1).shape());
    }
    HR_ASSIGN_OR_RETURN(PartialShape element, array->ElementShape(element_shape_));
    HR_ASSIGN_OR_RETURN(const std::vector<Tensor> values, array->ReadAll(context, IntegersOf(context.input(1))));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].shape() == values[0].shape() && element_shape_.IsCompatibleWith(values[i].shape())) continue;
      return InvalidArgument("TensorArray has inconsistent shapes.  Index 0 has shape: ", values[0].shape(),
                             " but index ", i, " has shape: ", values[i].shape());
    }
    if (!values.empty()) element = values[0].shape();
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeWithRows(std::ssize(values), element));
    HR_ASSIGN_OR_RETURN(Tensor * stacked, context.AllocateOutput(0, shape));
    CopyParts(context, values, stacked);
    return OkStatus();
  }

 private:
  const PartialShape element_shape_;
};

Status GatherShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(1, 1));
  const auto element = c.attr<PartialShape>("element_shape");
  if (!element.has_rank()) return c.SetOutput(0, PartialShape());
  std::vector<int64_t> dims = {indices.dim(0)};
  dims.insert(dims.end(), element.dims().begin(), element.dims().end());
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

Status GatherGradient(GradientContext& c) {
  const TensorArrayGradient gradient = GradientOfTensorArray(c, c.input(2));
  return c.SetInputGradient(
      2, c.Op("TensorArrayScatterV3", {gradient.handle, c.input(1), c.output_gradient(0), gradient.flow}));
}

Status Scatter(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  const Tensor& value = context.input(2);
  const std::vector<int64_t> indices = IntegersOf(context.input(1));
  if (context.input(1).rank() != 1 || value.rank() < 1 || value.dim(0) != std::ssize(indices)) {
    return InvalidArgument("Expected len(indices) == values.shape[0], but saw: ", indices.size(), " vs. ",
                           value.rank() < 1 ? 0 : value.dim(0));
  }
  std::vector<Tensor> rows = RowsOf(value);
  for (size_t i = 0; i < indices.size(); ++i) {
    HR_RETURN_IF_ERROR(array->Write(context, indices[i], std::move(rows[i])));
  }
  return context.SetOutput(0, context.input(3));
}

Status ScatterGradient(GradientContext& c) {
  const Endpoint flow = c.output_gradient(0);
  const TensorArrayGradient gradient = GradientOfTensorArray(c, flow);
  HR_RETURN_IF_ERROR(c.SetInputGradient(2, c.Op("TensorArrayGatherV3", {gradient.handle, c.input(1), gradient.flow},
                                                {{"dtype", RemoveRef(c.input(2).dtype())}})));
  return c.SetInputGradient(3, flow);
}

class ConcatKernel final : public Kernel {
 public:
  explicit ConcatKernel(KernelConstruction& c) : rest_shape_(c.attr<PartialShape>("element_shape_except0")) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
    HR_ASSIGN_OR_RETURN(const int64_t size, array->Size());
    std::vector<int64_t> all(static_cast<size_t>(size));
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
    HR_ASSIGN_OR_RETURN(const std::vector<Tensor> values, array->ReadAll(context, all));
    HR_ASSIGN_OR_RETURN(Tensor * lengths, context.AllocateOutput(1, Shape({size})));
    int64_t total = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].rank() == 0) {
        return InvalidArgument("Concat saw a scalar shape at index ", i, " but requires at least vectors.  Did you ",
                               "mean to call pack?");
      }
      if (values[i].shape().WithoutDim(0) != values[0].shape().WithoutDim(0)) {
        return InvalidArgument("TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: ",
                               values[0].shape().WithoutDim(0), " but index ", i,
                               " has (excepting dimension 0) shape: ", values[i].shape().WithoutDim(0));
      }
      lengths->mutable_data<int64_t>()[i] = values[i].dim(0);
      if (__builtin_add_overflow(total, values[i].dim(0), &total)) {
        return InvalidArgument("TensorArrayConcatV3: the result is too large");
      }
    }
    const PartialShape rest = values.empty() ? rest_shape_ : PartialShape(values[0].shape().WithoutDim(0));
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeWithRows(total, rest));
    HR_ASSIGN_OR_RETURN(Tensor * joined, context.AllocateOutput(0, shape));
    CopyParts(context, values, joined);
    return OkStatus();
  }

 private:
  const PartialShape rest_shape_;
};

Status ConcatShape(ShapeContext& c) { return c.SetOutput(1, PartialShape::UnknownOfRank(1)); }

Status ConcatGradient(GradientContext& c) {
  const TensorArrayGradient gradient = GradientOfTensorArray(c, c.input(1));
  return c.SetInputGradient(
      1, c.Op("TensorArraySplitV3", {gradient.handle, c.output_gradient(0), c.output(1), gradient.flow}));
}

Status Split(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  const Tensor& value = context.input(1);
  const Tensor& lengths = context.input(2);
  if (lengths.rank() != 1) return InvalidArgument("Expected lengths to be a vector, received shape: ", lengths.shape());
  if (value.rank() < 1)
    return InvalidArgument("Expected value to be at least a vector, but received shape: ", value.shape());
  HR_ASSIGN_OR_RETURN(const int64_t size, array->Size());
  if (!array->is_dynamic() && size != lengths.num_elements()) {
    return InvalidArgument("TensorArray's size is not equal to the size of lengths (", size, " vs. ",
                           lengths.num_elements(), "), and the TensorArray is not marked as dynamically resizeable");
  }
  std::vector<Tensor> pieces;
  int64_t begin = 0;
  for (const int64_t length : lengths.data<int64_t>()) {
    if (length < 0 || length > value.dim(0) - begin) break;
    pieces.push_back(value.Slice(begin, begin + length));
    begin += length;
  }
  if (begin != value.dim(0) || std::ssize(pieces) != lengths.num_elements()) {
    return InvalidArgument("Expected sum of lengths to be equal to values.shape[0], but lengths are ",
                           lengths.Summary(), " and value's shape is: ", value.shape());
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    HR_RETURN_IF_ERROR(array->Write(context, static_cast<int64_t>(i), std::move(pieces[i])));
  }
  return context.SetOutput(0, context.input(3));
}

Status SplitGradient(GradientContext& c) {
  const Endpoint flow = c.output_gradient(0);
  const TensorArrayGradient gradient = GradientOfTensorArray(c, flow);
  HR_RETURN_IF_ERROR(c.SetInputGradient(
      1, c.Op("TensorArrayConcatV3", {gradient.handle, gradient.flow}, {{"dtype", RemoveRef(c.input(1).dtype())}})));
  return c.SetInputGradient(3, flow);
}

}  // namespace

std::vector<OpDefinition> TensorArrayStackOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(TensorArrayOp(
      "TensorArrayGatherV3(handle: resource, indices: i32, flow_in: f32) -> (value: dtype) | dtype: type | "
      "element_shape: shape = <unknown> | stateful",
      GatherShape, ClassKernel<GatherKernel>(), GatherGradient));
  ops.push_back(TensorArrayOp(
      "TensorArrayScatterV3(handle: resource, indices: i32, value: T, flow_in: f32) -> (flow_out: f32) | T: type | "
      "stateful",
      ScalarShape, FunctionKernel(Scatter), ScatterGradient));
  ops.push_back(TensorArrayOp(
      "TensorArrayConcatV3(handle: resource, flow_in: f32) -> (value: dtype, lengths: i64) | dtype: type | "
      "element_shape_except0: shape = <unknown> | stateful",
      ConcatShape, ClassKernel<ConcatKernel>(), ConcatGradient));
  ops.push_back(TensorArrayOp(
      "TensorArraySplitV3(handle: resource, value: T, lengths: i64, flow_in: f32) -> (flow_out: f32) | T: type | "
      "stateful",
      ScalarShape, FunctionKernel(Split), SplitGradient));
  return ops;
}

}  // namespace headrace
