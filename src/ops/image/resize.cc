#include "ops/image/resize.h"

namespace headrace {

namespace {

// Extents are TensorFlow's int32.
Status CheckImageExtents(const Tensor& images) {
  if (images.dim(1) < 1 || images.dim(2) < 1)
    return InvalidArgument("input image must be of non-zero size, got ", images);
  if (images.dim(3) < 1) return InvalidArgument("image must have at least one channel, got ", images);
  if (images.dim(1) > INT32_MAX || images.dim(2) > INT32_MAX)
    return InvalidArgument("input sizes must be between 0 and max int32, got ", images);
  return OkStatus();
}

}  // namespace

Result<ResizeMode> ResizeMode::Read(const KernelConstruction& c) {
  const ResizeMode mode{c.attr<bool>("align_corners"), c.attr<bool>("half_pixel_centers")};
  if (mode.align_corners && mode.half_pixel_centers)
    return InvalidArgument("If half_pixel_centers is True, align_corners must be False.");
  return mode;
}

Result<Shape> ResizeExtents::OutputShape() const {
  const int64_t dims[] = {batch, height, width, channels};
  return Shape::Make(dims);
}

Result<ResizeExtents> ReadResize(const KernelContext& c) {
  const Tensor &images = c.input(0), &size = c.input(1);
  if (images.rank() != 4) return InvalidArgument("input must be 4-dimensional", images.shape());
  if (size.rank() != 1) return InvalidArgument("shape_t must be 1-dimensional", size.shape());
  if (size.dim(0) != 2) return InvalidArgument("shape_t must have two elements", size.shape());
  const int64_t height = size.data<int32_t>()[0], width = size.data<int32_t>()[1];
  if (height < 1 || width < 1)
    return InvalidArgument("output dimensions must be positive, got height=", height, " width=", width);
  HR_RETURN_IF_ERROR(CheckImageExtents(images));
  return ResizeExtents{images.dim(0), images.dim(1), images.dim(2), images.dim(3), height, width};
}

Result<ResizeExtents> ReadResizeGradient(const KernelContext& c) {
  const Tensor &grads = c.input(0), &images = c.input(1);
  if (grads.rank() != 4) return InvalidArgument("input_grad must be 4-dimensional", grads.shape());
  if (images.rank() != 4) return InvalidArgument("original_image must be 4-dimensional", images.shape());
  if (grads.dim(0) != images.dim(0) || grads.dim(3) != images.dim(3)) {
    return InvalidArgument("batch and channels of input_grad and original_image differ: ", grads, ", ", images);
  }
  if (images.dim(1) < 1 || images.dim(2) < 1)
    return InvalidArgument("original dimensions must be positive, got ", images);
  if (grads.dim(1) < 1 || grads.dim(2) < 1) return InvalidArgument("resized dimensions must be positive, got ", grads);
  return ResizeExtents{images.dim(0), images.dim(1), images.dim(2), images.dim(3), grads.dim(1), grads.dim(2)};
}

Status ResizeShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape out, c.InputOfRank(0, 4));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  const PartialShape& size = c.input(1);
  if (size.has_rank() && size.dim(0) != PartialShape::kUnknownDim && size.dim(0) != 2) {
    return InvalidArgument("Dimension must be 2 but is ", size.dim(0), ": size is the height and the width");
  }
  for (int i = 0; i < 2; ++i) {
    int64_t extent = PartialShape::kUnknownDim;
    if (const Tensor* known = c.constant(1); known != nullptr && known->num_elements() == 2) {
      extent = std::max<int64_t>(known->data<int32_t>()[static_cast<size_t>(i)], PartialShape::kUnknownDim);
    }
    out.SetDim(1 + i, extent);
  }
  return c.SetOutput(0, std::move(out));
}

Status ResizeGradShape(ShapeContext& c) { return c.SetOutput(0, c.input(1)); }

AttrMap ResizeModeAttrs(const GradientContext& c) {
  return {{"align_corners", c.attr<bool>("align_corners")}, {"half_pixel_centers", c.attr<bool>("half_pixel_centers")}};
}

}  // namespace headrace
