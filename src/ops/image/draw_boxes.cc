// DrawBoundingBoxes, DrawBoundingBoxesV2: images [batch, height, width, 1 | 3 | 4] with boxes [batch, n, 4] (y and x from, y and x
// to, as shares of the image) drawn as lines one pixel wide, in colours that take turns: those given, else ten of ours.
// A box that is turned round, or wholly outside, is left out. Errors: kInvalidArgument for shapes that do not fit.
// Source: TensorFlow's op `DrawBoundingBoxes`.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/image/image_ops.h"

namespace headrace {

namespace {

using Colour = std::array<float, 4>;

// Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia.
constexpr Colour kColours[] = {{1, 1, 0, 1},       {0, 0, 1, 1},    {1, 0, 0, 1},    {0, 1, 0, 1}, {0.5F, 0, 0.5F, 1},
                               {0.5F, 0.5F, 0, 1}, {0.5F, 0, 0, 1}, {0, 0, 0.5F, 1}, {0, 1, 1, 1}, {1, 0, 1, 1}};

Result<std::vector<Colour>> ReadColours(const KernelContext& c, int64_t depth) {
  std::vector<Colour> colours;
  if (c.num_inputs() == 3) {
    const Tensor& given = c.input(2);
    if (given.rank() != 2) return InvalidArgument("colors must be a 2-D matrix", given.shape());
    if (given.dim(1) < depth) {
      return InvalidArgument("colors must have equal or more channels than the image provided: ", given.shape());
    }
    const float* values = given.data<float>().data();
    for (int64_t i = 0; i < given.dim(0); ++i) {
      Colour& colour = colours.emplace_back();
      std::copy_n(values + i * given.dim(1), depth, colour.begin());
    }
  }
  if (!colours.empty()) return colours;
  colours.assign(std::begin(kColours), std::end(kColours));
  if (depth == 1) {
    for (Colour& colour : colours) colour[0] = 1;
  }
  return colours;
}

// The first and last pixel of a box along one axis.
struct Side {
  int64_t first, last;
};

// A place far outside, and NaN, are kept within what an integer holds; neither is drawn.
int64_t PlaceOf(float share, int64_t extent) {
  constexpr float kFar = 1e15F;
  const float place = share * static_cast<float>(extent - 1);
  return place != place ? INT64_MIN : static_cast<int64_t>(std::clamp(place, -kFar, kFar));
}

// Nothing where the box is turned round or outside along this axis.
bool IsVisible(Side side, int64_t extent) { return side.first <= side.last && side.first < extent && side.last >= 0; }

template <typename T> struct Canvas {
  T* pixels;
  int64_t height, width, depth;
  std::array<T, 4> colour;

  void Draw(int64_t y, int64_t x) const { std::copy_n(colour.begin(), depth, pixels + (y * width + x) * depth); }
  void DrawBox(Side rows, Side columns) const {
    const int64_t top = std::max<int64_t>(rows.first, 0), bottom = std::min(rows.last, height - 1);
    const int64_t left = std::max<int64_t>(columns.first, 0), right = std::min(columns.last, width - 1);
    for (const int64_t y : {rows.first, rows.last}) {
      if (y < 0 || y >= height) continue;
      for (int64_t x = left; x <= right; ++x) Draw(y, x);
    }
    for (const int64_t x : {columns.first, columns.last}) {
      if (x < 0 || x >= width) continue;
      for (int64_t y = top; y <= bottom; ++y) Draw(y, x);
    }
  }
};

template <typename T>
void DrawBoxes(const float* boxes, int64_t count, const std::vector<Colour>& colours, Canvas<T> canvas) {
  for (int64_t i = 0; i < count; ++i, boxes += 4) {
    const Side rows{PlaceOf(boxes[0], canvas.height), PlaceOf(boxes[2], canvas.height)};
    const Side columns{PlaceOf(boxes[1], canvas.width), PlaceOf(boxes[3], canvas.width)};
    if (!IsVisible(rows, canvas.height) || !IsVisible(columns, canvas.width)) continue;
    const Colour& colour = colours[static_cast<size_t>(i) % colours.size()];
    std::ranges::transform(colour, canvas.colour.begin(), [](float value) { return static_cast<T>(value); });
    canvas.DrawBox(rows, columns);
  }
}

template <typename T> Status DrawBoxesCpu(KernelContext& c) {
  const Tensor &images = c.input(0), &boxes = c.input(1);
  if (images.rank() != 4) return InvalidArgument("The rank of the images should be 4, got ", images);
  if (boxes.rank() != 3) return InvalidArgument("The rank of the boxes tensor should be 3, got ", boxes);
  if (images.dim(0) != boxes.dim(0)) {
    return InvalidArgument("The batch sizes should be the same: images=", images, " boxes=", boxes);
  }
  if (boxes.dim(2) != 4) {
    return InvalidArgument("The size of the third dimension of the box must be 4. Received: ", boxes.dim(2));
  }
  const int64_t height = images.dim(1), width = images.dim(2), depth = images.dim(3), count = boxes.dim(1);
  if (depth != 1 && depth != 3 && depth != 4) {
    return InvalidArgument("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA), got ", images);
  }
  HR_ASSIGN_OR_RETURN(const std::vector<Colour> colours, ReadColours(c, depth));
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, images.shape()));
  if (images.num_elements() == 0) return OkStatus();
  const int64_t size = height * width * depth;
  T* const to = output->mutable_data<T>().data();
  const double image_ns = 0.3 * static_cast<double>(size) + 10 * static_cast<double>(count * (height + width));
  c.ParallelFor(images.dim(0), image_ns, [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin * size, images.data<T>().data() + begin * size,
                static_cast<size_t>((end - begin) * size) * sizeof(T));
    for (int64_t i = begin; i < end; ++i) {
      DrawBoxes<T>(boxes.data<float>().data() + i * count * 4, count, colours,
                   {to + i * size, height, width, depth, {}});
    }
  });
  return OkStatus();
}

Status DrawBoxesShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 3));
  return c.SetOutput(0, c.input(0));
}

OpDefinition Drawer(std::string_view name, std::string_view input) {
  return OpDefinition(StrCat(name, "(images: T, boxes: f32", input, ") -> (output: T) | T: type = f32 in {f32,f16}"))
      .Shape(DrawBoxesShape)
      .NoGradient("TensorFlow defines none")
      .Kernels(KernelsFor<float, Half>("T", []<typename T>() { return FunctionKernel(DrawBoxesCpu<T>); }));
}

}  // namespace

std::vector<OpDefinition> DrawBoxOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Drawer("DrawBoundingBoxes", ""));
  ops.push_back(Drawer("DrawBoundingBoxesV2", ", colors: f32"));
  return ops;
}

}  // namespace headrace
