// Sums of the rows that share a segment: output[s] = sum of data[i] where segment_ids[i] = s.
// UnsortedSegmentSum: ids in any order and of any rank that data's shape begins with; negative ones are dropped, one of num_segments
// or more is an error. SegmentSum, SegmentMean: ids that ascend; there are as many segments as the last id says; empty ones are 0.
// Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"
#include "ops/math/segment.h"

namespace headrace {
namespace {

Status UnsortedGradient(GradientContext& c) {
  return c.SetInputGradient(0, RowsBySegment(c, OutputGradientFormula(c), true));
}

Status SumGradient(GradientContext& c) {
  return c.SetInputGradient(0,
                            OutputGradientFormula(c).Apply("GatherV2", {c.input(1), c.builder().Scalar<int32_t>(0)}));
}

// dy / (rows in the segment), by id.
Status MeanGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), data = InputFormula(c, 0);
  const Endpoint zero = c.builder().Scalar<int32_t>(0);
  const Formula ones = data.Apply("OnesLike");
  const Formula counts = ones.Apply("SegmentSum", {c.input(1)});
  const Formula by_id = dy.Apply("GatherV2", {c.input(1), zero});
  return c.SetInputGradient(0, by_id / counts.Apply("GatherV2", {c.input(1), zero}));
}

/// Adds rows of one type, and divides a row by a number.
struct RowLoops {
  BinaryLoop add;
  void (*divide)(void* row, int64_t width, int64_t divisor);
};

template <typename T> void DivideRow(void* row_data, int64_t width, int64_t divisor) {
  using C = ComputeType<T>;
  T* row = static_cast<T*>(row_data);
  for (int64_t i = 0; i < width; ++i) {
    if constexpr (kIsComplex<T>)
      row[i] /= static_cast<typename T::value_type>(divisor);
    else
      row[i] = static_cast<T>(static_cast<C>(row[i]) / static_cast<C>(divisor));
  }
}

class UnsortedSegmentSum final : public Kernel {
 public:
  explicit UnsortedSegmentSum(const RowLoops& loops) : loops_(loops) {}

  Status Compute(KernelContext& context) override {
    const Tensor& data = context.input(0);
    const Tensor& ids = context.input(1);
    HR_ASSIGN_OR_RETURN(const Shape shape, UnsortedSegmentOutput(context));
    const int64_t segments = shape.dim(0);
    const int64_t width = segments == 0 ? 0 : shape.num_elements() / segments,
                  row_bytes = width * DTypeSize(data.dtype());
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    char* to = static_cast<char*>(output->mutable_raw());
    std::fill_n(to, output->size_bytes(), 0);
    for (int64_t i = 0; i < ids.num_elements(); ++i) {
      const int64_t id = IntegerAt(ids, i);
      if (id >= 0)
        loops_.add(to + id * row_bytes, static_cast<const char*>(data.raw()) + i * row_bytes, to + id * row_bytes,
                   width, 1, 1);
    }
    return OkStatus();
  }

 private:
  const RowLoops loops_;
};

class SortedSegment final : public Kernel {
 public:
  SortedSegment(const RowLoops& loops, bool mean) : loops_(loops), mean_(mean) {}

  Status Compute(KernelContext& context) override {
    const Tensor& data = context.input(0);
    const Tensor& ids = context.input(1);
    HR_ASSIGN_OR_RETURN(const Shape shape, SortedSegmentOutput(context));
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    Sum(data, ids, shape.num_elements() / shape.dim(0), output);
    return OkStatus();
  }

 private:
  void Sum(const Tensor& data, const Tensor& ids, int64_t width, Tensor* output) const {
    char* to = static_cast<char*>(output->mutable_raw());
    std::fill_n(to, output->size_bytes(), 0);
    const int64_t row_bytes = width * DTypeSize(data.dtype()), rows = ids.dim(0);
    for (int64_t begin = 0, end; begin < rows; begin = end) {
      char* row = to + IntegerAt(ids, begin) * row_bytes;
      for (end = begin; end < rows && IntegerAt(ids, end) == IntegerAt(ids, begin); ++end) {
        loops_.add(row, static_cast<const char*>(data.raw()) + end * row_bytes, row, width, 1, 1);
      }
      if (mean_) loops_.divide(row, width, end - begin);
    }
  }

  const RowLoops loops_;
  const bool mean_;
};

/// One kernel for each type, made by make(RowLoops).
template <typename Make, typename... Ts> std::vector<KernelDefinition> SegmentKernels(Make make, Types<Ts...>) {
  const auto kernel = [make](DType type, const RowLoops& loops) {
    return KernelDefinition{.types = {{"T", {type}}},
                            .factory = [make, loops](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
                              return std::unique_ptr<Kernel>(make(loops));
                            }};
  };
  return {kernel(kDTypeOf<Ts>, RowLoops{std::is_same_v<Ts, float> ? GetFloatLoops().add : BinaryRun<AddFunctor, Ts>,
                                        DivideRow<Ts>})...};
}

using AllTypes = Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                       uint64_t, std::complex<float>, std::complex<double>>;
constexpr std::string_view kNumbers =
    " | T: type in {f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64}";

}  // namespace

Formula RowsBySegment(const GradientContext& c, const Formula& x, bool unsorted) {
  const Formula ids = InputFormula(c, 1);
  const Endpoint zero = c.builder().Scalar<int32_t>(0);
  if (!unsorted) return x.Apply("GatherV2", {ids, zero});
  const Formula rows = x.Apply("GatherV2", {ids.Apply("Maximum", {ids.Number(0)}), zero});
  // "id >= 0" gets extents of 1 for the dimensions that rows has and ids has not.
  const Formula valid = ids.Apply("GreaterEqual", {ids.Number(0)});
  const Formula missing(c.builder(), c.Op("Sub", {c.Op("Rank", {rows}), c.Op("Rank", {ids})}));
  const Endpoint ones =
      c.Op("Fill", {missing.Apply("Reshape", {IntVector(c.builder(), {1})}), c.builder().Scalar<int32_t>(1)});
  const Endpoint shape = c.Op("ConcatV2", {c.Op("Shape", {ids}), ones, zero});
  return valid.Apply("Reshape", {shape}).Apply("SelectV2", {rows, rows.Number(0)});
}

Status UnsortedSegmentShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(2));
  const PartialShape &data = c.input(0), &ids = c.input(1);
  if (!data.has_rank() || !ids.has_rank()) return c.SetOutput(0, PartialShape());
  if (ids.rank() > data.rank())
    return InvalidArgument("data.shape = ", data, " does not start with segment_ids.shape = ", ids);
  int64_t segments = PartialShape::kUnknownDim;
  if (const Tensor* count = c.constant(2); count != nullptr && count->num_elements() == 1)
    segments = IntegerAt(*count, 0);
  if (segments < PartialShape::kUnknownDim)
    return InvalidArgument("Input num_segments == ", segments, " must not be negative.");
  PartialShape shape({segments});
  for (int d = ids.rank(); d < data.rank(); ++d) shape.AppendDim(data.dim(d));
  return c.SetOutput(0, std::move(shape));
}

Status SortedSegmentShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  if (!c.input(0).has_rank()) return c.SetOutput(0, PartialShape());
  PartialShape shape = c.input(0);
  shape.SetDim(0, PartialShape::kUnknownDim);
  return c.SetOutput(0, std::move(shape));
}

Result<Shape> UnsortedSegmentOutput(const KernelContext& context) {
  const Tensor &data = context.input(0), &ids = context.input(1);
  if (context.input(2).num_elements() != 1)
    return InvalidArgument("num_segments should be a scalar, not shape ", context.input(2).shape());
  const int64_t segments = IntegerAt(context.input(2), 0);
  if (segments < 0) return InvalidArgument("Input num_segments == ", segments, " must not be negative.");
  std::vector<int64_t> dims = {segments};
  bool starts = ids.rank() <= data.rank();
  for (int d = 0; starts && d < data.rank(); ++d) {
    if (d < ids.rank())
      starts = data.dim(d) == ids.dim(d);
    else
      dims.push_back(data.dim(d));
  }
  if (!starts)
    return InvalidArgument("data.shape = ", data.shape(), " does not start with segment_ids.shape = ", ids.shape());
  for (int64_t i = 0; i < ids.num_elements(); ++i) {
    if (IntegerAt(ids, i) >= segments)
      return InvalidArgument("segment_ids[", i, "] = ", IntegerAt(ids, i), " is out of range [0, ", segments, ")");
  }
  return Shape::Make(dims);
}

Result<Shape> SortedSegmentOutput(const KernelContext& context) {
  const Tensor &data = context.input(0), &ids = context.input(1);
  if (data.rank() < 1) return InvalidArgument("Shape must be at least rank 1, data is ", data);
  if (ids.rank() != 1) return InvalidArgument("segment_ids should be a vector.");
  if (ids.dim(0) != data.dim(0)) {
    return InvalidArgument("segment_ids should be the same size as dimension 0 of input: segment_ids=", ids,
                           " data=", data);
  }
  const int64_t rows = ids.dim(0);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t id = IntegerAt(ids, i), before = i == 0 ? 0 : IntegerAt(ids, i - 1);
    if (id < 0) return InvalidArgument("segment ids must be >= 0");
    if (id < before) return InvalidArgument("segment ids are not increasing");
  }
  std::vector<int64_t> dims(data.shape().dims().begin(), data.shape().dims().end());
  if (rows > 0 && IntegerAt(ids, rows - 1) == INT64_MAX)
    return InvalidArgument("segment id ", INT64_MAX, " is too large");
  dims[0] = rows == 0 ? 0 : IntegerAt(ids, rows - 1) + 1;
  return Shape::Make(dims);
}

std::vector<OpDefinition> SegmentOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          StrCat("UnsortedSegmentSum(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> (output: T)",
                 kNumbers, " | Tindices: type in {i16,i32,i64} | Tnumsegments: type = i32 in {i32,i64}"))
          .Shape(UnsortedSegmentShape)
          .Gradient(UnsortedGradient)
          .Kernels(SegmentKernels([](const RowLoops& loops) { return std::make_unique<UnsortedSegmentSum>(loops); },
                                  AllTypes())));
  for (const bool mean : {false, true}) {
    ops.push_back(
        OpDefinition(StrCat(mean ? "SegmentMean" : "SegmentSum", "(data: T, segment_ids: Tindices) -> (output: T)",
                            kNumbers, " | Tindices: type in {i32,i64}"))
            .Shape(SortedSegmentShape)
            .Gradient(mean ? MeanGradient : SumGradient)
            .Kernels(SegmentKernels(
                [mean](const RowLoops& loops) { return std::make_unique<SortedSegment>(loops, mean); }, AllTypes())));
  }
  return ops;
}

}  // namespace headrace
