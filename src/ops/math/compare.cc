// Comparisons with broadcasting, and the logical ops. Equal and NotEqual may be told to answer false and true for shapes that
// do not fit (incompatible_shape_error=false). Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

struct LessFunctor {
  template <typename T> bool operator()(T x, T y) const { return x < y; }
};
struct LessEqualFunctor {
  template <typename T> bool operator()(T x, T y) const { return x <= y; }
};
struct GreaterFunctor {
  template <typename T> bool operator()(T x, T y) const { return x > y; }
};
struct GreaterEqualFunctor {
  template <typename T> bool operator()(T x, T y) const { return x >= y; }
};
struct EqualFunctor {
  template <typename T> bool operator()(const T& x, const T& y) const { return x == y; }
};
struct NotEqualFunctor {
  template <typename T> bool operator()(const T& x, const T& y) const { return x != y; }
};
struct AndFunctor {
  bool operator()(bool x, bool y) const { return x && y; }
};
struct OrFunctor {
  bool operator()(bool x, bool y) const { return x || y; }
};

constexpr std::string_view kPredicate = "not differentiable: a predicate";

template <typename F> std::vector<KernelDefinition> Reals(BinaryLoop float_loop) {
  return Join(Join(BinaryKernels<F>(FloatTypes(), 0.5, float_loop), BinaryKernels<F>(SignedTypes(), 0.5)),
              BinaryKernels<F>(UnsignedTypes(), 0.5));
}

template <typename F> OpDefinition Comparison(std::string_view name, BinaryLoop float_loop) {
  return BinaryOp(
      StrCat(name, "(x: T, y: T) -> (z: bool) | T: type in {f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64}"),
      Reals<F>(float_loop), kPredicate);
}

// Whether the shapes broadcast, without the cost of an error.
bool Fit(const Shape& x, const Shape& y) {
  for (int d = 1; d <= std::min(x.rank(), y.rank()); ++d) {
    const int64_t a = x.dim(x.rank() - d), b = y.dim(y.rank() - d);
    if (a != b && a != 1 && b != 1) return false;
  }
  return true;
}

/// Equal and NotEqual for one type.
class Equality final : public Kernel {
 public:
  Equality(KernelConstruction& construction, BinaryLoop loop, bool of_misfits)
      : loop_(loop), of_misfits_(of_misfits), refuse_(construction.attr<bool>("incompatible_shape_error", true)) {}

  Status Compute(KernelContext& context) override {
    if (!refuse_ && !Fit(context.input(0).shape(), context.input(1).shape())) {
      return context.SetOutput(0, Tensor::Scalar<bool>(of_misfits_));
    }
    return ComputeBinary(context, loop_, /*cost_ns=*/0.5);
  }

 private:
  const BinaryLoop loop_;
  const bool of_misfits_;
  const bool refuse_;
};

// Strings are compared where they are; BinaryRun would copy them.
template <typename F>
void StringRun(const void* x_data, const void* y_data, void* z_data, int64_t count, int64_t x_step, int64_t y_step) {
  const std::string* x = static_cast<const std::string*>(x_data);
  const std::string* y = static_cast<const std::string*>(y_data);
  for (int64_t i = 0; i < count; ++i) static_cast<bool*>(z_data)[i] = F()(x[i * x_step], y[i * y_step]);
}

KernelDefinition EqualityKernel(DType type, BinaryLoop loop, bool of_misfits) {
  return {.types = {{"T", {type}}},
          .factory = [=](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<Equality>(construction, loop, of_misfits));
          }};
}

template <typename F, typename... Ts>
std::vector<KernelDefinition> EqualityKernels(Types<Ts...>, bool of_misfits, BinaryLoop float_loop = nullptr) {
  return {EqualityKernel(kDTypeOf<Ts>, std::is_same_v<Ts, float> && float_loop ? float_loop : BinaryRun<F, Ts>,
                         of_misfits)...};
}

Status EqualityShape(ShapeContext& c) {
  if (c.attr<bool>("incompatible_shape_error", true)) return BroadcastBinaryShape(c);
  return c.SetOutput(0, PartialShape());
}

template <typename F> OpDefinition EqualityOp(std::string_view name, bool of_misfits, BinaryLoop float_loop) {
  std::vector<KernelDefinition> kernels = EqualityKernels<F>(FloatTypes(), of_misfits, float_loop);
  kernels = Join(std::move(kernels), EqualityKernels<F>(SignedTypes(), of_misfits));
  kernels = Join(std::move(kernels), EqualityKernels<F>(UnsignedTypes(), of_misfits));
  kernels = Join(std::move(kernels), EqualityKernels<F>(ComplexTypes(), of_misfits));
  kernels.push_back(EqualityKernel(DType::kBool, BinaryRun<F, bool>, of_misfits));
  kernels.push_back(EqualityKernel(DType::kString, StringRun<F>, of_misfits));
  return OpDefinition(
             StrCat(name, "(x: T, y: T) -> (z: bool) | T: type | incompatible_shape_error: bool = true | commutative"))
      .Shape(EqualityShape)
      .NoGradient(kPredicate)
      .Kernels(std::move(kernels));
}

/// z = |x - y| < tolerance, for equal shapes.
template <typename T> class ApproximateEqual final : public Kernel {
 public:
  explicit ApproximateEqual(KernelConstruction& construction)
      : tolerance_(construction.attr<float>("tolerance", 1e-5f)) {}

  Status Compute(KernelContext& context) override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.input(1);
    if (x.shape() != y.shape()) {
      return InvalidArgument("x and y must be of the same shape. x shape: ", x.shape(), ". y shape: ", y.shape());
    }
    HR_ASSIGN_OR_RETURN(Tensor * z, context.AllocateOutput(0, x.shape()));
    const std::span<const T> a = x.data<T>(), b = y.data<T>();
    for (size_t i = 0; i < a.size(); ++i)
      z->mutable_data<bool>()[i] = Distance(a[i], b[i]) < static_cast<double>(tolerance_);
    return OkStatus();
  }

 private:
  static double Distance(T x, T y) {
    if constexpr (kIsComplex<T>)
      return static_cast<double>(std::abs(x - y));
    else
      return std::abs(static_cast<double>(x) - static_cast<double>(y));
  }
  const float tolerance_;
};

Status SameShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.input(1)));
  return c.SetOutput(0, std::move(shape));
}

}  // namespace

std::vector<OpDefinition> CompareOps() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(Comparison<LessFunctor>("Less", loops.less));
  ops.push_back(Comparison<LessEqualFunctor>("LessEqual", loops.less_equal));
  ops.push_back(Comparison<GreaterFunctor>("Greater", loops.greater));
  ops.push_back(Comparison<GreaterEqualFunctor>("GreaterEqual", loops.greater_equal));
  ops.push_back(EqualityOp<EqualFunctor>("Equal", /*of_misfits=*/false, loops.equal));
  ops.push_back(EqualityOp<NotEqualFunctor>("NotEqual", /*of_misfits=*/true, loops.not_equal));
  ops.push_back(
      OpDefinition("ApproximateEqual(x: T, y: T) -> (z: bool) | T: type in {f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,"
                   "qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64} | tolerance: float = 9.999999747378752e-06 | commutative")
          .Shape(SameShape)
          .NoGradient(kPredicate)
          .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t, std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return ClassKernel<ApproximateEqual<T>>(); })));
  return ops;
}

std::vector<OpDefinition> LogicalOps() {
  const auto kernels = [](BinaryLoop loop) {
    KernelDefinition kernel = BinaryKernel(DType::kBool, loop, nullptr, 0.5);
    kernel.types.clear();  // the ops have no attribute T
    return std::vector<KernelDefinition>{std::move(kernel)};
  };
  std::vector<OpDefinition> ops;
  ops.push_back(BinaryOp("LogicalAnd(x: bool, y: bool) -> (z: bool) | commutative",
                         kernels(BinaryRun<AndFunctor, bool>), kPredicate));
  ops.push_back(BinaryOp("LogicalOr(x: bool, y: bool) -> (z: bool) | commutative", kernels(BinaryRun<OrFunctor, bool>),
                         kPredicate));
  return ops;
}

}  // namespace headrace
