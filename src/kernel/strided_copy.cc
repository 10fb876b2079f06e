#include "kernel/strided_copy.h"

#include <algorithm>
#include <cstdlib>

namespace headrace {
namespace {

constexpr int64_t kBlock = 16;  // a 16 x 16 block of a transposed plane stays in the first cache

struct Sixteen {
  uint64_t words[2];
};

/// The folded index space, outermost first.
class Copy {
 public:
  Copy(DType dtype, std::span<const CopyDim> dims) : elements_(dtype), plain_(IsPlainData(dtype)) {
    for (const CopyDim& dim : dims) {
      empty_ |= dim.extent == 0;
      if (dim.extent == 1) continue;
      if (!dims_.empty() && dims_.back().from_stride == dim.extent * dim.from_stride &&
          dims_.back().to_stride == dim.extent * dim.to_stride) {
        dims_.back() = {dims_.back().extent * dim.extent, dim.from_stride, dim.to_stride};
      } else {
        dims_.push_back(dim);
      }
    }
    if (dims_.empty()) dims_.push_back({1, 1, 1});
    MoveUnitStrideNext();
  }

  bool empty() const { return empty_; }
  int64_t outer() const { return dims_[0].extent; }
  int64_t elements_per_outer() const {
    int64_t count = 1;
    for (size_t d = 1; d < dims_.size(); ++d) count *= dims_[d].extent;
    return count;
  }

  // Indices [begin, end) of the outermost dimension.
  void Run(const void* from, void* to, int64_t begin, int64_t end) const {
    const CopyDim& first = dims_[0];
    const char* source = elements_.At(from, begin * first.from_stride);
    char* target = elements_.At(to, begin * first.to_stride);
    if (dims_.size() == 1) return Innermost(source, target, end - begin);
    if (dims_.size() == 2 && transposed_) return Plane(source, target, end - begin);
    for (int64_t i = begin; i < end; ++i) {
      Inside(source, target);
      source += first.from_stride * elements_.size();
      target += first.to_stride * elements_.size();
    }
  }

 private:
  // Where the last dimension is contiguous in `to` and another one in `from`, makes that one the last but one: a plane to transpose.
  void MoveUnitStrideNext() {
    const size_t rank = dims_.size();
    if (rank < 2 || !plain_ || dims_[rank - 1].to_stride != 1 || dims_[rank - 1].from_stride == 1) return;
    for (size_t d = 0; d + 1 < rank; ++d) {
      if (dims_[d].from_stride != 1) continue;
      std::rotate(dims_.begin() + static_cast<std::ptrdiff_t>(d), dims_.begin() + static_cast<std::ptrdiff_t>(d + 1),
                  dims_.end() - 1);
      transposed_ = true;
      return;
    }
  }

  void Innermost(const void* from, void* to, int64_t count) const {
    const CopyDim& dim = dims_.back();
    if (dim.from_stride == 1 && dim.to_stride == 1) return elements_.Copy(from, to, count);
    if (dim.from_stride == 0 && dim.to_stride == 1) return elements_.Fill(from, to, count);
    elements_.CopyStrided(from, dim.from_stride, to, dim.to_stride, count);
  }

  // The last two dimensions, `rows` of the last but one.
  void Plane(const char* from, char* to, int64_t rows) const {
    switch (elements_.size()) {
      case 1:
        return PlaneOf<uint8_t>(from, to, rows);
      case 2:
        return PlaneOf<uint16_t>(from, to, rows);
      case 4:
        return PlaneOf<uint32_t>(from, to, rows);
      case 8:
        return PlaneOf<uint64_t>(from, to, rows);
      default:
        return PlaneOf<Sixteen>(from, to, rows);
    }
  }

  // Reads rows of `from` (contiguous along r) and writes them as columns of a block, so that both sides stay in the cache.
  template <typename T> void PlaneOf(const char* from, char* to, int64_t rows) const {
    const T* source = reinterpret_cast<const T*>(from);
    T* target = reinterpret_cast<T*>(to);
    const int64_t columns = dims_.back().extent, read = dims_.back().from_stride,
                  write = dims_[dims_.size() - 2].to_stride;
    for (int64_t r = 0; r < rows; r += kBlock) {
      const int64_t height = std::min(kBlock, rows - r);
      for (int64_t c = 0; c < columns; c += kBlock) {
        const int64_t width = std::min(kBlock, columns - c);
        for (int64_t i = 0; i < height; ++i) {
          const T* x = source + r + i + c * read;
          T* y = target + (r + i) * write + c;
          for (int64_t k = 0; k < width; ++k) y[k] = x[k * read];
        }
      }
    }
  }

  // All dimensions inside the outermost.
  void Inside(const char* from, char* to) const {
    const size_t last = dims_.size() - (transposed_ ? 2 : 1);  // the dimensions [1, last) are walked here
    int64_t small[8] = {};
    std::vector<int64_t> large(last > 8 ? last : 0);
    int64_t* index = last > 8 ? large.data() : small;
    while (true) {
      transposed_ ? Plane(from, to, dims_[last].extent) : Innermost(from, to, dims_[last].extent);
      size_t d = last;
      while (--d > 0) {
        from += dims_[d].from_stride * elements_.size();
        to += dims_[d].to_stride * elements_.size();
        if (++index[d] < dims_[d].extent) break;
        from -= dims_[d].extent * dims_[d].from_stride * elements_.size();
        to -= dims_[d].extent * dims_[d].to_stride * elements_.size();
        index[d] = 0;
      }
      if (d == 0) return;
    }
  }

  const Elements elements_;
  const bool plain_;
  bool empty_ = false;
  bool transposed_ = false;
  std::vector<CopyDim> dims_;
};

}  // namespace

std::vector<int64_t> DenseStrides(std::span<const int64_t> dims) {
  std::vector<int64_t> strides(dims.size());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= dims[d];
  }
  return strides;
}

std::optional<std::vector<CopyDim>> BroadcastDims(const Shape& from, const Shape& to) {
  const int missing = to.rank() - from.rank();
  if (missing < 0) return std::nullopt;
  const std::vector<int64_t> from_strides = DenseStrides(from.dims()), to_strides = DenseStrides(to.dims());
  std::vector<CopyDim> dims;
  for (int d = 0; d < to.rank(); ++d) {
    const int64_t extent = d < missing ? 1 : from.dim(d - missing);
    if (extent != to.dim(d) && extent != 1) return std::nullopt;
    const bool stands = d < missing || extent == 1;
    dims.push_back(
        {to.dim(d), stands ? 0 : from_strides[static_cast<size_t>(d - missing)], to_strides[static_cast<size_t>(d)]});
  }
  return dims;
}

void StridedCopy(const KernelContext& context, DType dtype, std::span<const CopyDim> dims, const void* from, void* to) {
  const Copy copy(dtype, dims);
  if (copy.empty()) return;
  const double cost_ns = 0.5 * static_cast<double>(copy.elements_per_outer());
  if (cost_ns * static_cast<double>(copy.outer()) < 100'000) return copy.Run(from, to, 0, copy.outer());
  context.ParallelFor(copy.outer(), cost_ns, [&](int64_t begin, int64_t end) { copy.Run(from, to, begin, end); });
}

}  // namespace headrace
