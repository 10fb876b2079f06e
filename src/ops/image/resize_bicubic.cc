// ResizeBicubic: images at another height and width, as f32, by cubic convolution (R. Keys, 1981) of the 4 x 4 pixels around each
// place. Its parameter is -0.75, and pixels beyond the edge are those at the edge; with half_pixel_centers it is -0.5, and they count
// for nothing. Weights are those at multiples of 1/1024, as TensorFlow's. ResizeBicubicGrad: the gradient of the images.
// Errors: as of ResizeBilinear. Source: TensorFlow's op `ResizeBicubic`.
#include <array>

#include "ops/image/image_ops.h"
#include "ops/image/resize.h"

namespace headrace {

namespace {

// Four places along an axis, and their weights.
struct Taps {
  std::array<int64_t, 4> at;
  std::array<float, 4> weight;
};
using TapBlock = std::array<Taps, kResizeBlock>;

class CubicAxis {
 public:
  CubicAxis(int64_t in, int64_t out, const ResizeMode& mode)
      : axis_(in, out, mode),
        last_(in - 1),
        a_(mode.half_pixel_centers ? -0.5F : -0.75F),
        edge_counts_(!mode.half_pixel_centers) {}

  Taps At(int64_t i) const {
    const float place = axis_.At(i), floor = std::floor(place);
    const auto below = static_cast<int64_t>(floor);
    const float t = std::nearbyint((place - floor) * 1024) / 1024;
    Taps taps{{below - 1, below, below + 1, below + 2}, {Far(t + 1), Near(t), Near(1 - t), Far(2 - t)}};
    float sum = 0;
    for (size_t k = 0; k < 4; ++k) {
      const int64_t within = std::clamp<int64_t>(taps.at[k], 0, last_);
      if (within != taps.at[k] && !edge_counts_) taps.weight[k] = 0;
      taps.at[k] = within;
      sum += taps.weight[k];
    }
    if (!edge_counts_ && std::abs(sum) > 1e-30F) {
      for (float& weight : taps.weight) weight /= sum;
    }
    return taps;
  }

 private:
  float Near(float x) const { return ((a_ + 2) * x - (a_ + 3)) * x * x + 1; }
  float Far(float x) const { return ((a_ * x - 5 * a_) * x + 8 * a_) * x - 4 * a_; }

  const ResizeAxis axis_;
  const int64_t last_;
  const float a_;
  const bool edge_counts_;
};

// The taps of a part's columns, as elements of a row.
void FillTaps(const CubicAxis& columns, int64_t channels, const RowPart& part, TapBlock& to) {
  for (int64_t i = 0; i < part.pixels(); ++i) {
    Taps& taps = to[static_cast<size_t>(i)];
    taps = columns.At(part.begin + i);
    for (int64_t& at : taps.at) at = at * channels + part.channel;
  }
}

template <typename T> void SumColumns(const T* row, const TapBlock& taps, const RowPart& part, float* to) {
  for (size_t i = 0; i < static_cast<size_t>(part.pixels()); ++i, to += part.depth) {
    const auto& [at, weight] = taps[i];
    for (int64_t k = 0; k < part.depth; ++k) {
      to[k] = static_cast<float>(row[at[0] + k]) * weight[0] + static_cast<float>(row[at[1] + k]) * weight[1] +
              static_cast<float>(row[at[2] + k]) * weight[2] + static_cast<float>(row[at[3] + k]) * weight[3];
    }
  }
}

// One part of the rows of one image. Rows of the input, summed along their columns, are kept for the output rows that follow.
template <typename T> class BicubicPart {
 public:
  BicubicPart(const ResizeExtents& e, const CubicAxis& columns, const RowPart& part, const T* image)
      : e_(e), part_(part), image_(image) {
    FillTaps(columns, e.channels, part, taps_);
  }
  void Run(const CubicAxis& rows, int64_t first, int64_t last, float* out) {
    out += first * e_.out_row() + part_.begin * e_.channels + part_.channel;
    for (int64_t y = first; y < last; ++y, out += e_.out_row()) {
      const auto [at, weight] = rows.At(y);
      // Neighbours have places of their own, and of others the row before is done with.
      const float *a = Row(at[0]), *b = Row(at[1]), *c = Row(at[2]), *d = Row(at[3]);
      SumRows(a, b, c, d, weight, part_.size(), out);
    }
  }

 private:
  const float* Row(int64_t y) {
    const auto place = static_cast<size_t>(y % 4);
    if (held_[place] != y) {
      SumColumns(image_ + y * e_.in_row(), taps_, part_, rows_[place].data());
      held_[place] = y;
    }
    return rows_[place].data();
  }

  static void SumRows(const float* a, const float* b, const float* c, const float* d,
                      const std::array<float, 4>& weight, int64_t count, float* __restrict to) {
    constexpr int kMany = 8;
    int64_t i = 0;
    const auto sum = [&](int64_t k) {
      return a[k] * weight[0] + b[k] * weight[1] + c[k] * weight[2] + d[k] * weight[3];
    };
    for (; i + kMany <= count; i += kMany) {
      for (int k = 0; k < kMany; ++k) to[i + k] = sum(i + k);
    }
    for (; i < count; ++i) to[i] = sum(i);
  }

  const ResizeExtents& e_;
  const RowPart part_;
  const T* image_;
  TapBlock taps_;
  std::array<std::array<float, kResizeBlock>, 4> rows_;
  std::array<int64_t, 4> held_ = {-1, -1, -1, -1};
};

template <typename T> class ResizeBicubicKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeBicubicKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResize(c));
    HR_ASSIGN_OR_RETURN(const Shape shape, e.OutputShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    const T* in = c.input(0).template data<T>().data();
    float* out = output->mutable_data<float>().data();
    const CubicAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    const double row_ns = 6.0 * static_cast<double>(e.out_row());
    ForResizedParts<BicubicPart<T>>(c, e, row_ns, rows, columns, in, out);
    return OkStatus();
  }

 private:
  explicit ResizeBicubicKernel(const ResizeMode& mode) : mode_(mode) {}
  const ResizeMode mode_;
};

// Each piece of the work is some rows of the images; it reads the rows of the gradients that reach them.
template <typename T> class ResizeBicubicGradKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeBicubicGradKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResizeGradient(c));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, c.input(1).shape()));
    if (output->num_elements() == 0) return OkStatus();
    const float* grads = c.input(0).data<float>().data();
    T* out = output->mutable_data<T>().data();
    const double grown = static_cast<double>(e.height) / static_cast<double>(e.in_height);
    const double row_ns = 16 * static_cast<double>(e.out_row()) * grown + static_cast<double>(e.in_row());
    c.ParallelFor(e.batch * e.in_height, row_ns, [&](int64_t begin, int64_t end) {
      ForImages(begin, end, e.in_height, [&](int64_t image, int64_t first, int64_t last) {
        Rows(e, first, last, grads + image * e.height * e.out_row(), out + image * e.in_height * e.in_row());
      });
    });
    return OkStatus();
  }

 private:
  explicit ResizeBicubicGradKernel(const ResizeMode& mode) : mode_(mode) {}

  void Rows(const ResizeExtents& e, int64_t first, int64_t last, const float* grads, T* out) const {
    std::fill(out + first * e.in_row(), out + last * e.in_row(), T{0});
    const CubicAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    const int64_t begin = FirstWhere(e.height, [&](int64_t y) { return rows.At(y).at[3] >= first; });
    const int64_t end = FirstWhere(e.height, [&](int64_t y) { return rows.At(y).at[0] >= last; });
    ForRowParts(e.width, e.channels, [&](const RowPart& part) {
      TapBlock taps;
      FillTaps(columns, e.channels, part, taps);
      for (int64_t y = begin; y < end; ++y) {
        const auto [at, weight] = rows.At(y);
        const float* from = grads + y * e.out_row() + part.begin * e.channels + part.channel;
        for (size_t k = 0; k < 4; ++k) {
          if (at[k] >= first && at[k] < last) Spread(from, weight[k], taps, part, out + at[k] * e.in_row());
        }
      }
    });
  }

  static void Spread(const float* from, float row_weight, const TapBlock& taps, const RowPart& part, T* row) {
    for (size_t i = 0; i < static_cast<size_t>(part.pixels()); ++i, from += part.depth) {
      const auto& [at, weight] = taps[i];
      for (int64_t k = 0; k < part.depth; ++k) {
        const float value = from[k] * row_weight;
        for (size_t tap = 0; tap < 4; ++tap) row[at[tap] + k] += static_cast<T>(value * weight[tap]);
      }
    }
  }

  const ResizeMode mode_;
};

Status ResizeBicubicGradient(GradientContext& c) {
  const DType type = RemoveRef(c.input(0).dtype());
  if (type != DType::kFloat && type != DType::kDouble) return OkStatus();  // as in TensorFlow
  return c.SetInputGradient(0, c.Op("ResizeBicubicGrad", {c.output_gradient(0), c.input(0)}, ResizeModeAttrs(c)));
}

}  // namespace

std::vector<OpDefinition> ResizeBicubicOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("ResizeBicubic(images: T, size: i32) -> (resized_images: f32) | T: type in ",
                                    kResizeTypes, kResizeModeAttrs))
                    .Shape(ResizeShape)
                    .Gradient(ResizeBicubicGradient)
                    .Kernels(ResizeKernels<ResizeBicubicKernel>()));
  ops.push_back(
      OpDefinition(StrCat("ResizeBicubicGrad(grads: f32, original_image: T) -> (output: T) | T: type in {f32,f64}",
                          kResizeModeAttrs))
          .Shape(ResizeGradShape)
          .NoGradient("TensorFlow defines none")
          .Kernels(
              KernelsFor<float, double>("T", []<typename T>() { return ClassKernel<ResizeBicubicGradKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
