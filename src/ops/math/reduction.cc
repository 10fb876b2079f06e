// Sum, Mean, Prod, Max, Min, All, Any over the axes in `reduction_indices` (negative ones count from the end), which keep_dims
// leaves as extents of 1. Half types are summed in float; integers wrap, their Mean is summed in 64 bits and truncated; a NaN
// wins in Max and Min. The mean of nothing is NaN, of integers 0. Source: TensorFlow's ops of the same names.
#include <algorithm>
#include <limits>

#include "kernel/reduce.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"
#include "ops/math/reduction.h"

namespace headrace {
namespace {

struct SumOf {
  template <typename A> static A Start() { return A(0); }
  template <typename A> static A Combine(A a, A b) { return AddFunctor()(a, b); }
};
struct ProductOf {
  template <typename A> static A Start() { return A(1); }
  template <typename A> static A Combine(A a, A b) { return MulFunctor()(a, b); }
};
struct MaxOf {
  template <typename A> static A Start() {
    return std::numeric_limits<A>::has_infinity ? -std::numeric_limits<A>::infinity()
                                                : std::numeric_limits<A>::lowest();
  }
  template <typename A> static A Combine(A a, A b) { return b != b || a < b ? b : a; }
};
struct MinOf {
  template <typename A> static A Start() {
    return std::numeric_limits<A>::has_infinity ? std::numeric_limits<A>::infinity() : std::numeric_limits<A>::max();
  }
  template <typename A> static A Combine(A a, A b) { return b != b || b < a ? b : a; }
};
struct AllOf {
  template <typename A> static A Start() { return true; }
  template <typename A> static A Combine(A a, A b) { return a && b; }
};
struct AnyOf {
  template <typename A> static A Start() { return false; }
  template <typename A> static A Combine(A a, A b) { return a || b; }
};

/// The loops of one op (Op) over elements T with accumulators A.
template <typename Op, typename T, typename A> struct Loops {
  static void Start(void* accumulators, int64_t count) {
    std::fill_n(static_cast<A*>(accumulators), count, Op::template Start<A>());
  }
  static void Run(const void* elements, int64_t count, void* accumulator) {
    const T* x = static_cast<const T*>(elements);
    A lanes[4] = {*static_cast<A*>(accumulator), Op::template Start<A>(), Op::template Start<A>(),
                  Op::template Start<A>()};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (int64_t lane = 0; lane < 4; ++lane) lanes[lane] = Op::Combine(lanes[lane], static_cast<A>(x[i + lane]));
    }
    for (; i < count; ++i) lanes[0] = Op::Combine(lanes[0], static_cast<A>(x[i]));
    *static_cast<A*>(accumulator) = Op::Combine(Op::Combine(lanes[0], lanes[1]), Op::Combine(lanes[2], lanes[3]));
  }
  static void Row(const void* elements, int64_t count, void* accumulators) {
    const T* x = static_cast<const T*>(elements);
    A* sums = static_cast<A*>(accumulators);
    for (int64_t i = 0; i < count; ++i) sums[i] = Op::Combine(sums[i], static_cast<A>(x[i]));
  }
  static void Merge(const void* from, int64_t count, void* accumulators) {
    const A* x = static_cast<const A*>(from);
    A* sums = static_cast<A*>(accumulators);
    for (int64_t i = 0; i < count; ++i) sums[i] = Op::Combine(sums[i], x[i]);
  }
  static void Finish(const void* accumulators, int64_t count, int64_t, void* results) {
    const A* sums = static_cast<const A*>(accumulators);
    for (int64_t i = 0; i < count; ++i) static_cast<T*>(results)[i] = static_cast<T>(sums[i]);
  }
  static void FinishMean(const void* accumulators, int64_t count, int64_t group, void* results) {
    const A* sums = static_cast<const A*>(accumulators);
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<A>) {
        static_cast<T*>(results)[i] = group == 0 ? T(0) : static_cast<T>(sums[i] / static_cast<A>(group));
      } else if constexpr (kIsComplex<A>) {
        static_cast<T*>(results)[i] = sums[i] / static_cast<typename A::value_type>(group);
      } else {
        static_cast<T*>(results)[i] = static_cast<T>(sums[i] / static_cast<A>(group));
      }
    }
  }
  static constexpr ReduceLoops kTable = {sizeof(T), sizeof(A), Start, Run, Row, Merge, Finish};
};

void FloatAddRow(const void* elements, int64_t count, void* sums) {
  GetFloatLoops().add(sums, elements, sums, count, 1, 1);
}
void FloatMaxRow(const void* elements, int64_t count, void* sums) {
  GetFloatLoops().maximum(sums, elements, sums, count, 1, 1);
}
void FloatMinRow(const void* elements, int64_t count, void* sums) {
  GetFloatLoops().minimum(sums, elements, sums, count, 1, 1);
}

// Vectorised float loops in place of the plain ones.
template <typename Op> void UseFloatLoops(ReduceLoops* loops) {
  const FloatLoops& fast = GetFloatLoops();
  if constexpr (std::is_same_v<Op, SumOf>) {
    loops->run = fast.sum, loops->row = loops->merge = FloatAddRow;
  } else if constexpr (std::is_same_v<Op, MaxOf>) {
    loops->run = fast.max, loops->row = loops->merge = FloatMaxRow;
  } else if constexpr (std::is_same_v<Op, MinOf>) {
    loops->run = fast.min, loops->row = loops->merge = FloatMinRow;
  }
}

class ReductionKernel final : public Kernel {
 public:
  ReductionKernel(KernelConstruction& construction, const ReduceLoops& loops)
      : loops_(loops), keep_dims_(construction.attr<bool>("keep_dims")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& input = context.input(0);
    HR_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(input.rank(), context.input(1)));
    const Shape shape = ReducedShape(input.shape(), reduced, keep_dims_);
    if (shape.num_elements() == input.num_elements() && input.num_elements() > 0) {
      return context.SetOutput(0, input.Reshaped(shape));  // every result is made of one element
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    return Reduce(context, loops_, input, reduced, output->mutable_raw());
  }

 private:
  const ReduceLoops loops_;
  const bool keep_dims_;
};

KernelDefinition ReductionKernelFor(DType type, const ReduceLoops& loops) {
  return {.types = {{"T", {type}}},
          .host_memory_args = {"reduction_indices"},
          .factory = [loops](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<ReductionKernel>(construction, loops));
          }};
}

template <typename T>
using SumAccumulator = typename std::conditional_t<std::is_integral_v<T>, std::type_identity<uint64_t>,
                                                   std::type_identity<ComputeType<T>>>::type;
template <typename T>
using MeanAccumulator = std::conditional_t<std::is_integral_v<T>,
                                           std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>, ComputeType<T>>;

template <typename Op, typename T, typename A> KernelDefinition KernelOf(bool mean = false) {
  ReduceLoops loops = Loops<Op, T, A>::kTable;
  if constexpr (std::is_same_v<T, float>) UseFloatLoops<Op>(&loops);
  if (mean) loops.finish = Loops<Op, T, A>::FinishMean;
  return ReductionKernelFor(kDTypeOf<T>, loops);
}

template <typename Op, typename... Ts> std::vector<KernelDefinition> SumKernels(Types<Ts...>) {
  return {KernelOf<Op, Ts, SumAccumulator<Ts>>()...};
}
template <typename... Ts> std::vector<KernelDefinition> MeanKernels(Types<Ts...>) {
  return {KernelOf<SumOf, Ts, MeanAccumulator<Ts>>(/*mean=*/true)...};
}
template <typename Op, typename... Ts> std::vector<KernelDefinition> ExtremumKernels(Types<Ts...>) {
  return {KernelOf<Op, Ts, ComputeType<Ts>>()...};
}

using SumTypes = Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                       uint64_t, std::complex<float>, std::complex<double>>;
using OrderedTypes =
    Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;

OpDefinition Reduction(std::string_view name, std::string_view types, std::vector<KernelDefinition> kernels) {
  return OpDefinition(
             StrCat(name, "(input: T, reduction_indices: Tidx) -> (output: T) | keep_dims: bool = false | T: type in {",
                    types, "} | Tidx: type = i32 in {i32,i64}"))
      .Shape(ReductionShape)
      .Kernels(std::move(kernels));
}

template <typename Op> OpDefinition BoolReduction(std::string_view name) {
  KernelDefinition kernel = ReductionKernelFor(DType::kBool, Loops<Op, bool, bool>::kTable);
  kernel.types.clear();  // the ops have no attribute T
  return OpDefinition(StrCat(name,
                             "(input: bool, reduction_indices: Tidx) -> (output: bool) | keep_dims: bool = false | "
                             "Tidx: type = i32 in {i32,i64}"))
      .Shape(ReductionShape)
      .NoGradient("not differentiable: a predicate")
      .Kernels({std::move(kernel)});
}

constexpr std::string_view kNumbers = "f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64";
constexpr std::string_view kOrdered = "f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64,qi8,qu8,qi32,qi16,qu16";

}  // namespace

std::vector<OpDefinition> ReductionOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Reduction("Sum", kNumbers, SumKernels<SumOf>(SumTypes())).Gradient(SumGradient));
  ops.push_back(Reduction("Mean", kNumbers, MeanKernels(SumTypes())).Gradient(MeanGradient));
  ops.push_back(Reduction("Prod", kNumbers, SumKernels<ProductOf>(SumTypes())).Gradient(ProdGradient));
  ops.push_back(Reduction("Max", kOrdered, ExtremumKernels<MaxOf>(OrderedTypes())).Gradient(ExtremumOfAxesGradient));
  ops.push_back(Reduction("Min", kOrdered, ExtremumKernels<MinOf>(OrderedTypes())).Gradient(ExtremumOfAxesGradient));
  ops.push_back(BoolReduction<AllOf>("All"));
  ops.push_back(BoolReduction<AnyOf>("Any"));
  return ops;
}

}  // namespace headrace
