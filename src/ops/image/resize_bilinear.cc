// ResizeBilinear: images at another height and width, as f32; each pixel is a mean of the four that lie around its place.
// ResizeBilinearGrad: the gradient of the images from that of the resized ones.
// Errors: kInvalidArgument for ranks other than 4, a size that is not two extents >= 1, images without pixels or channels, and
// where both align_corners and half_pixel_centers are set. Source: TensorFlow's op `ResizeBilinear`.
#include <array>

#include "ops/image/image_ops.h"
#include "ops/image/resize.h"

namespace headrace {

namespace {

// Where an output pixel's two neighbours in a row of the input begin, and the weight of the second.
struct Neighbours {
  int64_t left, right;
  float weight;
};
using NeighbourBlock = std::array<Neighbours, kResizeBlock>;

void FillNeighbours(const ResizeAxis& columns, int64_t channels, const RowPart& part, NeighbourBlock& to) {
  for (int64_t i = 0; i < part.pixels(); ++i) {
    const ResizeAxis::Pair pair = columns.Linear(part.begin + i);
    to[static_cast<size_t>(i)] = {pair.lower * channels + part.channel, pair.upper * channels + part.channel,
                                  pair.weight};
  }
}

// to = a + (b - a) * weight for kCount elements; a count that is known becomes vector instructions.
template <int kCount, typename T> inline void Blend(const T* a, const T* b, float weight, float* __restrict to) {
  float from[kCount], step[kCount];
  for (int k = 0; k < kCount; ++k) from[k] = static_cast<float>(a[k]);
  for (int k = 0; k < kCount; ++k) step[k] = static_cast<float>(b[k]) - from[k];
  for (int k = 0; k < kCount; ++k) to[k] = from[k] + step[k] * weight;
}

template <typename T> void BlendRun(const T* a, const T* b, float weight, int64_t count, float* __restrict to) {
  int64_t k = 0;
  for (; k + 8 <= count; k += 8) Blend<8>(a + k, b + k, weight, to + k);
  for (; k + 4 <= count; k += 4) Blend<4>(a + k, b + k, weight, to + k);
  for (; k < count; ++k) Blend<1>(a + k, b + k, weight, to + k);
}

// A part of a row of the input, blended along the row. `to` has room for one element more than the part has.
template <typename T>
void BlendColumns(const T* row, const T* end, const Neighbours* at, const RowPart& part, float* __restrict to) {
  const auto pixels = static_cast<size_t>(part.pixels());
  size_t i = 0;
  if (part.depth == 3) {
    // The fourth is the next pixel's, which is written over by it.
    for (; i < pixels && row + at[i].right + 4 <= end; ++i, to += 3) {
      Blend<4>(row + at[i].left, row + at[i].right, at[i].weight, to);
    }
  } else if (part.depth == 1) {
    for (; i < pixels; ++i, ++to) Blend<1>(row + at[i].left, row + at[i].right, at[i].weight, to);
  }
  for (; i < pixels; ++i, to += part.depth) {
    BlendRun(row + at[i].left, row + at[i].right, at[i].weight, part.depth, to);
  }
}

// As floats, many at a time.
template <typename T> void ToFloats(const T* from, int64_t count, float* __restrict to) {
  constexpr int kMany = 16;
  for (; count >= kMany; count -= kMany, from += kMany, to += kMany) {
    for (int k = 0; k < kMany; ++k) to[k] = static_cast<float>(from[k]);
  }
  for (int64_t k = 0; k < count; ++k) to[k] = static_cast<float>(from[k]);
}

// One part of the rows [first, last) of one image. A row of the input is blended along its columns once for all output rows in
// turn that need it; where the part's columns are not far apart in it, it is made floats first, each element once.
template <typename T> class BilinearPart {
 public:
  BilinearPart(const ResizeExtents& e, const ResizeAxis& columns, const RowPart& part, const T* image)
      : e_(e), part_(part), image_(image), end_(image + e.in_height * e.in_row()) {
    FillNeighbours(columns, e.channels, part, neighbours_);
    begin_ = neighbours_[0].left;
    span_ = neighbours_[static_cast<size_t>(part.pixels() - 1)].right + part.depth - begin_;
    for (size_t i = 0; i < static_cast<size_t>(part.pixels()); ++i) {
      neighbours_[i].left -= begin_;
      neighbours_[i].right -= begin_;
    }
  }
  void Run(const ResizeAxis& rows, int64_t first, int64_t last, float* out) {
    out += first * e_.out_row() + part_.begin * e_.channels + part_.channel;
    for (int64_t y = first; y < last; ++y, out += e_.out_row()) {
      const ResizeAxis::Pair pair = rows.Linear(y);
      const float* upper = Row(pair.lower, pair.upper);
      const float* lower = Row(pair.upper, pair.lower);
      BlendRun(upper, lower, pair.weight, part_.size(), out);
    }
  }

 private:
  static constexpr int64_t kSpan = 4 * kResizeBlock;
  static constexpr bool kIsFloat = std::is_same_v<T, float>;

  // Row y, in a place that does not hold `needed`.
  const float* Row(int64_t y, int64_t needed) {
    for (size_t i = 0; i < 2; ++i) {
      if (held_[i] == y) return rows_[i].data();
    }
    const size_t place = held_[0] == needed ? 1 : 0;
    held_[place] = y;
    float* const to = rows_[place].data();
    const T* const from = image_ + y * e_.in_row() + begin_;
    if (!kIsFloat && span_ <= kSpan) {
      ToFloats(from, span_, floats_.data());
      BlendColumns(floats_.data(), floats_.data() + floats_.size(), neighbours_.data(), part_, to);
    } else {
      BlendColumns(from, end_, neighbours_.data(), part_, to);
    }
    return to;
  }

  const ResizeExtents& e_;
  const RowPart part_;
  const T* image_;
  const T* end_;
  int64_t begin_, span_;  // in a row: the first element of the part's columns, and how many there are up to the last
  NeighbourBlock neighbours_;
  std::array<std::array<float, kResizeBlock + 1>, 2> rows_;
  std::array<float, kIsFloat ? 1 : kSpan + 4> floats_;
  int64_t held_[2] = {-1, -1};
};

template <typename T> class ResizeBilinearKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeBilinearKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResize(c));
    HR_ASSIGN_OR_RETURN(const Shape shape, e.OutputShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    const T* in = c.input(0).template data<T>().data();
    float* out = output->mutable_data<float>().data();
    if (e.height == e.in_height && e.width == e.in_width) {
      c.ParallelFor(shape.num_elements(), 0.5, [&](int64_t begin, int64_t end) {
        std::transform(in + begin, in + end, out + begin, [](T value) { return static_cast<float>(value); });
      });
      return OkStatus();
    }
    const ResizeAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    const double row_ns = 1.5 * static_cast<double>(e.out_row());
    ForResizedParts<BilinearPart<T>>(c, e, row_ns, rows, columns, in, out);
    return OkStatus();
  }

 private:
  explicit ResizeBilinearKernel(const ResizeMode& mode) : mode_(mode) {}
  const ResizeMode mode_;
};

// Each piece of the work is some rows of the images: for each it sums the rows of the gradients that reach it, and spreads the sum
// along the row.
template <typename T> class ResizeBilinearGradKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeBilinearGradKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResizeGradient(c));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, c.input(1).shape()));
    if (output->num_elements() == 0) return OkStatus();
    const float* grads = c.input(0).data<float>().data();
    T* out = output->mutable_data<T>().data();
    const double row_ns =
        4.0 * (static_cast<double>(e.out_row()) * static_cast<double>(e.height) / static_cast<double>(e.in_height) +
               static_cast<double>(e.in_row()));
    c.ParallelFor(e.batch * e.in_height, row_ns, [&](int64_t begin, int64_t end) {
      ForImages(begin, end, e.in_height, [&](int64_t image, int64_t first, int64_t last) {
        Rows(e, first, last, grads + image * e.height * e.out_row(), out + image * e.in_height * e.in_row());
      });
    });
    return OkStatus();
  }

 private:
  explicit ResizeBilinearGradKernel(const ResizeMode& mode) : mode_(mode) {}

  void Rows(const ResizeExtents& e, int64_t first, int64_t last, const float* grads, T* out) const {
    std::fill(out + first * e.in_row(), out + last * e.in_row(), static_cast<T>(0.0F));
    const ResizeAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    ForRowParts(e.width, e.channels, [&](const RowPart& part) {
      NeighbourBlock neighbours;
      FillNeighbours(columns, e.channels, part, neighbours);
      const float* from = grads + part.begin * e.channels + part.channel;
      int64_t begin = FirstWhere(e.height, [&](int64_t y) { return rows.Linear(y).upper >= first; });
      for (int64_t row = first; row < last; ++row) {
        while (begin < e.height && rows.Linear(begin).upper < row) ++begin;
        std::array<float, kResizeBlock> sums;
        std::fill_n(sums.begin(), part.size(), 0.0F);
        for (int64_t y = begin; y < e.height; ++y) {
          const ResizeAxis::Pair pair = rows.Linear(y);
          if (pair.lower > row) break;
          const float weight = (pair.lower == row ? 1 - pair.weight : 0) + (pair.upper == row ? pair.weight : 0);
          AddScaled(from + y * e.out_row(), weight, part.size(), sums.data());
        }
        Spread(sums.data(), neighbours.data(), part, out + row * e.in_row());
      }
    });
  }

  static void Spread(const float* from, const Neighbours* at, const RowPart& part, T* row) {
    for (int64_t i = 0; i < part.pixels(); ++i, from += part.depth) {
      T *left = row + at[i].left, *right = row + at[i].right;
      const float weight = at[i].weight, rest = 1 - weight;
      for (int64_t k = 0; k < part.depth; ++k) {
        left[k] = static_cast<T>(left[k] + static_cast<T>(from[k] * rest));
        right[k] = static_cast<T>(right[k] + static_cast<T>(from[k] * weight));
      }
    }
  }

  const ResizeMode mode_;
};

Status ResizeBilinearGradient(GradientContext& c) {
  if (!IsFloating(RemoveRef(c.input(0).dtype()))) return OkStatus();
  return c.SetInputGradient(0, c.Op("ResizeBilinearGrad", {c.output_gradient(0), c.input(0)}, ResizeModeAttrs(c)));
}

}  // namespace

std::vector<OpDefinition> ResizeBilinearOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("ResizeBilinear(images: T, size: i32) -> (resized_images: f32) | T: type in "
                                    "{i8,u8,i16,u16,i32,i64,bf16,f16,f32,f64,bf16}",
                                    kResizeModeAttrs))
                    .Shape(ResizeShape)
                    .Gradient(ResizeBilinearGradient)
                    .Kernels(ResizeKernels<ResizeBilinearKernel>()));
  ops.push_back(OpDefinition(StrCat("ResizeBilinearGrad(grads: f32, original_image: T) -> (output: T) | T: type in "
                                    "{f32,bf16,f16,f64}",
                                    kResizeModeAttrs))
                    .Shape(ResizeGradShape)
                    .NoGradient("TensorFlow defines none")
                    .Kernels(KernelsFor<float, BFloat16, Half, double>(
                        "T", []<typename T>() { return ClassKernel<ResizeBilinearGradKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
