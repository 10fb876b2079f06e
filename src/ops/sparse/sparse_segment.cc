// SparseSegmentSum, Mean, SqrtN: output[s] = sum of the rows data[indices[i]] with segment_ids[i] = s, for Mean divided by their
// number, for SqrtN by its square root. The ids ascend; empty segments are 0; as many segments as the last id says, or
// num_segments. ...Grad: the gradient of data, dense, or (GradV2) the rows that occur and their ascending numbers.
#include <algorithm>
#include <cmath>

#include "graph/gradient_context.h"
#include "kernel/float_loops.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

enum class Mean { kSum, kMean, kSqrtN };

constexpr std::string_view NameOf(Mean mean) {
  return mean == Mean::kSum ? "SparseSegmentSum" : mean == Mean::kMean ? "SparseSegmentMean" : "SparseSegmentSqrtN";
}

double ScaleOf(Mean mean, int64_t rows) {
  const auto count = static_cast<double>(std::max<int64_t>(rows, 1));
  return mean == Mean::kSum ? 1.0 : mean == Mean::kMean ? 1.0 / count : 1.0 / std::sqrt(count);
}

Status SegmentShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(2, 1));
  int64_t segments = PartialShape::kUnknownDim;
  if (c.num_inputs() == 4) {
    HR_RETURN_IF_ERROR(c.RequireScalar(3));
    if (const auto count = ConstantIntegers(c, 3); count && count->size() == 1) segments = (*count)[0];
    if (segments < PartialShape::kUnknownDim)
      return InvalidArgument("Cannot specify a negative value for num_segments");
  }
  if (!c.input(0).has_rank()) return c.SetOutput(0, PartialShape());
  PartialShape shape = c.input(0);
  shape.SetDim(0, segments);
  return c.SetOutput(0, std::move(shape));
}

template <Mean kMean> Status SegmentGradient(GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const Endpoint shape = c.Op("Shape", {c.input(0)});
  const Endpoint zero = b.Const(Tensor::Vector<int32_t>({0})), one = b.Const(Tensor::Vector<int32_t>({1}));
  const Endpoint rows = c.Op("StridedSlice", {shape, zero, one, one}, {{"shrink_axis_mask", int64_t{1}}});
  const std::vector<Endpoint> inputs = {c.output_gradient(0), c.input(1), c.input(2), rows};
  if (!c.attr<bool>("sparse_gradient")) return c.SetInputGradient(0, c.Op(StrCat(NameOf(kMean), "Grad"), inputs));
  const Endpoint values = c.Op(StrCat(NameOf(kMean), "GradV2"), inputs);
  if (!values) return b.status();
  return c.SetInputGradient(0, IndexedSlices{Endpoint{values.node, 1}, values, shape});
}

/// a[i] += scale * x[i].
template <typename T, typename C> void AddScaled(C scale, const T* x, C* a, int64_t count) {
  if constexpr (std::is_same_v<T, float>) {
    GetFloatLoops().add_scaled(scale, x, a, count);
  } else {
    for (int64_t i = 0; i < count; ++i) a[i] = AddFunctor()(a[i], MulFunctor()(scale, static_cast<C>(x[i])));
  }
}

/// Rows of a tensor, flattened to a matrix.
struct Rows {
  int64_t count = 0, width = 0;

  static Result<Rows> Of(const Tensor& data) {
    if (data.rank() < 1) return InvalidArgument("Shape must be at least rank 1, is ", data);
    Rows rows{.count = data.dim(0), .width = 1};
    for (int d = 1; d < data.rank(); ++d) rows.width *= data.dim(d);
    return rows;
  }
};

Result<Tensor*> AllocateRows(KernelContext& c, int i, const Tensor& like, int64_t rows) {
  std::vector<int64_t> dims(like.shape().dims().begin(), like.shape().dims().end());
  dims[0] = rows;
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  return c.AllocateOutput(i, shape);
}

Status CheckVectors(const Tensor& indices, const Tensor& ids) {
  if (indices.rank() != 1) return InvalidArgument("indices should be a vector.");
  if (ids.rank() != 1) return InvalidArgument("segment_ids should be a vector.");
  if (indices.dim(0) != ids.dim(0)) return InvalidArgument("segment_ids and indices should have same size.");
  return OkStatus();
}

/// How many segments the ids, which must ascend, make.
Result<int64_t> CountSegments(const KernelContext& c, const std::vector<int64_t>& ids) {
  if (!ids.empty() && ids.back() == INT64_MAX) return InvalidArgument("segment id ", INT64_MAX, " is too large");
  int64_t segments = ids.empty() ? 0 : ids.back() + 1;
  if (c.num_inputs() == 4) {
    if (c.input(3).num_elements() != 1) return InvalidArgument("num_segments should be a scalar, is ", c.input(3));
    segments = IntegerAt(c.input(3), 0);
    if (segments < 0) return InvalidArgument("segment ids must be >= 0");
  }
  int64_t before = 0;
  for (const int64_t id : ids) {
    if (id < 0) return InvalidArgument("segment ids must be >= 0");
    if (id < before) return InvalidArgument("segment ids are not increasing");
    before = id;
  }
  if (before >= segments && !ids.empty()) {
    return InvalidArgument("Segment id ", before, " out of range [0, ", segments,
                           "), possibly because 'segment_ids' input is not sorted.");
  }
  return segments;
}

template <typename T, Mean kMean> class SegmentKernel final : public Kernel {
 public:
  Status Compute(KernelContext& c) override {
    const Tensor& data = c.input(0);
    HR_ASSIGN_OR_RETURN(const Rows rows, Rows::Of(data));
    HR_RETURN_IF_ERROR(CheckVectors(c.input(1), c.input(2)));
    const std::vector<int64_t> indices = IntegersOf(c.input(1)), ids = IntegersOf(c.input(2));
    HR_ASSIGN_OR_RETURN(const int64_t segments, CountSegments(c, ids));
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < 0 || indices[i] >= rows.count)
        return InvalidArgument("Bad: indices[", i, "] == ", indices[i], " out of range [0, ", rows.count, ")");
    }
    HR_ASSIGN_OR_RETURN(Tensor* const output, AllocateRows(c, 0, data, segments));
    if (output->num_elements() == 0) return OkStatus();
    const T* from = data.data<T>().data();
    T* to = output->mutable_data<T>().data();
    const double row_ns =
        0.3 * static_cast<double>(rows.width) * (1 + static_cast<double>(ids.size()) / static_cast<double>(segments));
    c.ParallelFor(segments, row_ns, [&](int64_t begin, int64_t end) {
      auto next = static_cast<size_t>(std::ranges::lower_bound(ids, begin) - ids.begin());
      std::vector<ComputeType<T>> sum(std::is_same_v<T, ComputeType<T>> ? 0 : static_cast<size_t>(rows.width));
      for (int64_t s = begin; s < end; ++s) {
        const size_t first = next;
        while (next < ids.size() && ids[next] == s) ++next;
        Segment(from, std::span(indices).subspan(first, next - first), to + s * rows.width, rows.width, sum.data());
      }
    });
    return OkStatus();
  }

 private:
  using C = ComputeType<T>;

  static void Segment(const T* data, std::span<const int64_t> rows, T* out, int64_t width, C* sum) {
    if constexpr (std::is_same_v<T, C>) sum = out;
    std::fill_n(sum, width, C{});
    for (const int64_t row : rows) AddScaled<T, C>(C{1}, data + row * width, sum, width);
    if constexpr (kMean != Mean::kSum) {
      const C scale = static_cast<C>(ScaleOf(kMean, std::ssize(rows)));
      for (int64_t i = 0; i < width; ++i) sum[i] *= scale;
    }
    if constexpr (!std::is_same_v<T, C>) {
      for (int64_t i = 0; i < width; ++i) out[i] = static_cast<T>(sum[i]);
    }
  }
};

Status GradShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(2, 1));
  HR_RETURN_IF_ERROR(c.RequireScalar(3));
  PartialShape shape = c.input(0);
  if (shape.has_rank()) {
    const auto rows = c.num_outputs() == 1 ? ConstantIntegers(c, 3) : std::nullopt;
    shape.SetDim(0, rows && rows->size() == 1 ? (*rows)[0] : PartialShape::kUnknownDim);
  }
  if (c.num_outputs() == 2) HR_RETURN_IF_ERROR(c.SetOutput(1, PartialShape::UnknownOfRank(1)));
  return c.SetOutput(0, std::move(shape));
}

template <typename T, Mean kMean, bool kUniqueRows> class SegmentGrad final : public Kernel {
 public:
  Status Compute(KernelContext& c) override {
    const Tensor& gradient = c.input(0);
    HR_ASSIGN_OR_RETURN(const Rows segments, Rows::Of(gradient));
    HR_RETURN_IF_ERROR(CheckVectors(c.input(1), c.input(2)));
    if (c.input(3).num_elements() != 1) return InvalidArgument("output_dim0 should be a scalar.");
    const int64_t dim0 = IntegerAt(c.input(3), 0);
    std::vector<int64_t> indices = IntegersOf(c.input(1));
    const std::vector<int64_t> ids = IntegersOf(c.input(2));
    std::vector<int64_t> counts(static_cast<size_t>(segments.count));
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] < 0 || ids[i] >= segments.count)
        return InvalidArgument("Segment id ", ids[i], " out of range [0, ", segments.count, ").");
      if (indices[i] < 0 || indices[i] >= dim0)
        return InvalidArgument("Index ", indices[i], " out of range [0, ", dim0, ").");
      ++counts[static_cast<size_t>(ids[i])];
    }
    int64_t rows = dim0;
    if constexpr (kUniqueRows) {
      HR_ASSIGN_OR_RETURN(rows, Number(c, &indices));
    }
    HR_ASSIGN_OR_RETURN(Tensor* const output, AllocateRows(c, 0, gradient, rows));
    return Scatter(c, segments.width, indices, ids, counts, output);
  }

 private:
  using C = ComputeType<T>;

  // Output 1: the sorted distinct indices; replaces each index by its place among them.
  static Result<int64_t> Number(KernelContext& c, std::vector<int64_t>* indices) {
    std::vector<int64_t> unique = *indices;
    std::ranges::sort(unique);
    unique.erase(std::ranges::unique(unique).begin(), unique.end());
    for (int64_t& index : *indices) index = std::ranges::lower_bound(unique, index) - unique.begin();
    HR_ASSIGN_OR_RETURN(Tensor* const rows, c.AllocateOutput(1, Shape({std::ssize(unique)})));
    for (size_t i = 0; i < unique.size(); ++i) {
      if (rows->dtype() == DType::kInt32)
        rows->mutable_data<int32_t>()[i] = static_cast<int32_t>(unique[i]);
      else
        rows->mutable_data<int64_t>()[i] = unique[i];
    }
    return std::ssize(unique);
  }

  static Status Scatter(KernelContext& c, int64_t width, const std::vector<int64_t>& indices,
                        const std::vector<int64_t>& ids, const std::vector<int64_t>& counts, Tensor* output) {
    C* sum = nullptr;
    Tensor wide;
    if constexpr (std::is_same_v<T, C>) {
      sum = output->mutable_data<T>().data();
    } else {  // 16-bit floats add up in float
      HR_ASSIGN_OR_RETURN(wide, c.AllocateTemporary(kDTypeOf<C>, output->shape()));
      sum = wide.mutable_data<C>().data();
    }
    std::fill_n(sum, output->num_elements(), C{});
    const T* from = c.input(0).data<T>().data();
    for (size_t i = 0; i < ids.size(); ++i) {
      const C scale = static_cast<C>(ScaleOf(kMean, counts[static_cast<size_t>(ids[i])]));
      AddScaled<T, C>(scale, from + ids[i] * width, sum + indices[i] * width, width);
    }
    if constexpr (!std::is_same_v<T, C>) {
      for (int64_t i = 0; i < output->num_elements(); ++i)
        output->mutable_data<T>()[static_cast<size_t>(i)] = static_cast<T>(sum[i]);
    }
    return OkStatus();
  }
};

template <Mean kMean, typename... Ts> std::vector<KernelDefinition> KernelsOf() {
  return KernelsFor<Ts...>("T", []<typename T>() { return ClassKernel<SegmentKernel<T, kMean>>(); });
}

template <Mean kMean> std::vector<KernelDefinition> ForwardKernels() {
  if constexpr (kMean == Mean::kSum) {
    return KernelsOf<kMean, float, double, Half, BFloat16, int32_t, int64_t, int8_t, int16_t, uint8_t, uint16_t,
                     uint32_t, uint64_t>();
  } else {
    return KernelsOf<kMean, float, double, Half, BFloat16>();
  }
}

constexpr std::string_view kFloats = "{bf16,f16,f32,f64}";

template <Mean kMean, bool kUniqueRows> OpDefinition GradOp() {
  const std::string_view outputs = kUniqueRows
                                       ? "V2(grad: T, indices: Tidx, segment_ids: Tsegmentids, dense_output_dim0: "
                                         "i32) -> (output: T, sorted_unique_indices: Tidx)"
                                       : "(grad: T, indices: Tidx, segment_ids: Tsegmentids, output_dim0: i32) "
                                         "-> (output: T)";
  return OpDefinition(StrCat(NameOf(kMean), "Grad", outputs, " | T: type in ", kFloats,
                             " | Tidx: type = i32 in {i32,i64} | Tsegmentids: type = i32 in {i32,i64}"))
      .Shape(GradShape)
      .NoGradient("TensorFlow has none")
      .Kernels(KernelsFor<float, double, Half, BFloat16>(
          "T", []<typename T>() { return ClassKernel<SegmentGrad<T, kMean, kUniqueRows>>(); }));
}

template <Mean kMean> void AddOps(std::vector<OpDefinition>* ops) {
  const std::string_view types = kMean == Mean::kSum ? "{f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64}" : kFloats;
  for (const bool counted : {false, true}) {
    ops->push_back(OpDefinition(StrCat(NameOf(kMean), counted ? "WithNumSegments" : "",
                                       "(data: T, indices: Tidx, segment_ids: ", "Tsegmentids",
                                       counted ? ", num_segments: Tnumsegments" : "", ") -> (output: T) | T: type in ",
                                       types, " | Tidx: type = i32 in {i32,i64}",
                                       counted ? " | Tnumsegments: type = i32 in {i32,i64}" : "",
                                       " | Tsegmentids: type = i32 in {i32,i64} | sparse_gradient: bool = false"))
                       .Shape(SegmentShape)
                       .Gradient(SegmentGradient<kMean>)
                       .Kernels(ForwardKernels<kMean>()));
  }
  ops->push_back(GradOp<kMean, false>());
  ops->push_back(GradOp<kMean, true>());
}

}  // namespace

std::vector<OpDefinition> SparseSegmentOps() {
  std::vector<OpDefinition> ops;
  AddOps<Mean::kSum>(&ops);
  AddOps<Mean::kMean>(&ops);
  AddOps<Mean::kSqrtN>(&ops);
  return ops;
}

}  // namespace headrace
