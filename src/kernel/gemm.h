// Gemm: products of row-major matrices; float by oneDNN on one thread, other types by plain loops.
#pragma once

#include <complex>
#include <cstdint>

#include "tensor/dtype.h"

namespace headrace {

/// c = op(a) * op(b), where op(a) is m x k and op(b) is k x n. A transposed operand is stored as k x m or n x k.
struct Gemm {
  bool transpose_a = false;
  bool transpose_b = false;
  bool conjugate_a = false;  // complex types only
  bool conjugate_b = false;
  int64_t m = 0, n = 0, k = 0;

  /// About what one row of c costs.
  double row_cost_ns() const { return 1 + 2.0 * static_cast<double>(n) * static_cast<double>(k) / 50; }
  /// Computes rows [begin, end) of c. Thread-safe; rows of different calls may be computed at once.
  template <typename T> void Rows(const T* a, const T* b, T* c, int64_t begin, int64_t end) const;
  /// Computes columns [begin, end) of c: for few long rows.
  void FloatColumns(const float* a, const float* b, float* c, int64_t begin, int64_t end) const;
};

template <> void Gemm::Rows<float>(const float* a, const float* b, float* c, int64_t begin, int64_t end) const;

/// Keeps libraries that bring their own threads (OpenMP) to one on the calling thread: our pool does the splitting. Call it before
/// oneDNN; costs nothing after the first time on a thread.
void KeepLibrariesSingleThreaded();

}  // namespace headrace
