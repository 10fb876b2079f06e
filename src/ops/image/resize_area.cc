// ResizeArea: images at another height and width, as f32; each pixel is the mean of the area of the input that it covers, where
// pixels that it covers in part count in proportion, and beyond the edge are those at the edge.
// Errors: as of ResizeBilinear. Source: TensorFlow's op `ResizeArea`.
#include <array>

#include "ops/image/image_ops.h"
#include "ops/image/resize.h"

namespace headrace {

namespace {

// The pixels [first, last) of the input that an output pixel covers along an axis, which may reach beyond the edge, and how much of
// the first and of the last of them it covers; of those between, all.
struct Stretch {
  int64_t first, last;
  float head, tail;
  float Share(int64_t i) const { return i == first ? head : i + 1 == last ? tail : 1; }
};

struct AreaAxis {
  AreaAxis(int64_t in, int64_t out, bool align_corners) : last(in - 1), scale(ResizeScale(in, out, align_corners)) {}
  Stretch At(int64_t i) const {
    const float from = static_cast<float>(i) * scale, to = static_cast<float>(i + 1) * scale;
    const auto first = static_cast<int64_t>(from), end = static_cast<int64_t>(std::ceil(to));
    const auto begin = static_cast<float>(first), next = static_cast<float>(first + 1);
    // Within one pixel it is `scale`, without the rounding of a difference.
    const float head = next > to ? (begin < from ? scale : to - begin) : next - from;
    return {first, end, head, to - static_cast<float>(end - 1)};
  }
  int64_t Within(int64_t i) const { return std::clamp<int64_t>(i, 0, last); }
  const int64_t last;
  const float scale;
};

// One part of the rows of one image: rows of the input are summed, each times its share, then along the columns.
template <typename T> class AreaPart {
 public:
  AreaPart(const ResizeExtents& e, const AreaAxis& columns, const RowPart& part, const T* image)
      : e_(e), columns_(columns), part_(part), image_(image), span_(std::max<int64_t>(1, kSpan / part.depth)) {
    for (int64_t i = 0; i < part.pixels(); ++i) stretches_[static_cast<size_t>(i)] = columns.At(part.begin + i);
    begin_ = columns.Within(stretches_[0].first);
    end_ = columns.Within(stretches_[static_cast<size_t>(part.pixels() - 1)].last - 1) + 1;
  }
  void Run(const AreaAxis& rows, int64_t first, int64_t last, float* out) {
    out += first * e_.out_row() + part_.begin * e_.channels + part_.channel;
    for (int64_t y = first; y < last; ++y, out += e_.out_row()) {
      std::fill_n(out, part_.size(), 0.0F);
      const Stretch stretch = rows.At(y);
      for (int64_t begin = begin_; begin < end_; begin += span_) {
        const int64_t end = std::min(begin + span_, end_);
        std::fill_n(sums_.begin(), (end - begin) * part_.depth, 0.0F);
        for (int64_t row = stretch.first; row < stretch.last; ++row) {
          AddRow(image_ + rows.Within(row) * e_.in_row(), begin, end,
                 stretch.Share(row) / (rows.scale * columns_.scale));
        }
        if (part_.depth == 1) {
          AddColumns<1>(begin, end, out);
        } else if (part_.depth == 3) {
          AddColumns<3>(begin, end, out);
        } else {
          AddColumns<0>(begin, end, out);
        }
      }
    }
  }

 private:
  static constexpr int64_t kSpan = 4 * kResizeBlock;

  // Adds pixels [begin, end) of a row to the sums.
  void AddRow(const T* row, int64_t begin, int64_t end, float weight) {
    if (part_.depth == e_.channels) {
      return AddScaled(row + begin * e_.channels, weight, (end - begin) * e_.channels, sums_.data());
    }
    for (int64_t x = begin; x < end; ++x) {
      AddScaled(row + x * e_.channels + part_.channel, weight, part_.depth, sums_.data() + (x - begin) * part_.depth);
    }
  }

  // Adds the sums, which are of pixels [begin, end), to the output pixels that cover them. kDepth: part_.depth where it is known.
  template <int kDepth> void AddColumns(int64_t begin, int64_t end, float* out) const {
    const int64_t depth = kDepth > 0 ? kDepth : part_.depth;
    for (size_t i = 0; i < static_cast<size_t>(part_.pixels()); ++i, out += depth) {
      const Stretch& stretch = stretches_[i];
      for (int64_t x = stretch.first; x < stretch.last; ++x) {
        const int64_t within = columns_.Within(x);
        if (within < begin || within >= end) continue;
        const float share = stretch.Share(x);
        const float* from = sums_.data() + (within - begin) * depth;
        for (int64_t k = 0; k < depth; ++k) out[k] += from[k] * share;
      }
    }
  }

  const ResizeExtents& e_;
  const AreaAxis& columns_;
  const RowPart part_;
  const T* image_;
  const int64_t span_;   // pixels of a row that are summed at a time
  int64_t begin_, end_;  // pixels of a row that the part covers
  std::array<Stretch, kResizeBlock> stretches_;
  std::array<float, kSpan> sums_;
};

template <typename T> class ResizeAreaKernel final : public Kernel {
 public:
  explicit ResizeAreaKernel(const KernelConstruction& c) : align_corners_(c.attr<bool>("align_corners")) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResize(c));
    HR_ASSIGN_OR_RETURN(const Shape shape, e.OutputShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    const T* in = c.input(0).template data<T>().data();
    float* out = output->mutable_data<float>().data();
    const AreaAxis rows(e.in_height, e.height, align_corners_), columns(e.in_width, e.width, align_corners_);
    const double row_ns = 0.5 * static_cast<double>(e.in_row()) * (static_cast<double>(rows.scale) + 1) +
                          3.0 * static_cast<double>(e.in_row() + e.out_row());
    ForResizedParts<AreaPart<T>>(c, e, row_ns, rows, columns, in, out);
    return OkStatus();
  }

 private:
  const bool align_corners_;
};

}  // namespace

std::vector<OpDefinition> ResizeAreaOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("ResizeArea(images: T, size: i32) -> (resized_images: f32) | T: type in ",
                                    kResizeTypes, " | align_corners: bool = false"))
                    .Shape(ResizeShape)
                    .NoGradient("TensorFlow defines none")
                    .Kernels(ResizeKernels<ResizeAreaKernel>()));
  return ops;
}

}  // namespace headrace
