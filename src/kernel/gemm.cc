#include "kernel/gemm.h"

#include <dlfcn.h>
#include <dnnl.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace headrace {
namespace {

constexpr int64_t kTinyProducts = 2048;  // below it a call of oneDNN costs more than the work

template <typename T> inline constexpr bool kIsComplex = false;
template <typename T> inline constexpr bool kIsComplex<std::complex<T>> = true;

template <typename T> T Conjugate(T value, bool conjugate) {
  if constexpr (kIsComplex<T>) return conjugate ? std::conj(value) : value;
  return value;
}

// The type that sums are kept in: float for the half types, wrapping for integers.
template <typename T> struct Accumulator { using type = T; };
template <> struct Accumulator<Half> { using type = float; };
template <> struct Accumulator<BFloat16> { using type = float; };
template <typename T>
requires std::is_integral_v<T>
struct Accumulator<T> {
  using type = uint64_t;
};

template <typename T> void PlainRows(const Gemm& gemm, const T* a, const T* b, T* c, int64_t begin, int64_t end) {
  using A = typename Accumulator<T>::type;
  const int64_t a_row = gemm.transpose_a ? 1 : gemm.k, a_column = gemm.transpose_a ? gemm.m : 1;
  std::vector<A> sums(static_cast<size_t>(gemm.n));
  for (int64_t i = begin; i < end; ++i) {
    std::fill(sums.begin(), sums.end(), A(0));
    for (int64_t p = 0; p < gemm.k; ++p) {
      const A left = Conjugate(static_cast<A>(a[i * a_row + p * a_column]), gemm.conjugate_a);
      const int64_t step = gemm.transpose_b ? gemm.k : 1;
      const T* right = b + (gemm.transpose_b ? p : p * gemm.n);
      for (int64_t j = 0; j < gemm.n; ++j) {
        sums[static_cast<size_t>(j)] += left * Conjugate(static_cast<A>(right[j * step]), gemm.conjugate_b);
      }
    }
    for (int64_t j = 0; j < gemm.n; ++j) c[i * gemm.n + j] = static_cast<T>(sums[static_cast<size_t>(j)]);
  }
}

// Without an accumulator row: for a handful of products.
void TinyRows(const Gemm& gemm, const float* a, const float* b, float* c, int64_t begin, int64_t end) {
  const int64_t a_row = gemm.transpose_a ? 1 : gemm.k, a_column = gemm.transpose_a ? gemm.m : 1;
  for (int64_t i = begin; i < end; ++i) {
    float* row = c + i * gemm.n;
    if (gemm.transpose_b) {
      for (int64_t j = 0; j < gemm.n; ++j) {
        float sum = 0;
        for (int64_t p = 0; p < gemm.k; ++p) sum += a[i * a_row + p * a_column] * b[j * gemm.k + p];
        row[j] = sum;
      }
    } else {
      std::fill_n(row, gemm.n, 0.0f);
      for (int64_t p = 0; p < gemm.k; ++p) {
        const float left = a[i * a_row + p * a_column];
        for (int64_t j = 0; j < gemm.n; ++j) row[j] += left * b[p * gemm.n + j];
      }
    }
  }
}

}  // namespace

void KeepLibrariesSingleThreaded() {
  using SetNumThreads = void (*)(int);
  // oneDNN brings its OpenMP library along; we do not link one of our own.
  static const auto set = reinterpret_cast<SetNumThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  thread_local bool done = false;
  if (done) return;
  done = true;
  if (set != nullptr) set(1);
}

template <> void Gemm::Rows<float>(const float* a, const float* b, float* c, int64_t begin, int64_t end) const {
  if (begin >= end || n == 0) return;
  if (k == 0) return static_cast<void>(std::fill(c + begin * n, c + end * n, 0.0f));
  if ((end - begin) * n * k <= kTinyProducts) return TinyRows(*this, a, b, c, begin, end);
  KeepLibrariesSingleThreaded();
  const float* rows = transpose_a ? a + begin : a + begin * k;
  dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', end - begin, n, k, 1.0f, rows, transpose_a ? m : k, b,
             transpose_b ? k : n, 0.0f, c + begin * n, n);
}

void Gemm::FloatColumns(const float* a, const float* b, float* c, int64_t begin, int64_t end) const {
  if (begin >= end || m == 0) return;
  if (k == 0) {
    for (int64_t i = 0; i < m; ++i) std::fill(c + i * n + begin, c + i * n + end, 0.0f);
    return;
  }
  KeepLibrariesSingleThreaded();
  const float* columns = transpose_b ? b + begin * k : b + begin;
  dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, end - begin, k, 1.0f, a, transpose_a ? m : k, columns,
             transpose_b ? k : n, 0.0f, c + begin, n);
}

template <typename T> void Gemm::Rows(const T* a, const T* b, T* c, int64_t begin, int64_t end) const {
  PlainRows(*this, a, b, c, begin, end);
}

#define HR_INSTANTIATE(T) template void Gemm::Rows<T>(const T*, const T*, T*, int64_t, int64_t) const
HR_INSTANTIATE(double);
HR_INSTANTIATE(Half);
HR_INSTANTIATE(BFloat16);
HR_INSTANTIATE(int8_t);
HR_INSTANTIATE(int16_t);
HR_INSTANTIATE(int32_t);
HR_INSTANTIATE(int64_t);
HR_INSTANTIATE(uint8_t);
HR_INSTANTIATE(uint16_t);
HR_INSTANTIATE(uint32_t);
HR_INSTANTIATE(uint64_t);
HR_INSTANTIATE(std::complex<float>);
HR_INSTANTIATE(std::complex<double>);
#undef HR_INSTANTIATE

}  // namespace headrace
