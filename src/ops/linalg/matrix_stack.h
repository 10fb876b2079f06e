// A stack of matrices: the last two dimensions of a tensor, for all places in the others. What the ops on them share.
#pragma once

#include <functional>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/formula.h"

namespace headrace {

/// The dimensions before the last two. REQUIRES: the rank is 2 at least.
PartialShape StackOf(const PartialShape& shape);
/// What two extents of one size say together; -1 when unknown. Errors: kInvalidArgument, with TensorFlow's text.
Result<int64_t> MergeDims(int64_t a, int64_t b);

/// Input 0 is a stack of square matrices; output 0 has its shape.
Status SquareShape(ShapeContext& c);
/// The same; every output has the stack's own dimensions.
Status OfEachMatrixShape(ShapeContext& c);

/// The number of matrices, and of their rows.
struct SquareStack {
  int64_t count = 0;
  int64_t n = 0;
  Shape stack;  // the dimensions before the last two

  /// Errors: kInvalidArgument, with TensorFlow's texts.
  static Result<SquareStack> Of(const Shape& shape);
  /// About what it costs to factor one.
  double factor_ns() const {
    return 20 + 0.3 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  }
};

/// Calls body(i) for i < count, on the compute pool where that is worth it. Returns whether all returned true.
bool ForMatrices(const KernelContext& c, int64_t count, double cost_ns, const std::function<bool(int64_t)>& body);

/// The products of two stacks, of adjoint (transposed, conjugated) matrices where said so.
Formula Product(const Formula& a, bool adjoint_a, const Formula& b, bool adjoint_b);
/// The matrices with zeros below `lower` subdiagonals and above `upper` superdiagonals; -1: all are kept.
Formula Band(const Formula& a, int64_t lower, int64_t upper);

}  // namespace headrace
