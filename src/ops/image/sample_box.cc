// SampleDistortedBoundingBox, SampleDistortedBoundingBoxV2: a random box within an image [height, width, channels], as begin and
// size for Slice, and as `bboxes` [1, 1, 4] (y and x from, y and x to, as shares of the image). Its area and its ratio of width to
// height are within the ranges, and it covers at least min_object_covered of one of the bounding boxes; where max_attempts fail, it
// is the whole image. At equal seed and seed2 the boxes, of the first call and of later ones, are TensorFlow's.
// Errors: kInvalidArgument for shapes and ranges that make no sense, and where there is no bounding box, unless
// use_image_if_no_bounding_boxes.
#include <cmath>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/image/image_ops.h"
#include "ops/integers.h"
#include "ops/random/random_stream.h"

namespace headrace {

namespace {

struct Box {
  int32_t x0, y0, x1, y1;
  float Area() const { return static_cast<float>(int64_t{x1} - x0) * static_cast<float>(int64_t{y1} - y0); }
  Box Intersection(const Box& b) const {
    if (x0 > b.x1 || b.x0 > x1 || y0 > b.y1 || b.y0 > y1) return {0, 0, 0, 0};
    return {std::max(x0, b.x0), std::max(y0, b.y0), std::min(x1, b.x1), std::min(y1, b.y1)};
  }
};

// Uniform in [0, n). The words that a power of two would not take evenly are drawn again.
uint32_t DrawBelow32(PhiloxWords& words, uint32_t n) {
  if (n == 0) {
    words.Next();
    return 0;
  }
  if ((n & (n - 1)) == 0) return words.Next() & (n - 1);
  const uint32_t least = ~uint32_t{0} % n + 1;
  while (true) {
    if (const uint32_t word = words.Next(); word >= least) return word % n;
  }
}

// Kept where products of two are no more than an integer holds.
int64_t Rounded(float value) { return std::lrint(std::clamp(value == value ? value : -1.0F, -1.0F, 2147483648.0F)); }
int64_t RoundedTimes(int64_t whole, float factor) { return Rounded(static_cast<float>(whole) * factor); }

struct SampleAttrs {
  float aspect_low, aspect_high;
  float area_low, area_high;
  int64_t max_attempts;
  bool use_image;

  static Result<SampleAttrs> Read(const KernelConstruction& c) {
    const auto aspect = c.attr<std::vector<float>>("aspect_ratio_range", {0.75F, 1.33F});
    const auto area = c.attr<std::vector<float>>("area_range", {0.05F, 1.0F});
    if (aspect.size() != 2) {
      return InvalidArgument("Aspect ratio range field must specify 2 dimensions, got ", aspect.size());
    }
    if (!(aspect[0] > 0 && aspect[1] > 0)) {
      return InvalidArgument("Aspect ratio range must be non-negative: [", aspect[0], ", ", aspect[1], "]");
    }
    if (area.size() != 2) return InvalidArgument("Area range field must specify 2 dimensions, got ", area.size());
    if (!(area[0] > 0 && area[1] > 0)) {
      return InvalidArgument("Area range must be non-negative: [", area[0], ", ", area[1], "]");
    }
    if (!(area[0] <= 1 && area[1] <= 1)) {
      return InvalidArgument("Area range must be less then or equal to 1.0: [", area[0], ", ", area[1], "]");
    }
    const auto attempts = c.attr<int64_t>("max_attempts", 100);
    if (attempts <= 0 || attempts > INT32_MAX) {
      return InvalidArgument("Max attempts must be positive and below 2^31: ", attempts);
    }
    return SampleAttrs{aspect[0], aspect[1], area[0],
                       area[1],   attempts,  c.attr<bool>("use_image_if_no_bounding_boxes")};
  }
};

struct ImageSize {
  int32_t height, width;
};

// One attempt: false where rounding leaves the range of areas, or the box does not fit.
bool DrawBox(const SampleAttrs& attrs, ImageSize image, float aspect, PhiloxWords& words, Box* box) {
  if (attrs.area_low > attrs.area_high) return false;
  const float least_area = attrs.area_low * static_cast<float>(image.width) * static_cast<float>(image.height);
  const float most_area = attrs.area_high * static_cast<float>(image.width) * static_cast<float>(image.height);
  int64_t height = Rounded(std::sqrt(least_area / aspect));
  int64_t most = Rounded(std::sqrt(most_area / aspect));
  if (RoundedTimes(most, aspect) > image.width) {
    // The largest height whose width fits.
    constexpr float kLittle = 0.0000001F;
    most = static_cast<int64_t>(std::min((static_cast<float>(image.width) + 0.5F - kLittle) / aspect, 2147483648.0F));
    if (RoundedTimes(most, aspect) > image.width) --most;
  }
  most = std::min<int64_t>(most, image.height);
  height = std::min(height, most);
  if (height < most) height += DrawBelow32(words, static_cast<uint32_t>(most - height + 1));
  int64_t width = RoundedTimes(height, aspect);
  // Rounding alone shall not lead out of the range.
  const auto area = [&] { return static_cast<float>(width * height); };
  if (area() < least_area) width = RoundedTimes(++height, aspect);
  if (area() > most_area) width = RoundedTimes(--height, aspect);
  if (area() < least_area || area() > most_area || width > image.width || height > image.height || width <= 0 ||
      height <= 0) {
    return false;
  }
  const auto y = height < image.height ? DrawBelow32(words, static_cast<uint32_t>(image.height - height)) : 0;
  const auto x = width < image.width ? DrawBelow32(words, static_cast<uint32_t>(image.width - width)) : 0;
  *box = {static_cast<int32_t>(x), static_cast<int32_t>(y), static_cast<int32_t>(x + width),
          static_cast<int32_t>(y + height)};
  return true;
}

bool CoversOne(const Box& crop, const std::vector<Box>& objects, float least_covered) {
  constexpr float kPixel = 1;
  if (crop.Area() < kPixel) return false;
  return std::ranges::any_of(objects, [&](const Box& object) {
    return object.Area() >= kPixel && crop.Intersection(object).Area() / object.Area() >= least_covered;
  });
}

Result<ImageSize> ReadImageSize(const Tensor& size) {
  if (size.rank() != 1) return InvalidArgument("image_size must be 1-dimensional", size.shape());
  if (size.dim(0) != 3) return InvalidArgument("image_size must contain 3 elements", size.shape());
  const int64_t height = IntegerAt(size, 0), width = IntegerAt(size, 1);
  if (height >= INT32_MAX) return InvalidArgument("image height cannot be >= int32 max, got ", height);
  if (width >= INT32_MAX) return InvalidArgument("image width cannot be >= int32 max, got ", width);
  if (height <= 0 || width <= 0) {
    return InvalidArgument("Image height and width must be positive, got height=", height, " width=", width);
  }
  return ImageSize{static_cast<int32_t>(height), static_cast<int32_t>(width)};
}

Result<std::vector<Box>> ReadBoxes(const Tensor& boxes, ImageSize image, bool use_image) {
  if (boxes.rank() != 3) {
    return InvalidArgument("input boxes must be 3-dimensional [batch, num_boxes, coords]: ", boxes.shape());
  }
  if (boxes.dim(2) != 4) return InvalidArgument("bounding boxes must have shape [4] or [*, 4], got ", boxes.shape());
  std::vector<Box> objects;
  const std::span<const float> values = boxes.data<float>();
  for (size_t i = 0; i < values.size(); i += 4) {
    for (size_t k = i; k < i + 4; ++k) {
      if (!(values[k] >= 0 && values[k] <= 1)) {
        return InvalidArgument("All bounding box coordinates must be in [0.0, 1.0]: ", values[k]);
      }
    }
    const auto place = [](float share, int32_t extent) {
      return static_cast<int32_t>(std::min<int64_t>(static_cast<int64_t>(share * static_cast<float>(extent)), extent));
    };
    objects.push_back({place(values[i + 1], image.width), place(values[i], image.height),
                       place(values[i + 3], image.width), place(values[i + 2], image.height)});
  }
  if (objects.empty()) {
    if (!use_image) {
      return InvalidArgument(
          "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to not "
          "provide any bounding boxes.");
    }
    objects.push_back({0, 0, image.width, image.height});
  }
  return objects;
}

Status CheckCovered(float covered) {
  return covered >= 0 ? OkStatus() : InvalidArgument("Min object covered must be non-negative: ", covered);
}

template <typename T> class SampleBoxKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(const SampleAttrs attrs, SampleAttrs::Read(c));
    const auto covered = c.attr<float>("min_object_covered", 0.1F);
    HR_RETURN_IF_ERROR(CheckCovered(covered));
    return std::unique_ptr<Kernel>(new SampleBoxKernel(c, attrs, covered));
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ImageSize image, ReadImageSize(c.input(0)));
    float covered = covered_;
    if (c.num_inputs() == 3) {
      if (!c.input(2).shape().IsScalar()) {
        return InvalidArgument("min_object_covered must be 0-D, got shape ", c.input(2).shape());
      }
      covered = c.input(2).scalar<float>();
      HR_RETURN_IF_ERROR(CheckCovered(covered));
    }
    HR_ASSIGN_OR_RETURN(const std::vector<Box> objects, ReadBoxes(c.input(1), image, attrs_.use_image));
    HR_ASSIGN_OR_RETURN(const Box box, Sample(c, image, objects, covered));
    return Give(c, image, box);
  }

 private:
  SampleBoxKernel(const KernelConstruction& c, const SampleAttrs& attrs, float covered)
      : attrs_(attrs), covered_(covered), stream_(c) {}

  Result<Box> Sample(const KernelContext& c, ImageSize image, const std::vector<Box>& objects, float covered) {
    PhiloxWords words(stream_.TakeBlocks(static_cast<uint64_t>(attrs_.max_attempts)));
    for (int64_t i = 0; i < attrs_.max_attempts; ++i) {
      if (i % 4096 == 4095 && c.cancellation() != nullptr) HR_RETURN_IF_ERROR(c.cancellation()->status());
      const float aspect = UnitFloat(words.Next()) * (attrs_.aspect_high - attrs_.aspect_low) + attrs_.aspect_low;
      Box box;
      if (DrawBox(attrs_, image, aspect, words, &box) && CoversOne(box, objects, covered)) return box;
    }
    return Box{0, 0, image.width, image.height};
  }

  static Status Give(KernelContext& c, ImageSize image, const Box& box) {
    HR_ASSIGN_OR_RETURN(Tensor * begin, c.AllocateOutput(0, Shape({3})));
    HR_ASSIGN_OR_RETURN(Tensor * size, c.AllocateOutput(1, Shape({3})));
    HR_ASSIGN_OR_RETURN(Tensor * shares, c.AllocateOutput(2, Shape({1, 1, 4})));
    std::ranges::copy(std::array{static_cast<T>(box.y0), static_cast<T>(box.x0), T{0}},
                      begin->mutable_data<T>().begin());
    std::ranges::copy(std::array{static_cast<T>(box.y1 - box.y0), static_cast<T>(box.x1 - box.x0), static_cast<T>(-1)},
                      size->mutable_data<T>().begin());
    const auto height = static_cast<float>(image.height), width = static_cast<float>(image.width);
    std::ranges::copy(std::array{static_cast<float>(box.y0) / height, static_cast<float>(box.x0) / width,
                                 static_cast<float>(box.y1) / height, static_cast<float>(box.x1) / width},
                      shares->mutable_data<float>().begin());
    return OkStatus();
  }

  const SampleAttrs attrs_;
  const float covered_;
  RandomStream stream_;
};

Status SampleBoxShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 3));
  if (c.num_inputs() == 3) HR_RETURN_IF_ERROR(c.RequireScalar(2));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({3})));
  HR_RETURN_IF_ERROR(c.SetOutput(1, PartialShape({3})));
  return c.SetOutput(2, PartialShape({1, 1, 4}));
}

OpDefinition Sampler(std::string_view name, std::string_view input, std::string_view attr) {
  return OpDefinition(
             StrCat(name, "(image_size: T, bounding_boxes: f32", input,
                    ") -> (begin: T, size: T, bboxes: f32) | T: type in {u8,i8,i16,i32,i64} | seed: int = 0 | "
                    "seed2: int = 0",
                    attr,
                    " | aspect_ratio_range: list(float) = [0.75,1.3300000429153442] | area_range: list(float) = "
                    "[0.05000000074505806,1.0] | max_attempts: int = 100 | use_image_if_no_bounding_boxes: bool = "
                    "false | stateful"))
      .Shape(SampleBoxShape)
      .NoGradient("random")
      .Kernels(KernelsFor<uint8_t, int8_t, int16_t, int32_t, int64_t>(
          "T", []<typename T>() { return ClassKernel<SampleBoxKernel<T>>(); }));
}

}  // namespace

std::vector<OpDefinition> SampleBoxOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Sampler("SampleDistortedBoundingBox", "", " | min_object_covered: float = 0.10000000149011612"));
  ops.push_back(Sampler("SampleDistortedBoundingBoxV2", ", min_object_covered: f32", ""));
  return ops;
}

}  // namespace headrace
