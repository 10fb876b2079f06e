// Factors of one row-major matrix in place, and substitution with them. T is a floating or complex type. The inner loops run along
// rows, which the compiler makes vectors of.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numeric>
#include <vector>

namespace headrace {

template <typename T> T Conjugate(T x) { return x; }
template <typename T> std::complex<T> Conjugate(std::complex<T> x) { return std::conj(x); }

/// to[i] -= factor * from[i]. The two do not overlap.
template <typename T> void SubtractMultiple(T* __restrict to, const T* __restrict from, T factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] -= factor * from[i];
}

/// What is known of a factored matrix beside its factors.
struct Lu {
  std::vector<int64_t> order;  // row i of the factors is row order[i] of the matrix
  bool odd = false;            // an odd number of rows was exchanged
  bool singular = false;       // a pivot is 0, or not a number
};

/// Replaces `a` by L (below the diagonal, with ones on it) and U, so that L U is `a` with its rows in another order.
template <typename T> Lu FactorLu(T* a, int64_t n) {
  Lu lu;
  lu.order.resize(static_cast<size_t>(n));
  std::iota(lu.order.begin(), lu.order.end(), 0);
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      std::swap(lu.order[static_cast<size_t>(k)], lu.order[static_cast<size_t>(pivot)]);
      lu.odd = !lu.odd;
    }
    const T* row = a + k * n;
    if (!(std::abs(row[k]) > 0)) lu.singular = true;
    if (row[k] == T(0)) continue;
    for (int64_t i = k + 1; i < n; ++i) {
      T* other = a + i * n;
      other[k] /= row[k];
      SubtractMultiple(other + k + 1, row + k + 1, other[k], n - k - 1);
    }
  }
  return lu;
}

/// Replaces `x` (n rows of `columns`) by the solution of A y = x, where A is one triangle of `a`; the other is not read. `unit`: the
/// diagonal is not read either, it is 1.
template <typename T> void SolveTriangle(const T* a, int64_t n, bool lower, bool unit, T* x, int64_t columns) {
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = lower ? step : n - 1 - step;
    T* row = x + i * columns;
    for (int64_t k = lower ? 0 : i + 1; k < (lower ? i : n); ++k) {
      SubtractMultiple(row, x + k * columns, a[i * n + k], columns);
    }
    if (unit) continue;
    for (int64_t j = 0; j < columns; ++j) row[j] /= a[i * n + i];
  }
}

/// Replaces the lower triangle of a Hermitian `a` by its Cholesky factor and the rest by 0; only the lower triangle is read.
/// Returns whether `a` is positive definite.
template <typename T> bool FactorCholesky(T* a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T* row = a + i * n;
    for (int64_t j = 0; j < i; ++j) {
      T sum = row[j];
      for (int64_t k = 0; k < j; ++k) sum -= row[k] * Conjugate(a[j * n + k]);
      row[j] = sum / a[j * n + j];
    }
    auto square = std::real(row[i]);
    for (int64_t k = 0; k < i; ++k) square -= std::norm(row[k]);
    if (!(square > 0)) return false;
    row[i] = std::sqrt(square);
    std::fill(row + i + 1, row + n, T(0));
  }
  return true;
}

/// The n x n matrix `from`, adjoint (transposed, conjugated) where asked for.
template <typename T, typename Stored> void LoadMatrix(const Stored* from, int64_t n, bool adjoint, T* to) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      to[i * n + j] = adjoint ? Conjugate(static_cast<T>(from[j * n + i])) : static_cast<T>(from[i * n + j]);
    }
  }
}

}  // namespace headrace
