// SegmentMax, SegmentMin, SegmentProd and UnsortedSegmentMax, ...Min, ...Prod: the largest row (element by element), the
// smallest, or the product of the rows that share a segment. Empty segments: 0 for Max and Min of sorted ids, the lowest and
// highest number for unsorted ones, 1 for Prod. Ids as in segment.cc.
#include <algorithm>
#include <limits>

#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"
#include "ops/math/segment.h"
#include "ops/signature_types.h"

namespace headrace {
namespace {

struct Max {
  template <typename C> static C Combine(C a, C b) { return b != b || a < b ? b : a; }
};
struct Min {
  template <typename C> static C Combine(C a, C b) { return b != b || b < a ? b : a; }
};
struct Prod {
  template <typename C> static C Combine(C a, C b) { return MulFunctor()(a, b); }
};

/// The number that stands for an empty segment.
template <typename Op, typename T, bool kUnsorted> T EmptyValue() {
  if constexpr (std::is_same_v<Op, Prod>)
    return static_cast<T>(ComputeType<T>{1});
  else if constexpr (!kUnsorted)
    return T{};
  else if constexpr (std::is_same_v<T, Half>)
    return Half::FromBits(std::is_same_v<Op, Max> ? 0xfbff : 0x7bff);
  else if constexpr (std::is_same_v<T, BFloat16>)
    return BFloat16::FromBits(std::is_same_v<Op, Max> ? 0xff7f : 0x7f7f);
  else
    return std::is_same_v<Op, Max> ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
}

template <typename Op, typename T, bool kUnsorted> Status Reduce(KernelContext& c) {
  using C = ComputeType<T>;
  HR_ASSIGN_OR_RETURN(const Shape shape, kUnsorted ? UnsortedSegmentOutput(c) : SortedSegmentOutput(c));
  const Tensor& ids = c.input(1);
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
  const std::span<T> out = output->mutable_data<T>();
  std::ranges::fill(out, EmptyValue<Op, T, kUnsorted>());
  if (out.empty()) return OkStatus();
  const int64_t width = shape.num_elements() / shape.dim(0);
  std::vector<bool> begun(static_cast<size_t>(shape.dim(0)));
  const T* from = c.input(0).data<T>().data();
  for (int64_t i = 0; i < ids.num_elements(); ++i, from += width) {
    const int64_t id = IntegerAt(ids, i);
    if (id < 0) continue;
    T* to = out.data() + id * width;
    if (!begun[static_cast<size_t>(id)]) {
      std::copy_n(from, width, to);
      begun[static_cast<size_t>(id)] = true;
    } else {
      for (int64_t k = 0; k < width; ++k)
        to[k] = static_cast<T>(Op::Combine(static_cast<C>(to[k]), static_cast<C>(from[k])));
    }
  }
  return OkStatus();
}

Formula SegmentSumOf(const GradientContext& c, const Formula& x, bool unsorted) {
  return unsorted ? x.Apply("UnsortedSegmentSum", {c.input(1), c.input(2)}) : x.Apply("SegmentSum", {c.input(1)});
}

// dy goes to the rows that equal the result, in equal parts.
template <bool kUnsorted> Status ExtremumGradient(GradientContext& c) {
  const Formula data = InputFormula(c, 0), dy = OutputGradientFormula(c);
  const Formula chosen = data.Apply("Equal", {RowsBySegment(c, OutputFormula(c), kUnsorted)});
  const Formula ones = chosen.Apply("Cast", {}, {{"DstT", RemoveRef(c.input(0).dtype())}});
  const Formula share = dy / SegmentSumOf(c, ones, kUnsorted);
  const Formula rows = RowsBySegment(c, share, kUnsorted);
  return c.SetInputGradient(0, chosen.Apply("SelectV2", {rows, rows.Number(0)}));
}

// d = dy * (product of the others in the segment): the product divided by the element; for an element that is 0, the product
// of those that are not; and 0 where two are 0.
template <bool kUnsorted> Status ProdGradient(GradientContext& c) {
  const Formula data = InputFormula(c, 0);
  const Formula is_zero = data.Apply("Equal", {data.Number(0)});
  const Formula zeros = SegmentSumOf(c, is_zero.Apply("Cast", {}, {{"DstT", DType::kInt32}}), kUnsorted);
  const Formula dy = OutputGradientFormula(c);
  const Formula kept = zeros.Apply("Greater", {zeros.Number(1)}).Apply("SelectV2", {dy.Number(0), dy});
  const Formula others = is_zero.Apply("SelectV2", {data.Number(1), data});
  const Formula product = kUnsorted ? others.Apply("UnsortedSegmentProd", {c.input(1), c.input(2)})
                                    : others.Apply("SegmentProd", {c.input(1)});
  const Formula of_zero = RowsBySegment(c, product, kUnsorted);
  const Formula of_rest = RowsBySegment(c, OutputFormula(c), kUnsorted) / data;
  return c.SetInputGradient(0, RowsBySegment(c, kept, kUnsorted) * is_zero.Apply("SelectV2", {of_zero, of_rest}));
}

template <typename Op, bool kUnsorted, typename... Ts> std::vector<KernelDefinition> SegmentKernels() {
  return KernelsFor<Ts...>("T", []<typename T>() { return FunctionKernel(Reduce<Op, T, kUnsorted>); });
}

template <typename Op, bool kUnsorted> std::vector<KernelDefinition> RealKernels() {
  return SegmentKernels<Op, kUnsorted, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                        uint16_t, uint32_t, uint64_t>();
}

template <typename Op, bool kUnsorted> OpDefinition SegmentOp(std::string_view name, std::string_view types) {
  return OpDefinition(StrCat(kUnsorted ? "Unsorted" : "", name, "(data: T, segment_ids: Tindices",
                             kUnsorted ? ", num_segments: Tnumsegments" : "", ") -> (output: T) | T: type in ", types,
                             " | Tindices: type in {i32,i64}",
                             kUnsorted ? " | Tnumsegments: type = i32 in {i32,i64}" : ""))
      .Shape(kUnsorted ? UnsortedSegmentShape : SortedSegmentShape);
}

template <bool kUnsorted> void AddOps(std::vector<OpDefinition>* ops) {
  ops->push_back(SegmentOp<Max, kUnsorted>("SegmentMax", kRealTypes)
                     .Gradient(ExtremumGradient<kUnsorted>)
                     .Kernels(RealKernels<Max, kUnsorted>()));
  ops->push_back(SegmentOp<Min, kUnsorted>("SegmentMin", kRealTypes)
                     .Gradient(ExtremumGradient<kUnsorted>)
                     .Kernels(RealKernels<Min, kUnsorted>()));
  ops->push_back(SegmentOp<Prod, kUnsorted>("SegmentProd", kNumberTypes)
                     .Gradient(ProdGradient<kUnsorted>)
                     .Kernels(Join(RealKernels<Prod, kUnsorted>(),
                                   SegmentKernels<Prod, kUnsorted, std::complex<float>, std::complex<double>>())));
}

}  // namespace

std::vector<OpDefinition> SegmentExtremumOps() {
  std::vector<OpDefinition> ops;
  AddOps<false>(&ops);
  AddOps<true>(&ops);
  return ops;
}

}  // namespace headrace
