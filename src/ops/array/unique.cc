// Unique: the distinct elements of a vector in the order in which they come first, and for each element its place among them.
// ListDiff: the elements of x that are not in y, and where they stand in x. Source: TensorFlow's ops of the same names.
#include <string>
#include <unordered_map>
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

Status SetPlace(Tensor* places, size_t i, int64_t place) {
  if (places->dtype() == DType::kInt64) {
    places->mutable_data<int64_t>()[i] = place;
  } else {
    places->mutable_data<int32_t>()[i] = static_cast<int32_t>(place);
  }
  return OkStatus();
}

Status CheckFits(const Tensor& places, int64_t count) {
  if (places.dtype() == DType::kInt32 && count > INT32_MAX)
    return InvalidArgument("unique does not support input tensors larger than ", INT32_MAX, " elements");
  return OkStatus();
}

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
  std::unordered_map<KeyOf<T>, int64_t> found;
  std::vector<size_t> firsts;
  for (size_t i = 0; i < from.size(); ++i) {
    const auto [entry, added] = found.try_emplace(Key(from[i]), static_cast<int64_t>(firsts.size()));
    if (added) firsts.push_back(i);
    HR_RETURN_IF_ERROR(SetPlace(places, i, entry->second));
  }
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
    HR_RETURN_IF_ERROR(SetPlace(places, k, static_cast<int64_t>(left[k])));
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
