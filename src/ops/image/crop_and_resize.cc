// CropAndResize: parts of images, given by boxes (y and x from, y and x to, as shares of the image's extent, also turned round or
// beyond it), all at one size, as f32; what lies outside the image is extrapolation_value. Its gradients are in
// crop_and_resize_grad.cc. Errors: kInvalidArgument for shapes that do not fit, extents below 1, boxes that are not finite;
// kOutOfRange for a box of no image of the batch.
// Source: TensorFlow's op `CropAndResize`.
#include "ops/image/crop_and_resize.h"

#include "graph/gradient_context.h"
#include "ops/formula.h"
#include "ops/image/image_ops.h"

namespace headrace {

Status CheckBoxes(const Tensor& boxes, const Tensor& box_ind, int64_t batch) {
  if (boxes.rank() != 2) return InvalidArgument("boxes must be 2-D, got: ", boxes.shape());
  if (boxes.dim(1) != 4) return InvalidArgument("boxes must have 4 columns, got: ", boxes.shape());
  if (box_ind.rank() != 1) return InvalidArgument("box_index must be 1-D", box_ind.shape());
  if (box_ind.dim(0) != boxes.dim(0)) {
    return InvalidArgument("box_index has incompatible shape: boxes=", boxes, " box_index=", box_ind);
  }
  for (const int32_t image : box_ind.data<int32_t>()) {
    if (image < 0 || image >= batch) {
      return OutOfRange("box_index has values outside [0, batch_size): ", image, ", batch_size=", batch);
    }
  }
  return OkStatus();
}

namespace {

Result<CropExtents> ReadCrop(const KernelContext& c) {
  const Tensor &image = c.input(0), &size = c.input(3);
  if (image.rank() != 4) return InvalidArgument("input image must be 4-D", image.shape());
  if (image.dim(1) < 1 || image.dim(2) < 1) return InvalidArgument("image dimensions must be positive, got ", image);
  HR_RETURN_IF_ERROR(CheckBoxes(c.input(1), c.input(2), image.dim(0)));
  for (const float side : c.input(1).data<float>()) {
    if (!std::isfinite(side)) return InvalidArgument("Boxes contains at least one element that is not finite: ", side);
  }
  if (size.rank() != 1) return InvalidArgument("crop_size must be 1-D", size.shape());
  if (size.dim(0) != 2) return InvalidArgument("crop_size must have two elements", size.shape());
  const int64_t height = size.data<int32_t>()[0], width = size.data<int32_t>()[1];
  if (height < 1 || width < 1) {
    return InvalidArgument("crop dimensions must be positive, got height=", height, " width=", width);
  }
  return CropExtents{image.dim(0), image.dim(1), image.dim(2), image.dim(3), c.input(1).dim(0), height, width};
}

template <typename T> class CropAndResizeKernel final : public Kernel {
 public:
  explicit CropAndResizeKernel(const KernelConstruction& c)
      : is_nearest_(c.attr<std::string>("method", "bilinear") == "nearest"),
        outside_(c.attr<float>("extrapolation_value", 0)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const CropExtents e, ReadCrop(c));
    const int64_t dims[] = {e.boxes, e.crop_height, e.crop_width, e.channels};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    const T* images = c.input(0).template data<T>().data();
    const float* boxes = c.input(1).data<float>().data();
    const int32_t* image_of = c.input(2).data<int32_t>().data();
    float* crops = output->mutable_data<float>().data();
    const int64_t row_size = e.crop_width * e.channels;
    c.ParallelFor(e.boxes * e.crop_height, 1.5 * static_cast<double>(row_size) + 20, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t box = i / e.crop_height;
        Row(e, boxes + 4 * box, i % e.crop_height, images + image_of[box] * e.height * e.width * e.channels,
            crops + i * row_size);
      }
    });
    return OkStatus();
  }

 private:
  void Row(const CropExtents& e, const float* box, int64_t y, const T* image, float* to) const {
    const CropAxis rows(box[0], box[2], e.height, e.crop_height), columns(box[1], box[3], e.width, e.crop_width);
    const float at_y = rows.At(y);
    if (!rows.IsWithin(at_y)) return void(std::fill_n(to, e.crop_width * e.channels, outside_));
    const CropPlace row(at_y);
    const T* const upper = image + row.lower * e.width * e.channels;
    const T* const lower = image + row.upper * e.width * e.channels;
    const T* const nearest = image + static_cast<int64_t>(std::round(at_y)) * e.width * e.channels;
    for (int64_t x = 0; x < e.crop_width; ++x, to += e.channels) {
      const float at_x = columns.At(x);
      if (!columns.IsWithin(at_x)) {
        std::fill_n(to, e.channels, outside_);
      } else if (is_nearest_) {
        const T* from = nearest + static_cast<int64_t>(std::round(at_x)) * e.channels;
        std::transform(from, from + e.channels, to, [](T value) { return static_cast<float>(value); });
      } else {
        const CropPlace column(at_x);
        const int64_t left = column.lower * e.channels, right = column.upper * e.channels;
        Blend(upper + left, upper + right, lower + left, lower + right, column.weight, row.weight, e.channels, to);
      }
    }
  }

  static void Blend(const T* upper_left, const T* upper_right, const T* lower_left, const T* lower_right,
                    float x_weight, float y_weight, int64_t count, float* to) {
    constexpr int kMany = 8;
    int64_t k = 0;
    for (; k + kMany <= count; k += kMany) {
      BlendSome<kMany>(upper_left + k, upper_right + k, lower_left + k, lower_right + k, x_weight, y_weight, to + k);
    }
    for (; k < count; ++k) {
      BlendSome<1>(upper_left + k, upper_right + k, lower_left + k, lower_right + k, x_weight, y_weight, to + k);
    }
  }

  // A count that is known becomes vector instructions.
  template <int kCount>
  static void BlendSome(const T* upper_left, const T* upper_right, const T* lower_left, const T* lower_right,
                        float x_weight, float y_weight, float* __restrict to) {
    float upper[kCount], lower[kCount];
    Between<kCount>(upper_left, upper_right, x_weight, upper);
    Between<kCount>(lower_left, lower_right, x_weight, lower);
    for (int k = 0; k < kCount; ++k) to[k] = upper[k] + (lower[k] - upper[k]) * y_weight;
  }
  template <int kCount> static void Between(const T* a, const T* b, float weight, float* __restrict to) {
    for (int k = 0; k < kCount; ++k) {
      const auto from = static_cast<float>(a[k]);
      to[k] = from + (static_cast<float>(b[k]) - from) * weight;
    }
  }

  const bool is_nearest_;
  const float outside_;
};

Status CropAndResizeShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape image, c.InputOfRank(0, 4));
  HR_ASSIGN_OR_RETURN(const PartialShape boxes, c.InputOfRank(1, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape of_image, c.InputOfRank(2, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(3, 1));
  PartialShape out({of_image.dim(0) == PartialShape::kUnknownDim ? boxes.dim(0) : of_image.dim(0),
                    PartialShape::kUnknownDim, PartialShape::kUnknownDim, image.dim(3)});
  if (const Tensor* size = c.constant(3); size != nullptr && size->num_elements() == 2) {
    for (int i = 0; i < 2; ++i) {
      out.SetDim(1 + i, std::max<int64_t>(size->data<int32_t>()[static_cast<size_t>(i)], PartialShape::kUnknownDim));
    }
  }
  return c.SetOutput(0, std::move(out));
}

Status CropAndResizeGradient(GradientContext& c) {
  const DType type = RemoveRef(c.input(0).dtype());
  const Endpoint dy = c.output_gradient(0);
  if (type == DType::kFloat || type == DType::kHalf || type == DType::kDouble) {
    const AttrMap attrs = {{"T", type}, {"method", c.attr<std::string>("method", "bilinear")}};
    HR_RETURN_IF_ERROR(c.SetInputGradient(
        0, c.Op("CropAndResizeGradImage", {dy, c.input(1), c.input(2), ShapeOf(c.builder(), c.input(0))}, attrs)));
  }
  // That of the boxes is the one of the bilinear method for both methods, as in TensorFlow.
  return c.SetInputGradient(1, c.Op("CropAndResizeGradBoxes", {dy, c.input(0), c.input(1), c.input(2)}));
}

}  // namespace

std::vector<OpDefinition> CropAndResizeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("CropAndResize(image: T, boxes: f32, box_ind: i32, crop_size: i32) -> (crops: f32) | T: type in "
                   "{u8,u16,i8,i16,i32,i64,f16,f32,f64} | method: string = 'bilinear' in {'bilinear','nearest'} | "
                   "extrapolation_value: float = 0.0")
          .Shape(CropAndResizeShape)
          .Gradient(CropAndResizeGradient)
          .Kernels(KernelsFor<uint8_t, uint16_t, int8_t, int16_t, int32_t, int64_t, Half, float, double>(
              "T", []<typename T>() { return ClassKernel<CropAndResizeKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
