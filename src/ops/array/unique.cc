// Unique: the distinct elements of a vector in the order in which they come first, and for each element its place among them.
// ListDiff: the elements of x that are not in y, and where they stand in x. Source: TensorFlow's ops of the same names.
#include <bit>
#include <string>
#include <unordered_set>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

// What equal elements have in common: the value itself, or the number that a half type stands for.
template <typename T> auto Key(const T& value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return static_cast<float>(value);
  else
    return value;
}
template <typename T> using KeyOf = decltype(Key(std::declval<const T&>()));

void SetPlace(Tensor* places, size_t i, int64_t place) {
  if (places->dtype() == DType::kInt64) {
    places->mutable_data<int64_t>()[i] = place;
  } else {
    places->mutable_data<int32_t>()[i] = static_cast<int32_t>(place);
  }
}

Status CheckFits(const Tensor& places, int64_t count) {
  if (places.dtype() == DType::kInt32 && count > INT32_MAX)
    return InvalidArgument("unique does not support input tensors larger than ", INT32_MAX, " elements");
  return OkStatus();
}

/// The distinct elements of a vector: a hash table of their numbers, without memory of its own for each.
template <typename T> class Distinct {
 public:
  explicit Distinct(std::span<const T> from)
      : from_(from), slots_(std::bit_ceil(from.size() * 2 + 1), -1), shift_(64 - std::countr_zero(slots_.size())) {}

  /// The number of element i among the distinct ones, which it joins when it is new.
  int64_t NumberOf(size_t i) {
    const auto key = Key(from_[i]);
    constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // the hash of a number is the number
    size_t slot = (std::hash<KeyOf<T>>()(key) * kSpread) >> shift_;
    while (slots_[slot] >= 0) {
      if (Key(from_[firsts_[static_cast<size_t>(slots_[slot])]]) == key) return slots_[slot];
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = static_cast<int64_t>(firsts_.size());
    firsts_.push_back(i);
    return slots_[slot];
  }
  /// Where each of them comes first.
  const std::vector<size_t>& firsts() const { return firsts_; }

 private:
  const std::span<const T> from_;
  std::vector<int64_t> slots_;  // numbers, or -1
  const int shift_;
  std::vector<size_t> firsts_;
};

Status UniqueShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({PartialShape::kUnknownDim})));
  HR_ASSIGN_OR_RETURN(PartialShape places, c.InputOfRank(0, 1));
  return c.SetOutput(1, std::move(places));
}

template <typename T> Status UniqueKernel(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1) return InvalidArgument("unique expects a 1D vector.");
  HR_ASSIGN_OR_RETURN(Tensor * places, context.AllocateOutput(1, x.shape()));
  HR_RETURN_IF_ERROR(CheckFits(*places, x.num_elements()));
  const std::span<const T> from = x.data<T>();
  Distinct<T> distinct(from);
  for (size_t i = 0; i < from.size(); ++i) SetPlace(places, i, distinct.NumberOf(i));
  const std::vector<size_t>& firsts = distinct.firsts();
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOutput(0, Shape({static_cast<int64_t>(firsts.size())})));
  for (size_t k = 0; k < firsts.size(); ++k) y->mutable_data<T>()[k] = from[firsts[k]];
  return OkStatus();
}

Status ListDiffShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({PartialShape::kUnknownDim})));
  return c.SetOutput(1, PartialShape({PartialShape::kUnknownDim}));
}

template <typename T> Status ListDiffKernel(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& y = context.input(1);
  if (x.rank() != 1) return InvalidArgument("x should be a 1D vector.");
  if (y.rank() != 1) return InvalidArgument("y should be a 1D vector.");
  std::unordered_set<KeyOf<T>> without;
  for (const T& value : y.data<T>()) without.insert(Key(value));
  std::vector<size_t> left;
  for (size_t i = 0; i < x.data<T>().size(); ++i) {
    if (!without.contains(Key(x.data<T>()[i]))) left.push_back(i);
  }
  const Shape shape({static_cast<int64_t>(left.size())});
  HR_ASSIGN_OR_RETURN(Tensor * out, context.AllocateOutput(0, shape));
  HR_ASSIGN_OR_RETURN(Tensor * places, context.AllocateOutput(1, shape));
  HR_RETURN_IF_ERROR(CheckFits(*places, x.num_elements()));
  for (size_t k = 0; k < left.size(); ++k) {
    out->mutable_data<T>()[k] = x.data<T>()[left[k]];
    SetPlace(places, k, static_cast<int64_t>(left[k]));
  }
  return OkStatus();
}

template <typename Make> std::vector<KernelDefinition> ForHashable(Make make) {
  return KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                    uint64_t, bool, std::string>("T", make);
}

}  // namespace

std::vector<OpDefinition> UniqueOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Unique(x: T) -> (y: T, idx: out_idx) | T: type | out_idx: type = i32 in {i32,i64}")
                    .Shape(UniqueShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(ForHashable([]<typename T>() { return FunctionKernel(UniqueKernel<T>); })));
  ops.push_back(
      OpDefinition("ListDiff(x: T, y: T) -> (out: T, idx: out_idx) | T: type | out_idx: type = i32 in {i32,i64}")
          .Shape(ListDiffShape)
          .NoGradient("TensorFlow has none")
          .Kernels(ForHashable([]<typename T>() { return FunctionKernel(ListDiffKernel<T>); })));
  return ops;
}

}  // namespace headrace
