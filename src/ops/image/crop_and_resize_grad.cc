// CropAndResizeGradImage, CropAndResizeGradBoxes: the gradients of the images, and of the boxes, from that of the crops.
// Errors: kInvalidArgument for shapes that do not fit, kOutOfRange for a box of no image of the batch.
#include <array>

#include "ops/image/crop_and_resize.h"
#include "ops/image/image_ops.h"

namespace headrace {

namespace {

Status CheckGrads(const Tensor& grads, const Tensor& boxes, int64_t channels) {
  if (grads.rank() != 4) return InvalidArgument("grads image must be 4-D", grads.shape());
  if (grads.dim(1) < 1 || grads.dim(2) < 1) return InvalidArgument("grads dimensions must be positive, got ", grads);
  if (boxes.dim(0) != grads.dim(0)) {
    return InvalidArgument("boxes and grads have incompatible shape: boxes=", boxes, " grads=", grads);
  }
  if (grads.dim(3) != channels) {
    return InvalidArgument("image_depth and grads depth are incompatible: ", channels, ", ", grads);
  }
  return OkStatus();
}

// Input 3 holds the images' extents.
Result<CropExtents> ReadGradImage(const KernelContext& c) {
  const Tensor &grads = c.input(0), &size = c.input(3);
  if (size.rank() != 1) return InvalidArgument("image_size must be 1-D", size.shape());
  if (size.dim(0) != 4) return InvalidArgument("image_size must have 4 elements", size.shape());
  const std::span<const int32_t> extents = size.data<int32_t>();
  if (extents[1] < 1 || extents[2] < 1) {
    return InvalidArgument("image dimensions must be positive, got height=", extents[1], " width=", extents[2]);
  }
  HR_RETURN_IF_ERROR(CheckBoxes(c.input(1), c.input(2), extents[0]));
  HR_RETURN_IF_ERROR(CheckGrads(grads, c.input(1), extents[3]));
  return CropExtents{extents[0], extents[1], extents[2], extents[3], grads.dim(0), grads.dim(1), grads.dim(2)};
}

// A piece of the work is some channels of one image, so that no two add to the same place.
template <typename T> class CropAndResizeGradImageKernel final : public Kernel {
 public:
  explicit CropAndResizeGradImageKernel(const KernelConstruction& c)
      : is_nearest_(c.attr<std::string>("method", "bilinear") == "nearest") {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const CropExtents e, ReadGradImage(c));
    const int64_t dims[] = {e.batch, e.height, e.width, e.channels};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    T* const images = output->mutable_data<T>().data();
    std::fill_n(images, shape.num_elements(), static_cast<T>(0.0F));
    if (shape.num_elements() == 0 || e.boxes == 0) return OkStatus();
    const float* grads = c.input(0).data<float>().data();
    const float* boxes = c.input(1).data<float>().data();
    const int32_t* image_of = c.input(2).data<int32_t>().data();
    constexpr int64_t kChannels = 16;
    const int64_t pieces = (e.channels + kChannels - 1) / kChannels;
    const double piece_ns =
        6.0 * static_cast<double>(c.input(0).num_elements()) / static_cast<double>(e.batch * pieces);
    c.ParallelFor(e.batch * pieces, piece_ns, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t image = i / pieces, channel = i % pieces * kChannels;
        const int64_t depth = std::min(kChannels, e.channels - channel);
        for (int64_t box = 0; box < e.boxes; ++box) {
          if (image_of[box] != image) continue;
          AddBox(e, boxes + 4 * box, grads + box * e.crop_height * e.crop_width * e.channels + channel, depth,
                 images + image * e.height * e.width * e.channels + channel);
        }
      }
    });
    return OkStatus();
  }

 private:
  void AddBox(const CropExtents& e, const float* box, const float* grads, int64_t depth, T* image) const {
    const CropAxis rows(box[0], box[2], e.height, e.crop_height), columns(box[1], box[3], e.width, e.crop_width);
    for (int64_t y = 0; y < e.crop_height; ++y) {
      const float at_y = rows.At(y);
      if (!rows.IsWithin(at_y)) continue;
      const CropPlace row(at_y);
      for (int64_t x = 0; x < e.crop_width; ++x) {
        const float at_x = columns.At(x);
        if (!columns.IsWithin(at_x)) continue;
        const float* from = grads + (y * e.crop_width + x) * e.channels;
        const auto add = [&](int64_t to_y, int64_t to_x, float y_weight, float x_weight) {
          T* to = image + (to_y * e.width + to_x) * e.channels;
          for (int64_t k = 0; k < depth; ++k)
            to[k] = static_cast<T>(to[k] + static_cast<T>(y_weight * from[k] * x_weight));
        };
        if (is_nearest_) {
          add(static_cast<int64_t>(std::round(at_y)), static_cast<int64_t>(std::round(at_x)), 1, 1);
          continue;
        }
        const CropPlace column(at_x);
        add(row.lower, column.lower, 1 - row.weight, 1 - column.weight);
        add(row.lower, column.upper, 1 - row.weight, column.weight);
        add(row.upper, column.lower, row.weight, 1 - column.weight);
        add(row.upper, column.upper, row.weight, column.weight);
      }
    }
  }

  const bool is_nearest_;
};

// With p the image's value at a place (y, x): dp/dy and dp/dx are differences of the pixels around it, and each place is a mean of
// the box's two sides.
template <typename T>
std::array<float, 4> BoxGradient(const CropExtents& e, const float* box, const float* grads, const T* image) {
  const CropAxis rows(box[0], box[2], e.height, e.crop_height), columns(box[1], box[3], e.width, e.crop_width);
  std::array<float, 4> sums = {};
  // How far pixel i of a crop is from the box's first side to its second.
  const auto share = [](int64_t i, int64_t crop) {
    return crop > 1 ? static_cast<float>(i) / static_cast<float>(crop - 1) : 0.5F;
  };
  for (int64_t y = 0; y < e.crop_height; ++y) {
    const float at_y = rows.At(y);
    if (!rows.IsWithin(at_y)) continue;
    const CropPlace row(at_y);
    for (int64_t x = 0; x < e.crop_width; ++x) {
      const float at_x = columns.At(x);
      if (!columns.IsWithin(at_x)) continue;
      const CropPlace column(at_x);
      const auto pixel = [&](int64_t to_y, int64_t to_x) { return image + (to_y * e.width + to_x) * e.channels; };
      const T *a = pixel(row.lower, column.lower), *b = pixel(row.lower, column.upper);
      const T *c = pixel(row.upper, column.lower), *d = pixel(row.upper, column.upper);
      const float* from = grads + (y * e.crop_width + x) * e.channels;
      float by_y = 0, by_x = 0;
      for (int64_t k = 0; k < e.channels; ++k) {
        const auto upper_left = static_cast<float>(a[k]), upper_right = static_cast<float>(b[k]);
        const auto lower_left = static_cast<float>(c[k]), lower_right = static_cast<float>(d[k]);
        by_y +=
            from[k] * ((1 - column.weight) * (lower_left - upper_left) + column.weight * (lower_right - upper_right));
        by_x += from[k] * ((1 - row.weight) * (upper_right - upper_left) + row.weight * (lower_right - lower_left));
      }
      const float share_y = share(y, e.crop_height), share_x = share(x, e.crop_width);
      sums[0] += by_y * rows.last * (1 - share_y);
      sums[1] += by_x * columns.last * (1 - share_x);
      sums[2] += by_y * rows.last * share_y;
      sums[3] += by_x * columns.last * share_x;
    }
  }
  return sums;
}

template <typename T> Status CropAndResizeGradBoxesCpu(KernelContext& c) {
  const Tensor &grads = c.input(0), &image = c.input(1), &boxes = c.input(2);
  if (image.rank() != 4) return InvalidArgument("input image must be 4-D", image.shape());
  if (image.dim(1) < 1 || image.dim(2) < 1) return InvalidArgument("image dimensions must be positive, got ", image);
  HR_RETURN_IF_ERROR(CheckBoxes(boxes, c.input(3), image.dim(0)));
  HR_RETURN_IF_ERROR(CheckGrads(grads, boxes, image.dim(3)));
  const CropExtents e{image.dim(0), image.dim(1), image.dim(2), image.dim(3), grads.dim(0), grads.dim(1), grads.dim(2)};
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, boxes.shape()));
  float* const to = output->mutable_data<float>().data();
  const int64_t crop = e.crop_height * e.crop_width * e.channels, size = e.height * e.width * e.channels;
  c.ParallelFor(e.boxes, 6.0 * static_cast<double>(crop), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* from = image.data<T>().data() + c.input(3).data<int32_t>()[static_cast<size_t>(i)] * size;
      const std::array<float, 4> sums =
          BoxGradient(e, boxes.data<float>().data() + 4 * i, grads.data<float>().data() + i * crop, from);
      std::ranges::copy(sums, to + 4 * i);
    }
  });
  return OkStatus();
}

Status GradImageShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape images, c.ShapeFromInput(3));
  HR_ASSIGN_OR_RETURN(PartialShape out, images.MergeWith(PartialShape::UnknownOfRank(4)));
  return c.SetOutput(0, std::move(out));
}

Status GradBoxesShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape boxes, c.InputOfRank(2, 2));
  return c.SetOutput(0, std::move(boxes));
}

}  // namespace

std::vector<OpDefinition> CropAndResizeGradOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "CropAndResizeGradImage(grads: f32, boxes: f32, box_ind: i32, image_size: i32) -> (output: T) | T: type in "
          "{f32,f16,f64} | method: string = 'bilinear' in {'bilinear','nearest'}")
          .Shape(GradImageShape)
          .NoGradient("TensorFlow defines none")
          .Kernels(KernelsFor<float, Half, double>(
              "T", []<typename T>() { return ClassKernel<CropAndResizeGradImageKernel<T>>(); })));
  ops.push_back(
      OpDefinition(
          "CropAndResizeGradBoxes(grads: f32, image: T, boxes: f32, box_ind: i32) -> (output: f32) | T: type in "
          "{u8,u16,i8,i16,i32,i64,f16,f32,f64} | method: string = 'bilinear' in {'bilinear'}")
          .Shape(GradBoxesShape)
          .NoGradient("TensorFlow defines none")
          .Kernels(KernelsFor<uint8_t, uint16_t, int8_t, int16_t, int32_t, int64_t, Half, float, double>(
              "T", []<typename T>() { return FunctionKernel(CropAndResizeGradBoxesCpu<T>); })));
  return ops;
}

}  // namespace headrace
