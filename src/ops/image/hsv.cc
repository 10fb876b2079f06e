// RGBToHSV, HSVToRGB: pixels (the last dimension, of 3) as hue, saturation, value from 0 to 1, and back. AdjustHue: the hue turned
// by `delta` of the circle. AdjustSaturation: the saturation times `scale`, kept within 0 and 1.
// Errors: kInvalidArgument where the last dimension is not 3, for images of rank below 3 to adjust, and for a delta or scale that
// is no scalar.

#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/formula.h"
#include "ops/image/hsv_loops.h"
#include "ops/image/image_ops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

// Runs map(from, to, pixels) over the pixels of the image; halves go through it a block of floats at a time.
// REQUIRES: the last dimension is 3.
template <typename T, typename Map> Status MapPixels(KernelContext& c, Map map) {
  const T* x = c.input(0).data<T>().data();
  const Shape shape = c.input(0).shape();
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOrReuse(0, {0}, shape));
  T* y = output->mutable_data<T>().data();
  c.ParallelFor(shape.num_elements() / 3, 3, [&](int64_t begin, int64_t end) {
    if constexpr (sizeof(T) >= sizeof(float)) {
      map(x + 3 * begin, y + 3 * begin, end - begin);
    } else {
      constexpr int64_t kBlock = 256;
      float block[3 * kBlock];
      for (; begin < end; begin += kBlock) {
        const int64_t pixels = std::min(kBlock, end - begin);
        std::transform(x + 3 * begin, x + 3 * (begin + pixels), block,
                       [](T value) { return static_cast<float>(value); });
        map(block, block, pixels);
        std::transform(block, block + 3 * pixels, y + 3 * begin, [](float value) { return static_cast<T>(value); });
      }
    }
  });
  return OkStatus();
}

template <typename T, bool kToHsv> Status ConvertCpu(KernelContext& c) {
  const Tensor& images = c.input(0);
  if (images.rank() < 1) return InvalidArgument("input must be at least 1D", images.shape());
  if (const int64_t channels = images.dim(images.rank() - 1); channels != 3) {
    return InvalidArgument("input must have 3 channels but input only has ", channels, " channels.");
  }
  return MapPixels<T>(c, [](const auto* x, auto* y, int64_t pixels) {
    if constexpr (kToHsv) {
      RgbToHsv(x, y, pixels);
    } else {
      HsvToRgb(x, y, pixels);
    }
  });
}

Status ConvertShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  PartialShape out = c.input(0);
  if (out.has_rank()) {
    const int64_t channels = out.dim(out.rank() - 1);
    if (channels != PartialShape::kUnknownDim && channels != 3) {
      return InvalidArgument("Dimensions must be equal, but are ", channels, " and 3: images=", out);
    }
    out.SetDim(out.rank() - 1, 3);
  }
  return c.SetOutput(0, std::move(out));
}

Status CheckAdjustment(const KernelContext& c, std::string_view what) {
  const Tensor &images = c.input(0), &by = c.input(1);
  if (images.rank() < 3) return InvalidArgument("input must be at least 3-D, got shape", images.shape());
  if (!by.shape().IsScalar()) return InvalidArgument(what, " must be scalar: ", by.shape());
  if (const int64_t channels = images.dim(images.rank() - 1); channels != 3) {
    return InvalidArgument("input must have 3 channels but instead has ", channels, " channels.");
  }
  return OkStatus();
}

template <typename T> Status AdjustHueCpu(KernelContext& c) {
  HR_RETURN_IF_ERROR(CheckAdjustment(c, "delta"));
  const float turns = c.input(1).scalar<float>();
  return MapPixels<T>(c, [turns](const float* x, float* y, int64_t pixels) { TurnHue(x, y, pixels, turns); });
}

template <typename T> Status AdjustSaturationCpu(KernelContext& c) {
  HR_RETURN_IF_ERROR(CheckAdjustment(c, "scale"));
  const float scale = c.input(1).scalar<float>();
  return MapPixels<T>(c, [scale](const float* x, float* y, int64_t pixels) { ScaleSaturation(x, y, pixels, scale); });
}

Status AdjustShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 3));
  return c.SetOutput(0, c.input(0));
}

// What the gradient asks about a pixel's channels: numbers 0 or 1, of which among equals the first channel is the largest and the
// last the least.
struct Order {
  std::vector<Formula> most, least;
};

Order OrderOf(const std::vector<Formula>& rgb) {
  const Formula &r = rgb[0], &g = rgb[1], &b = rgb[2];
  const auto both = [&](const Formula& p, const Formula& q) {
    return p.Apply("LogicalAnd", {q})
        .Apply("Cast", {}, {{"DstT", RemoveRef(r.endpoint() ? r.endpoint().dtype() : DType::kFloat)}});
  };
  return {{both(r.Apply("GreaterEqual", {b}), r.Apply("GreaterEqual", {g})),
           both(g.Apply("Greater", {r}), g.Apply("GreaterEqual", {b})),
           both(b.Apply("Greater", {r}), b.Apply("Greater", {g}))},
          {both(r.Apply("Less", {b}), r.Apply("Less", {g})), both(g.Apply("LessEqual", {r}), g.Apply("Less", {b})),
           both(b.Apply("LessEqual", {r}), b.Apply("LessEqual", {g}))}};
}

std::vector<Formula> Channels(const Formula& pixels) {
  std::vector<Formula> channels;
  Node* unpack = pixels.builder().AddNode("Unpack", {pixels}, {{"num", int64_t{3}}, {"axis", int64_t{-1}}});
  for (int i = 0; i < 3; ++i) {
    channels.emplace_back(pixels.builder(), unpack == nullptr ? Endpoint() : Endpoint{unpack, i});
  }
  return channels;
}

// With M the largest and m the least of a pixel, and each channel x followed by n and p round the circle:
//   dV/dx = 1 where x is M;   dS/dx = m / M^2 where x is M, -1 / M where x is m (0 where x is not positive);
//   dH/dx = ((p - n) / (M - m)^2 where x is M or m, +-1 / (M - m) where it is neither) / 6, + where p is M.
Status RgbToHsvGradient(GradientContext& c) {
  const std::vector<Formula> rgb = Channels(InputFormula(c, 0)), hsv = Channels(OutputFormula(c));
  const std::vector<Formula> dy = Channels(OutputGradientFormula(c));
  if (!c.builder().status().ok()) return c.builder().status();
  const Order order = OrderOf(rgb);
  const auto inverse = [](const Formula& x) { return x.Number(1).Apply("DivNoNan", {x}); };
  const auto positive = [](const Formula& x) {
    return x.Apply("Greater", {x.Number(0)}).Apply("Cast", {}, {{"DstT", RemoveRef(x.endpoint().dtype())}});
  };
  const Formula most = hsv[2], least = rgb[0].Apply("Minimum", {rgb[1].Apply("Minimum", {rgb[2]})});
  const Formula per_most = inverse(most), per_range = inverse(most - least);
  const Formula hue = dy[0] * positive(most) * per_range / 6.0;
  std::vector<Endpoint> dx;
  for (size_t x = 0; x < 3; ++x) {
    const size_t n = (x + 1) % 3, p = (x + 2) % 3;
    const Formula extreme = order.most[x] + order.least[x];
    const Formula value = dy[2] * order.most[x];
    const Formula saturation =
        dy[1] * positive(rgb[x]) * per_most * (order.most[x] * least * per_most - order.least[x]);
    const Formula turn = extreme * (rgb[p] - rgb[n]) * per_range + (1.0 - extreme) * (order.most[p] - order.most[n]);
    dx.push_back(value + saturation + hue * turn);
  }
  return c.SetInputGradient(0, c.Op("Pack", std::move(dx), {{"axis", int64_t{-1}}}));
}

std::vector<KernelDefinition> Adjusting(KernelFunction of_float, KernelFunction of_half) {
  return {KernelDefinition{.types = {{"T", {DType::kFloat}}}, .factory = FunctionKernel(of_float)},
          KernelDefinition{.types = {{"T", {DType::kHalf}}}, .factory = FunctionKernel(of_half)}};
}

template <bool kToHsv> OpDefinition Conversion(std::string_view name) {
  return OpDefinition(StrCat(name, "(images: T) -> (output: T) | T: type = f32 in ", kFloatTypes))
      .Shape(ConvertShape)
      .Kernels(KernelsFor<Half, BFloat16, float, double>(
          "T", []<typename T>() { return FunctionKernel(ConvertCpu<T, kToHsv>); }));
}

}  // namespace

std::vector<OpDefinition> HsvOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Conversion<true>("RGBToHSV").Gradient(RgbToHsvGradient));
  ops.push_back(Conversion<false>("HSVToRGB").NoGradient("TensorFlow defines none"));
  ops.push_back(OpDefinition("AdjustHue(images: T, delta: f32) -> (output: T) | T: type = f32 in {f16,f32}")
                    .Shape(AdjustShape)
                    .NoGradient("TensorFlow defines none")
                    .Kernels(Adjusting(AdjustHueCpu<float>, AdjustHueCpu<Half>)));
  ops.push_back(OpDefinition("AdjustSaturation(images: T, scale: f32) -> (output: T) | T: type = f32 in {f16,f32}")
                    .Shape(AdjustShape)
                    .NoGradient("TensorFlow defines none")
                    .Kernels(Adjusting(AdjustSaturationCpu<float>, AdjustSaturationCpu<Half>)));
  return ops;
}

}  // namespace headrace
