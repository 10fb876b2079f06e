// ResizeNearestNeighbor: images at another height and width; each pixel is the one of the input that is nearest to its place.
// ResizeNearestNeighborGrad: sums of the gradients of the pixels that come from each pixel of images of the given height and width.
// Errors: kInvalidArgument for ranks other than 4, a size that is not two extents >= 1, images without pixels or channels, and
// where both align_corners and half_pixel_centers are set. Source: TensorFlow's op `ResizeNearestNeighbor`.
#include <array>
#include <type_traits>

#include "ops/formula.h"
#include "ops/image/image_ops.h"
#include "ops/image/resize.h"

namespace headrace {

namespace {

using Offsets = std::array<int64_t, kResizeBlock>;

void FillOffsets(const ResizeAxis& columns, int64_t channels, const RowPart& part, Offsets& to) {
  for (int64_t i = 0; i < part.pixels(); ++i) {
    to[static_cast<size_t>(i)] = columns.Nearest(part.begin + i) * channels + part.channel;
  }
}

// Copies pixels of kDepth elements (0: of part.depth) from a row.
template <int kDepth, typename Bits>
void CopyPixels(const Bits* row, const Offsets& offsets, const RowPart& part, Bits* to) {
  const int64_t depth = kDepth > 0 ? kDepth : part.depth;
  for (size_t i = 0; i < static_cast<size_t>(part.pixels()); ++i, to += depth) {
    const Bits* from = row + offsets[i];
    for (int64_t k = 0; k < depth; ++k) to[k] = from[k];
  }
}

// Bits: an unsigned type of the elements' size; values are only moved.
template <typename Bits> class ResizeNearestKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeNearestKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadResize(c));
    HR_ASSIGN_OR_RETURN(const Shape shape, e.OutputShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    const auto* in = static_cast<const Bits*>(c.input(0).raw());
    auto* out = static_cast<Bits*>(output->mutable_raw());
    const double row_ns = 0.7 * static_cast<double>(e.out_row());
    c.ParallelFor(e.batch * e.height, row_ns, [&](int64_t begin, int64_t end) {
      ForImages(begin, end, e.height, [&](int64_t image, int64_t first, int64_t last) {
        Rows(e, first, last, in + image * e.in_height * e.in_row(), out + image * e.height * e.out_row());
      });
    });
    return OkStatus();
  }

 private:
  explicit ResizeNearestKernel(const ResizeMode& mode) : mode_(mode) {}

  void Rows(const ResizeExtents& e, int64_t first, int64_t last, const Bits* in, Bits* out) const {
    const ResizeAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    ForRowParts(e.width, e.channels, [&](const RowPart& part) {
      Offsets offsets;
      FillOffsets(columns, e.channels, part, offsets);
      Bits* to = out + first * e.out_row() + part.begin * e.channels + part.channel;
      int64_t held = -1;
      for (int64_t y = first; y < last; ++y, to += e.out_row()) {
        const int64_t row = rows.Nearest(y);
        if (row == held) {
          std::copy_n(to - e.out_row(), part.size(), to);
        } else {
          Copy(in + row * e.in_row(), offsets, part, to);
          held = row;
        }
      }
    });
  }

  static void Copy(const Bits* row, const Offsets& offsets, const RowPart& part, Bits* to) {
    if (part.depth == 1) return CopyPixels<1>(row, offsets, part, to);
    if (part.depth == 3) return CopyPixels<3>(row, offsets, part, to);
    if (part.depth == 4) return CopyPixels<4>(row, offsets, part, to);
    CopyPixels<0>(row, offsets, part, to);
  }

  const ResizeMode mode_;
};

// The sum in T; integers wrap round.
template <typename T> T Sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using Word = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Word>(static_cast<Word>(a) + static_cast<Word>(b)));
  } else {
    return static_cast<T>(a + b);
  }
}

Result<ResizeExtents> ReadNearestGradient(const KernelContext& c) {
  const Tensor &grads = c.input(0), &size = c.input(1);
  if (grads.rank() != 4) return InvalidArgument("input must be 4-dimensional", grads.shape());
  if (size.rank() != 1) return InvalidArgument("shape_t must be 1-dimensional", size.shape());
  if (size.dim(0) != 2) return InvalidArgument("shape_t must have two elements", size.shape());
  const int64_t height = size.data<int32_t>()[0], width = size.data<int32_t>()[1];
  if (height < 1 || width < 1) {
    return InvalidArgument("shape_t's elements must be positive, got height=", height, " width=", width);
  }
  return ResizeExtents{grads.dim(0), height, width, grads.dim(3), grads.dim(1), grads.dim(2)};
}

// Each piece of the work is some rows of the images; it reads the rows of the gradients that came from them.
template <typename T> class ResizeNearestGradKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const ResizeMode mode, ResizeMode::Read(c));
    return std::unique_ptr<Kernel>(new ResizeNearestGradKernel(mode));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResizeExtents e, ReadNearestGradient(c));
    const int64_t dims[] = {e.batch, e.in_height, e.in_width, e.channels};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    const T* grads = c.input(0).data<T>().data();
    T* out = output->mutable_data<T>().data();
    const double row_ns = static_cast<double>(e.in_row()) + 1.5 * static_cast<double>(e.out_row()) *
                                                                static_cast<double>(e.height) /
                                                                static_cast<double>(e.in_height);
    c.ParallelFor(e.batch * e.in_height, row_ns, [&](int64_t begin, int64_t end) {
      ForImages(begin, end, e.in_height, [&](int64_t image, int64_t first, int64_t last) {
        Rows(e, first, last, grads + image * e.height * e.out_row(), out + image * e.in_height * e.in_row());
      });
    });
    return OkStatus();
  }

 private:
  explicit ResizeNearestGradKernel(const ResizeMode& mode) : mode_(mode) {}

  void Rows(const ResizeExtents& e, int64_t first, int64_t last, const T* grads, T* out) const {
    std::fill(out + first * e.in_row(), out + last * e.in_row(), static_cast<T>(0.0F));
    if (e.height == 0 || e.width == 0) return;
    const ResizeAxis rows(e.in_height, e.height, mode_), columns(e.in_width, e.width, mode_);
    const int64_t begin = FirstWhere(e.height, [&](int64_t y) { return rows.Nearest(y) >= first; });
    const int64_t end = FirstWhere(e.height, [&](int64_t y) { return rows.Nearest(y) >= last; });
    ForRowParts(e.width, e.channels, [&](const RowPart& part) {
      Offsets offsets;
      FillOffsets(columns, e.channels, part, offsets);
      for (int64_t y = begin; y < end; ++y) {
        const T* from = grads + y * e.out_row() + part.begin * e.channels + part.channel;
        T* row = out + rows.Nearest(y) * e.in_row();
        for (size_t i = 0; i < static_cast<size_t>(part.pixels()); ++i, from += part.depth) {
          T* to = row + offsets[i];
          for (int64_t k = 0; k < part.depth; ++k) to[k] = Sum(to[k], from[k]);
        }
      }
    });
  }

  const ResizeMode mode_;
};

Status ResizeNearestGradient(GradientContext& c) {
  constexpr DType kHaveGradients[] = {DType::kUint8, DType::kInt8,   DType::kInt32,   DType::kHalf,
                                      DType::kFloat, DType::kDouble, DType::kBfloat16};
  if (std::ranges::count(kHaveGradients, RemoveRef(c.input(0).dtype())) == 0) return OkStatus();
  const GraphBuilder& builder = c.builder();
  const Endpoint size = c.Op("Slice", {ShapeOf(builder, c.input(0)), IntVector(builder, {1}), IntVector(builder, {2})});
  return c.SetInputGradient(0, c.Op("ResizeNearestNeighborGrad", {c.output_gradient(0), size}, ResizeModeAttrs(c)));
}

template <typename Bits, typename... Ts> std::vector<KernelDefinition> NearestKernels() {
  return KernelsFor<Ts...>("T", []<typename T>() {
    static_assert(sizeof(T) == sizeof(Bits));
    return ClassKernel<ResizeNearestKernel<Bits>>();
  });
}

}  // namespace

std::vector<OpDefinition> ResizeNearestOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("ResizeNearestNeighbor(images: T, size: i32) -> (resized_images: T) | T: type in ",
                                    kResizeTypes, kResizeModeAttrs))
                    .Shape(ResizeShape)
                    .Gradient(ResizeNearestGradient)
                    .Kernels(Join(Join(NearestKernels<uint8_t, int8_t, uint8_t>(),
                                       NearestKernels<uint16_t, int16_t, uint16_t, Half, BFloat16>()),
                                  Join(NearestKernels<uint32_t, int32_t, float>(),
                                       NearestKernels<uint64_t, int64_t, double>()))));
  ops.push_back(OpDefinition(StrCat("ResizeNearestNeighborGrad(grads: T, size: i32) -> (output: T) | T: type in "
                                    "{u8,i8,i32,f16,f32,f64,bf16}",
                                    kResizeModeAttrs))
                    .Shape(ResizeShape)
                    .NoGradient("TensorFlow defines none")
                    .Kernels(KernelsFor<uint8_t, int8_t, int32_t, Half, float, double, BFloat16>(
                        "T", []<typename T>() { return ClassKernel<ResizeNearestGradKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
