// The row loops behind Softmax, LogSoftmax and the cross entropies: float ones vectorised (Highway, chosen at run time).
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace headrace {

/// What normalises a row: log(sum_k exp(x[k])) = max + log_sum.
template <typename T> struct SoftmaxNorm {
  T max;
  T log_sum;
};

/// y[k] = exp(x[k]) / sum exp(x). y may be x. A row with a NaN, or an infinity as its largest, gives NaN.
SoftmaxNorm<float> SoftmaxRow(const float* x, float* y, int64_t count);
SoftmaxNorm<double> SoftmaxRow(const double* x, double* y, int64_t count);

/// y[k] = x[k] - log(sum exp(x)). y may be x.
void LogSoftmaxRow(const float* x, float* y, int64_t count);
void LogSoftmaxRow(const double* x, double* y, int64_t count);

/// The type that rows of T are computed in.
template <typename T> using RowType = std::conditional_t<std::is_same_v<T, double>, double, float>;

}  // namespace headrace
