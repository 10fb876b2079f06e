// GradientSum: the sum of some gradients, dense or sparse; what an accumulator holds.
#pragma once

#include <memory>
#include <vector>

#include "kernel/runtime.h"
#include "tensor/tensor.h"

namespace headrace {

/// A dense gradient is one tensor; a sparse one is indices (i64, a vector), values (a row for each index) and the dense shape
/// (i64; empty where it is unknown).
using Gradient = std::vector<Tensor>;

/// A sum that was taken out, not yet averaged.
struct TakenSum {
  Gradient gradient;
  std::vector<int64_t> row_counts;  // of a sparse one: how many gradients have the row
  int64_t count = 0;
};

/// Thread-compatible, but for Average.
class GradientSum {
 public:
  virtual ~GradientSum() = default;
  virtual bool is_sparse() const = 0;
  /// Errors: kInvalidArgument where the gradient's shape does not fit the declared one, or that of the gradients before.
  virtual Status Add(Gradient gradient, const Runtime& runtime) = 0;
  /// Takes the sum out; nothing is left.
  virtual TakenSum Take() = 0;
  /// Divides by how many gradients there are: of a sparse sum, each row by its own number. Thread-safe.
  virtual Result<Gradient> Average(TakenSum sum, const Runtime& runtime) const = 0;
};

/// Errors: kUnimplemented for a dtype that is not a float.
Result<std::unique_ptr<GradientSum>> MakeDenseSum(DType dtype, const PartialShape& declared);
Result<std::unique_ptr<GradientSum>> MakeSparseSum(DType dtype, const PartialShape& declared);

}  // namespace headrace
