// Tensors as such: constants, placeholders, shapes, slices, joining, types. Each function adds TensorFlow's op of the
// name given beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/output.h"

namespace headrace::api {

/// A tensor that is always `value`. Op Const.
HR_EXPORT Output Constant(const CallScope& scope, const Tensor& value);
template <typename T> Output Constant(const CallScope& scope, T value) {
  return Constant(scope, Tensor::Scalar(value));
}
/// A tensor that every run has to feed. A fed tensor must fit `shape` (unset: any). Op Placeholder.
HR_EXPORT Output Placeholder(const CallScope& scope, DType dtype, const PartialShape& shape = {});
/// `value`, unless a run feeds another one of a shape that fits `shape`. Op PlaceholderWithDefault.
HR_EXPORT Output PlaceholderWithDefault(const Input& value, const PartialShape& shape);

HR_EXPORT Output Identity(const Input& x);      ///< x; useful for a name, or to order operations
HR_EXPORT Output StopGradient(const Input& x);  ///< x, through which no gradient passes
HR_EXPORT Output ZerosLike(const Input& x);     ///< zeros of x's shape and type
HR_EXPORT Output OnesLike(const Input& x);      ///< ones of x's shape and type

HR_EXPORT Output ShapeOf(const Input& x);  ///< the extents, i32[rank]; op Shape
HR_EXPORT Output SizeOf(const Input& x);   ///< the number of elements, i32; op Size
HR_EXPORT Output RankOf(const Input& x);   ///< the number of dimensions, i32; op Rank

/// The elements under another shape of as many; one extent may be -1. Op Reshape.
HR_EXPORT Output Reshape(const Input& x, const std::vector<int64_t>& shape);
/// The same, with a computed shape (i32 or i64 vector).
HR_EXPORT Output Reshape(const Input& x, const Output& shape);
/// A dimension of extent 1 before dimension `axis`; -1: at the end. Op ExpandDims.
HR_EXPORT Output ExpandDims(const Input& x, int axis);
/// Without the named dimensions, which must have extent 1; none named: without all such. Op Squeeze.
HR_EXPORT Output Squeeze(const Input& x, const std::vector<int>& axes = {});
/// Dimension i of the result is dimension perm[i] of x; empty: reversed. REQUIRES: a known rank when empty. Op
/// Transpose.
HR_EXPORT Output Transpose(const Input& x, const std::vector<int>& perm = {});
/// Each dimension i repeated multiples[i] times. Op Tile.
HR_EXPORT Output Tile(const Input& x, const std::vector<int>& multiples);
/// The elements from `begin`, `size` of them in each dimension; a size of -1: up to the end. Op Slice.
HR_EXPORT Output Slice(const Input& x, const std::vector<int64_t>& begin, const std::vector<int64_t>& size);

/// Joins along an existing dimension; all other extents agree. Op ConcatV2.
HR_EXPORT Output Concat(const std::vector<Input>& inputs, int axis);
/// Joins along a new dimension; all shapes agree. Op Pack.
HR_EXPORT Output Stack(const std::vector<Input>& inputs, int axis = 0);
/// The slices along a dimension of known extent, without it. Op Unpack.
HR_EXPORT std::vector<Output> Unstack(const Input& x, int count, int axis = 0);
/// `count` equal parts along a dimension. Op Split.
HR_EXPORT std::vector<Output> Split(const Input& x, int count, int axis);

/// The slices of `params` along `axis` at `indices` (i32 or i64, any shape); an index out of range fails the step. Op
/// GatherV2.
HR_EXPORT Output Gather(const Input& params, const Input& indices, int axis = 0);

struct OneHotOptions {
  DType dtype = DType::kFloat;
  double on_value = 1;
  double off_value = 0;
  int axis = -1;  // of the new dimension
};
/// A dimension of extent `depth`: on_value at the index, off_value elsewhere and for an index out of range. Op OneHot.
HR_EXPORT Output OneHot(const Input& indices, int depth, const OneHotOptions& options = {});

/// The values in another numeric type (or bool); floating to integer cuts towards zero. Op Cast.
HR_EXPORT Output Cast(const Input& x, DType dtype);
/// 0, 1, ... below `limit`, i32. Op Range.
HR_EXPORT Output Range(const CallScope& scope, int limit);
/// A number in every element of a computed shape. Op Fill.
HR_EXPORT Output Fill(const Output& shape, const Input& value);

/// An operation without result that runs after all of them. Op NoOp.
HR_EXPORT Operation Group(const CallScope& scope, const std::vector<Operation>& operations);

/// Any registered op by its TensorFlow name, with outputs as inputs and no attributes but what follows from them; for
/// what has no function here. Errors: kNotFound for an unknown op, remembered by the graph.
HR_EXPORT Operation RawOp(const CallScope& scope, const std::string& op, const std::vector<Input>& inputs);

}  // namespace headrace::api
