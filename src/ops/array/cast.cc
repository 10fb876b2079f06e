// Cast: each element converted to another type. Floats to integers go towards zero; what does not fit an i32 (i64 for the wider
// types) becomes its lowest value, and is then cut to the type's bits, as on x86 and in TensorFlow. A complex number's real part is
// taken. With Truncate, floats lose digits without rounding. Source: TensorFlow's op `Cast`.
#include <bit>
#include <limits>

#include "graph/shape_context.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"

namespace headrace {
namespace {

using CastLoop = UnaryLoop;

// NaN and what is out of range give the lowest integer.
template <typename Integer, typename Float> Integer Indefinite(Float x) {
  constexpr Float kLimit = static_cast<Float>(std::numeric_limits<Integer>::max() / 2 + 1) * Float(2);
  return x >= -kLimit && x < kLimit ? static_cast<Integer>(x) : std::numeric_limits<Integer>::lowest();
}

template <typename D, typename Float> D IntegerFrom(Float x) {
  if constexpr (std::is_same_v<D, uint64_t>) {
    constexpr Float kHalf = Float(9223372036854775808.0);
    if (x >= kHalf) return static_cast<D>(Indefinite<int64_t>(x - kHalf)) ^ (uint64_t{1} << 63);
    return static_cast<D>(Indefinite<int64_t>(x));
  } else if constexpr (sizeof(D) == 8 || std::is_same_v<D, uint32_t>) {
    return static_cast<D>(Indefinite<int64_t>(x));
  } else {
    return static_cast<D>(Indefinite<int32_t>(x));
  }
}

template <typename D, typename S> D Convert(S x) {
  if constexpr (kIsComplex<D> && kIsComplex<S>) {
    return D(static_cast<typename D::value_type>(x.real()), static_cast<typename D::value_type>(x.imag()));
  } else if constexpr (kIsComplex<D>) {
    return D(static_cast<typename D::value_type>(x), 0);
  } else if constexpr (kIsComplex<S>) {
    if constexpr (std::is_same_v<D, bool>)
      return x != S(0);
    else
      return Convert<D>(x.real());
  } else if constexpr (std::is_same_v<D, bool>) {
    return x != S(0);
  } else if constexpr (std::is_integral_v<D> && std::is_floating_point_v<S>) {
    return IntegerFrom<D>(x);
  } else {
    return static_cast<D>(x);
  }
}

template <typename D, typename S> void CastRun(const void* from, void* to, int64_t count) {
  const S* x = static_cast<const S*>(from);
  D* y = static_cast<D*>(to);
  // The half types are converted through float on both sides.
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<D>(Convert<ComputeType<D>>(static_cast<ComputeType<S>>(x[i])));
}

// Clears the low bits that a conversion from float would round.
template <typename D, uint32_t kMask> void TruncateRun(const void* from, void* to, int64_t count) {
  const float* x = static_cast<const float*>(from);
  for (int64_t i = 0; i < count; ++i) {
    static_cast<D*>(to)[i] = static_cast<D>(std::bit_cast<float>(std::bit_cast<uint32_t>(x[i]) & kMask));
  }
}

class CastKernel final : public Kernel {
 public:
  CastKernel(CastLoop loop, bool same_size) : loop_(loop), same_size_(same_size) {}

  Status Compute(KernelContext& context) override {
    if (loop_ == nullptr) return context.SetOutput(0, context.TakeInput(0));  // nothing to convert
    const Tensor& x = context.input(0);
    const char* from = static_cast<const char*>(x.raw());
    const int64_t count = x.num_elements(), from_size = DTypeSize(x.dtype());
    Result<Tensor*> made =
        same_size_ ? context.AllocateOrReuse(0, {0}, x.shape()) : context.AllocateOutput(0, x.shape());
    if (!made.ok()) return made.status();
    char* to = static_cast<char*>((*made)->mutable_raw());
    const int64_t to_size = DTypeSize((*made)->dtype());
    ForRange(context, count, 0.7,
             [&](int64_t begin, int64_t end) { loop_(from + begin * from_size, to + begin * to_size, end - begin); });
    return OkStatus();
  }

 private:
  const CastLoop loop_;
  const bool same_size_;
};

template <typename S, typename... Ds> KernelDefinition CastKernelFrom(Types<Ds...>) {
  return {.types = {{"SrcT", {kDTypeOf<S>}}, {"DstT", {kDTypeOf<Ds>...}}},
          .factory = [](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
            DType target = DType::kInvalid;
            HR_RETURN_IF_ERROR(construction.GetAttr("DstT", &target));
            CastLoop loop = nullptr;
            if (target != kDTypeOf<S>) ((target == kDTypeOf<Ds> ? void(loop = CastRun<Ds, S>) : void()), ...);
            if (std::is_same_v<S, float> && construction.attr<bool>("Truncate")) {
              if (target == DType::kBfloat16) loop = TruncateRun<BFloat16, 0xffff0000>;
              if (target == DType::kHalf) loop = TruncateRun<Half, 0xffffe000>;
            }
            return std::unique_ptr<Kernel>(std::make_unique<CastKernel>(loop, DTypeSize(target) == sizeof(S)));
          }};
}

using CastTypes = Types<bool, uint8_t, uint16_t, uint32_t, uint64_t, int8_t, int16_t, int32_t, int64_t, Half, BFloat16,
                        float, double, std::complex<float>, std::complex<double>>;

template <typename... Ss> std::vector<KernelDefinition> CastKernels(Types<Ss...>) {
  std::vector<KernelDefinition> kernels = {CastKernelFrom<Ss>(CastTypes())...};
  for (const DType same : {DType::kString, DType::kResource, DType::kVariant}) {
    kernels.push_back({.types = {{"SrcT", {same}}, {"DstT", {same}}},
                       .factory = [](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
                         return std::unique_ptr<Kernel>(std::make_unique<CastKernel>(nullptr, true));
                       }});
  }
  return kernels;
}

// Between floating (and complex) types only.
Status CastGradient(GradientContext& c) {
  const DType from = RemoveRef(c.input(0).dtype()), to = c.output(0).dtype();
  if (!(IsFloating(from) || IsComplex(from)) || !(IsFloating(to) || IsComplex(to))) return OkStatus();
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("Cast", {}, {{"DstT", from}}));
}

}  // namespace

std::vector<OpDefinition> CastOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Cast(x: SrcT) -> (y: DstT) | SrcT: type | DstT: type | Truncate: bool = false")
                    .Shape(UnchangedShape)
                    .Gradient(CastGradient)
                    .Kernels(CastKernels(CastTypes())));
  return ops;
}

}  // namespace headrace
