// Cumsum, Cumprod: sums and products of the elements up to each one along an axis; `exclusive` leaves the element itself out,
// `reverse` runs from the end. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

AttrMap Reversed(const GradientContext& c) {
  return {{"exclusive", c.attr<bool>("exclusive")}, {"reverse", !c.attr<bool>("reverse")}};
}

Status CumsumGradient(GradientContext& c) {
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("Cumsum", {c.input(1)}, Reversed(c)));
}

// As TensorFlow's: not defined where an element is zero.
Status CumprodGradient(GradientContext& c) {
  const Formula x = InputFormula(c, 0);
  return c.SetInputGradient(
      0, (OutputFormula(c) * OutputGradientFormula(c)).Apply("Cumsum", {c.input(1)}, Reversed(c)) / x);
}

struct Scan {
  int64_t length, inner;
  bool exclusive, reverse;
};

/// Scans one [length, inner] block.
using ScanLoop = void (*)(const void* x, void* y, const Scan& scan);

template <typename F, int kStart, typename T> void ScanRun(const void* x_data, void* y_data, const Scan& scan) {
  using C = ComputeType<T>;
  const T* x = static_cast<const T*>(x_data);
  T* y = static_cast<T*>(y_data);
  for (int64_t i = 0; i < scan.inner; ++i) {
    C sum = C(kStart);
    for (int64_t k = 0; k < scan.length; ++k) {
      const int64_t at = (scan.reverse ? scan.length - 1 - k : k) * scan.inner + i;
      const C next = F()(sum, static_cast<C>(x[at]));
      y[at] = static_cast<T>(scan.exclusive ? sum : next);
      sum = next;
    }
  }
}

class ScanKernel final : public Kernel {
 public:
  ScanKernel(KernelConstruction& construction, ScanLoop loop)
      : loop_(loop), exclusive_(construction.attr<bool>("exclusive")), reverse_(construction.attr<bool>("reverse")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& x = context.input(0);
    const Tensor& axis_tensor = context.input(1);
    if (axis_tensor.num_elements() != 1)
      return InvalidArgument("ScanOp: axis must be a scalar, not ", axis_tensor.shape());
    const int64_t given =
        axis_tensor.dtype() == DType::kInt32 ? axis_tensor.scalar<int32_t>() : axis_tensor.scalar<int64_t>();
    const int64_t axis = given < 0 ? given + x.rank() : given;
    if (axis < 0 || axis >= x.rank()) {
      return InvalidArgument("ScanOp: Expected scan axis in the range [", -x.rank(), ", ", x.rank(), "), but got ",
                             given);
    }
    HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOutput(0, x.shape()));
    if (x.num_elements() == 0) return OkStatus();
    int64_t outer = 1;
    for (int d = 0; d < axis; ++d) outer *= x.dim(d);
    const Scan scan{.length = x.dim(static_cast<int>(axis)),
                    .inner = x.num_elements() / outer / x.dim(static_cast<int>(axis)),
                    .exclusive = exclusive_,
                    .reverse = reverse_};
    const int64_t block_bytes = scan.length * scan.inner * DTypeSize(x.dtype());
    ForRange(context, outer, static_cast<double>(scan.length * scan.inner), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        loop_(static_cast<const char*>(x.raw()) + i * block_bytes,
              static_cast<char*>(y->mutable_raw()) + i * block_bytes, scan);
      }
    });
    return OkStatus();
  }

 private:
  const ScanLoop loop_;
  const bool exclusive_;
  const bool reverse_;
};

template <typename F, int kStart, typename... Ts> std::vector<KernelDefinition> ScanKernels(Types<Ts...>) {
  const auto kernel = [](DType type, ScanLoop loop) {
    return KernelDefinition{.types = {{"T", {type}}},
                            .host_memory_args = {"axis"},
                            .factory = [loop](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
                              return std::unique_ptr<Kernel>(std::make_unique<ScanKernel>(construction, loop));
                            }};
  };
  return {kernel(kDTypeOf<Ts>, ScanRun<F, kStart, Ts>)...};
}

using AllTypes = Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                       uint64_t, std::complex<float>, std::complex<double>>;
constexpr std::string_view kRest =
    "(x: T, axis: Tidx) -> (out: T) | exclusive: bool = false | reverse: bool = false | T: type in "
    "{f32,f64,i32,u8,i16,i8,c64,i64,"
    "qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64} | Tidx: type = i32 in {i32,i64}";

}  // namespace

std::vector<OpDefinition> CumulativeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("Cumsum", kRest))
                    .Shape(UnchangedShape)
                    .Gradient(CumsumGradient)
                    .Kernels(ScanKernels<AddFunctor, 0>(AllTypes())));
  ops.push_back(OpDefinition(StrCat("Cumprod", kRest))
                    .Shape(UnchangedShape)
                    .Gradient(CumprodGradient)
                    .Kernels(ScanKernels<MulFunctor, 1>(AllTypes())));
  return ops;
}

}  // namespace headrace
