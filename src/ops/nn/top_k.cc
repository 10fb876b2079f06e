// TopK, TopKV2: the k largest elements of each row (the last dimension) and where they are; of equals, the one that stands first
// comes first; NaN counts as smaller than anything. InTopK, InTopKV2: whether fewer than k predictions of a row exceed that of
// its target; false where the target's is not finite or there is none. Errors: kInvalidArgument for shapes or k that do not fit.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/nn/nn_ops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

// The value of a scalar of any index type. REQUIRES: i16, i32 or i64.
int64_t ScalarIndex(const Tensor& value) {
  return value.dtype() == DType::kInt16 ? value.data<int16_t>()[0] : IndexAt(value, 0);
}

Status TopKShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  int64_t k = PartialShape::kUnknownDim;
  if (c.num_inputs() == 1) {
    k = c.attr<int64_t>("k");
  } else {
    HR_RETURN_IF_ERROR(c.RequireScalar(1));
    if (c.constant(1) != nullptr) k = ScalarIndex(*c.constant(1));
    if (c.constant(1) != nullptr && k < 0) return InvalidArgument("Need k >= 0, got ", k);
  }
  PartialShape out = c.input(0);
  if (out.has_rank()) {
    const int64_t columns = out.dim(out.rank() - 1);
    if (columns != PartialShape::kUnknownDim && columns < k) {
      return InvalidArgument("input must have last dimension >= k = ", k, " but is ", columns);
    }
    out.SetDim(out.rank() - 1, k);
  }
  HR_RETURN_IF_ERROR(c.SetOutput(0, out));
  return c.SetOutput(1, std::move(out));
}

// Sends each value's gradient back to where the value came from.
Status TopKGradient(GradientContext& c) {
  const GraphBuilder& builder = c.builder();
  const auto i64 = [&builder](int64_t value) { return builder.Const(Tensor::Vector<int64_t>({value})); };
  const auto scalar = [&builder](int64_t value) { return builder.Scalar<int64_t>(value); };
  const AttrMap as_i64 = {{"out_type", DType::kInt64}};
  const Endpoint shape = c.Op("Shape", {c.input(0)}, as_i64);
  const Endpoint picks = c.Op("Cast", {c.output(1)}, {{"DstT", DType::kInt64}});
  const Endpoint k =
      c.Op("Slice", {c.Op("Shape", {picks}, as_i64),
                     c.Op("Sub", {c.Op("Shape", {c.Op("Shape", {picks}, as_i64)}, as_i64), i64(1)}), i64(1)});
  const Endpoint columns = c.Op("Slice", {shape, c.Op("Sub", {c.Op("Shape", {shape}, as_i64), i64(1)}), i64(1)});
  // One at a time, rows as rows of a matrix: flat position = row * columns + pick.
  const Endpoint matrix = c.Op("Reshape", {picks, c.Op("ConcatV2", {i64(-1), k, scalar(0)})});
  const Endpoint num_rows = c.Op("Slice", {c.Op("Shape", {matrix}, as_i64), i64(0), i64(1)});
  const Endpoint rows =
      c.Op("Range",
           {scalar(0), c.Op("Reshape", {num_rows, builder.Const(Tensor::Vector(std::vector<int32_t>{}))}), scalar(1)});
  const Endpoint starts = c.Op("ExpandDims", {c.Op("Mul", {rows, columns}), builder.Scalar<int32_t>(-1)});
  const Endpoint flat =
      c.Op("Reshape", {c.Op("AddV2", {matrix, starts}), builder.Const(Tensor::Vector<int64_t>({-1, 1}))});
  const Endpoint size = c.Op("Prod", {shape, builder.Const(Tensor::Vector<int32_t>({0}))}, {{"keep_dims", true}});
  const Endpoint spread = c.Op("ScatterNd", {flat, c.Op("Reshape", {c.output_gradient(0), i64(-1)}), size});
  return c.SetInputGradient(0, c.Op("Reshape", {spread, shape}));
}

template <typename T> bool IsNan(const T& value) {
  if constexpr (std::integral<T>) return false;
  return value != value;
}

// Puts the columns of the k largest of `row` first in `order`, the largest first.
template <typename T> void Select(const T* row, int64_t columns, int64_t k, std::vector<int64_t>& order) {
  if (k == 1) {
    int64_t best = 0;
    for (int64_t i = 1; i < columns; ++i) {
      if (row[i] > row[best] || (IsNan(row[best]) && !IsNan(row[i]))) best = i;
    }
    order[0] = best;
    return;
  }
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto before = [row](int64_t a, int64_t b) {
    if (IsNan(row[a]) || IsNan(row[b])) return IsNan(row[a]) == IsNan(row[b]) ? a < b : IsNan(row[b]);
    return row[b] < row[a] || (!(row[a] < row[b]) && a < b);
  };
  std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
}

template <typename T, typename Index> Status TopKCpu(KernelContext& c) {
  const Tensor& input = c.input(0);
  int64_t k = 0;
  if (c.num_inputs() == 1) {
    HR_RETURN_IF_ERROR(c.node().GetAttr("k", &k));
  } else {
    if (!c.input(1).shape().IsScalar()) return InvalidArgument("k must be scalar, got shape ", c.input(1).shape());
    k = ScalarIndex(c.input(1));
  }
  if (k < 0) return InvalidArgument("Need k >= 0, got ", k);
  if (input.rank() < 1) return InvalidArgument("input must be >= 1-D, got shape ", input.shape());
  const int64_t columns = input.dim(input.rank() - 1);
  if (columns < k) return InvalidArgument("input must have at least k columns. Had ", columns, ", needed ", k);
  if (columns > 0 && columns - 1 > static_cast<int64_t>(std::numeric_limits<Index>::max())) {
    return InvalidArgument("TopKV2: ", columns, " columns do not fit in index_type ", DTypeShortName(kDTypeOf<Index>));
  }
  Shape shape = input.shape();
  shape.SetDim(shape.rank() - 1, k);
  HR_ASSIGN_OR_RETURN(Tensor * values, c.AllocateOutput(0, shape));
  HR_ASSIGN_OR_RETURN(Tensor * indices, c.AllocateOutput(1, shape));
  if (shape.num_elements() == 0) return OkStatus();
  const T* x = input.data<T>().data();
  T* value = values->mutable_data<T>().data();
  Index* index = indices->mutable_data<Index>().data();
  c.ParallelFor(shape.num_elements() / k, 10.0 * static_cast<double>(columns), [=](int64_t begin, int64_t end) {
    std::vector<int64_t> order(static_cast<size_t>(columns));
    for (int64_t row = begin; row < end; ++row) {
      Select(x + row * columns, columns, k, order);
      for (int64_t i = 0; i < k; ++i) {
        value[row * k + i] = x[row * columns + order[static_cast<size_t>(i)]];
        index[row * k + i] = static_cast<Index>(order[static_cast<size_t>(i)]);
      }
    }
  });
  return OkStatus();
}

template <typename Index> std::vector<KernelDefinition> TopKKernels(bool has_index_type) {
  std::vector<KernelDefinition> kernels =
      KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                 uint64_t>("T", []<typename T>() { return FunctionKernel(TopKCpu<T, Index>); });
  for (KernelDefinition& kernel : kernels) {
    if (has_index_type) kernel.types["index_type"] = {kDTypeOf<Index>};
  }
  return kernels;
}

Status InTopKShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape predictions, c.InputOfRank(0, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape targets, c.InputOfRank(1, 1));
  HR_ASSIGN_OR_RETURN(PartialShape batch, PartialShape({predictions.dim(0)}).MergeWith(targets));
  return c.SetOutput(0, std::move(batch));
}

bool IsInTopK(const float* row, int64_t columns, int64_t target, int64_t k) {
  if (target < 0 || target >= columns || !std::isfinite(row[target])) return false;
  int64_t larger = 0;
  for (int64_t i = 0; i < columns; ++i) {
    if (!std::isfinite(row[i])) return false;  // as TensorFlow: one bad prediction spoils its row
    larger += row[i] > row[target] ? 1 : 0;
  }
  return larger < k;
}

Status InTopKCpu(KernelContext& c) {
  const Tensor& predictions = c.input(0);
  const Tensor& targets = c.input(1);
  int64_t k = 0;
  if (c.num_inputs() == 2) {
    HR_RETURN_IF_ERROR(c.node().GetAttr("k", &k));
  } else {
    if (!c.input(2).shape().IsScalar()) return InvalidArgument("k must be 0-D, got shape ", c.input(2).shape());
    k = ScalarIndex(c.input(2));
  }
  if (predictions.rank() != 2) return InvalidArgument("predictions must be 2-dimensional");
  if (targets.rank() != 1) return InvalidArgument("targets must be 1-dimensional");
  if (predictions.dim(0) != targets.dim(0)) {
    return InvalidArgument("First dimension of predictions ", predictions.dim(0), " must match length of targets ",
                           targets.dim(0));
  }
  HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, targets.shape()));
  const int64_t columns = predictions.dim(1);
  for (int64_t row = 0; row < targets.dim(0); ++row) {
    out->mutable_data<bool>()[static_cast<size_t>(row)] =
        IsInTopK(predictions.data<float>().data() + row * columns, columns, IndexAt(targets, row), k);
  }
  return OkStatus();
}

}  // namespace

OpDefinition TopK() {
  return OpDefinition(
             StrCat("TopK(input: T) -> (values: T, indices: i32) | k: int >= 0 | sorted: bool = true | T: type in ",
                    kRealTypes))
      .Shape(TopKShape)
      .Gradient(TopKGradient)
      .Kernels(TopKKernels<int32_t>(false));
}

OpDefinition TopKV2() {
  return OpDefinition(
             StrCat("TopKV2(input: T, k: Tk) -> (values: T, indices: index_type) | sorted: bool = true | T: type in ",
                    kRealTypes, " | Tk: type = i32 in {i16,i32,i64} | index_type: type = i32 in {i16,i32,i64}"))
      .Shape(TopKShape)
      .Gradient(TopKGradient)
      .Kernels(Join(TopKKernels<int32_t>(true), Join(TopKKernels<int64_t>(true), TopKKernels<int16_t>(true))));
}

OpDefinition InTopK() {
  return OpDefinition("InTopK(predictions: f32, targets: T) -> (precision: bool) | k: int | T: type = i32 in {i32,i64}")
      .Shape(InTopKShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(InTopKCpu)));
}

OpDefinition InTopKV2() {
  return OpDefinition("InTopKV2(predictions: f32, targets: T, k: T) -> (precision: bool) | T: type = i32 in {i32,i64}")
      .Shape(InTopKShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(InTopKCpu)));
}

}  // namespace headrace
