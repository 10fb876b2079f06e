// ResourceGather: rows of a variable, out[i..., r...] = v[indices[i...], r...]; with batch_dims = b, per batch:
// out[b..., i..., r...] = v[b..., indices[b..., i...], r...]. ResourceGatherNd: indices[i..., :] names an element or slice of v.
// The rows are copied under the variable's shared lock and its buffer is not shared, so that the next update stays in place.
// Errors: kInvalidArgument for an index out of range, and for shapes that do not fit; kNotFound.
#include <algorithm>
#include <array>
#include <limits>

#include "graph/gradient_context.h"
#include "kernel/rows.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

Status GatherShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape params, DeclaredShape(c, 0, "dtype"));
  const PartialShape& indices = c.input(1);
  const auto batch_dims = c.attr<int64_t>("batch_dims");
  if (batch_dims < 0) return InvalidArgument("batch_dims is negative (", batch_dims, ")");
  if (params.has_rank() && params.rank() < batch_dims + 1) {
    return InvalidArgument("ResourceGather: params have too few dimensions: params=", params,
                           " batch_dims=", batch_dims);
  }
  if (indices.has_rank() && indices.rank() < batch_dims) {
    return InvalidArgument("ResourceGather: indices have too few dimensions: indices=", indices,
                           " batch_dims=", batch_dims);
  }
  if (!params.has_rank() || !indices.has_rank()) return c.SetOutput(0, PartialShape());
  PartialShape out = indices;
  for (auto i = static_cast<int>(batch_dims) + 1; i < params.rank(); ++i) out.AppendDim(params.dim(i));
  return c.SetOutput(0, std::move(out));
}

// The sizes of a gather: `batches` times, `rows` of `table_rows` rows of `row_elements`.
struct GatherSizes {
  int64_t batches = 1;
  int64_t table_rows = 0;
  int64_t row_elements = 1;
  Shape out;
};

Result<GatherSizes> Measure(const Shape& params, const Shape& indices, int batch_dims) {
  if (params.rank() < 1) return InvalidArgument("params must be at least 1 dimensional");
  if (batch_dims < 0 || batch_dims >= params.rank() || batch_dims > indices.rank()) {
    return InvalidArgument(
        "ResourceGather: batch_dims must be below the rank of params and not above that of indices: params=", params,
        " indices=", indices, " batch_dims=", batch_dims);
  }
  GatherSizes sizes;
  std::vector<int64_t> out(indices.dims().begin(), indices.dims().end());
  for (int i = 0; i < batch_dims; ++i) {
    if (params.dim(i) != indices.dim(i)) {
      return InvalidArgument("ResourceGather: batch dimensions differ: params=", params, " indices=", indices,
                             " batch_dims=", batch_dims);
    }
    sizes.batches *= params.dim(i);
  }
  sizes.table_rows = params.dim(batch_dims);
  for (int i = batch_dims + 1; i < params.rank(); ++i) {
    sizes.row_elements *= params.dim(i);
    out.push_back(params.dim(i));
  }
  HR_ASSIGN_OR_RETURN(sizes.out, Shape::Make(out));
  return sizes;
}

class ResourceGatherKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    int batch_dims = 0;
    HR_RETURN_IF_ERROR(GetAttr(c.node().attrs(), "batch_dims", &batch_dims));
    return std::unique_ptr<Kernel>(std::make_unique<ResourceGatherKernel>(c.attr<DType>("dtype"), batch_dims));
  }
  ResourceGatherKernel(DType dtype, int batch_dims) : dtype_(dtype), batch_dims_(batch_dims) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, LookupVariable(c, 0, dtype_));
    const Tensor& indices = c.input(1);
    std::shared_lock lock(variable->mutex());
    const Tensor& params = variable->value_locked();
    HR_RETURN_IF_ERROR(RequireInitialized(params, c));
    HR_ASSIGN_OR_RETURN(const GatherSizes sizes, Measure(params.shape(), indices.shape(), batch_dims_));
    HR_ASSIGN_OR_RETURN(const RowIndices rows, RowIndices::Make(indices, sizes.table_rows));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, sizes.out));
    if (sizes.batches == 0) return OkStatus();
    const int64_t per_batch = rows.size() / sizes.batches;
    const double row_cost_ns = 5 + 0.1 * static_cast<double>(sizes.row_elements * DTypeSize(dtype_));
    for (int64_t batch = 0; batch < sizes.batches; ++batch) {
      c.ParallelFor(per_batch, row_cost_ns, [&](int64_t begin, int64_t end) {
        const int64_t first = batch * per_batch + begin;
        GatherRows(params, sizes.row_elements,
                   rows.values().subspan(static_cast<size_t>(first), static_cast<size_t>(end - begin)),
                   batch * sizes.table_rows, out, first * sizes.row_elements);
      });
    }
    return OkStatus();
  }

 private:
  const DType dtype_;
  const int batch_dims_;
};

// The variable's shape, as a constant where the handle declares it.
Endpoint DenseShape(const GradientContext& c, const PartialShape& declared) {
  if (!declared.IsFullyKnown()) return c.Op("VariableShape", {c.input(0)}, {{"out_type", DType::kInt32}});
  const std::vector<int64_t> dims(declared.dims().begin(), declared.dims().end());
  const bool narrow = std::ranges::all_of(dims, [](int64_t dim) { return dim <= std::numeric_limits<int32_t>::max(); });
  return c.builder().Const(narrow ? Tensor::Vector(std::vector<int32_t>(dims.begin(), dims.end()))
                                  : Tensor::Vector(dims));
}

// The rows that the gradient reaches, one for each index.
Status GatherGradient(GradientContext& c) {
  if (c.attr<int64_t>("batch_dims") != 0) return Unimplemented("ResourceGather: no gradient for batch_dims > 0");
  const PartialShape declared = DeclaredTypedShape(c.input(0)).shape;
  const Endpoint dense_shape = DenseShape(c, declared);
  if (c.input(1).shape().rank() == 1) {
    return c.SetInputGradient(0, IndexedSlices{c.input(1), c.output_gradient(0), dense_shape});
  }
  const Endpoint all = c.builder().Const(Tensor::Vector<int32_t>({-1}));
  const Endpoint indices = c.Op("Reshape", {c.input(1), all});
  const Endpoint shape = c.Op("VariableShape", {c.input(0)}, {{"out_type", DType::kInt32}});
  const Endpoint inner = c.Op("Slice", {shape, c.builder().Const(Tensor::Vector<int32_t>({1})), all});
  const Endpoint count = c.Op("ExpandDims", {c.Op("Size", {c.input(1)}), c.builder().Scalar<int32_t>(0)});
  const Endpoint values_shape = c.Op("ConcatV2", {count, inner, c.builder().Scalar<int32_t>(0)});
  const Endpoint values = c.Op("Reshape", {c.output_gradient(0), values_shape});
  return c.SetInputGradient(0, IndexedSlices{indices, values, dense_shape});
}

Status GatherNdShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape params, DeclaredShape(c, 0, "dtype"));
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 1));
  const PartialShape& indices = c.input(1);
  if (!params.has_rank() || !indices.has_rank()) return c.SetOutput(0, PartialShape());
  const int64_t depth = indices.dim(indices.rank() - 1);
  if (depth == PartialShape::kUnknownDim) return c.SetOutput(0, PartialShape());
  if (depth > params.rank()) {
    return InvalidArgument("indices.shape[-1] must be <= params.rank, but saw indices shape: ", indices,
                           " and params shape: ", params);
  }
  PartialShape out(std::vector<int64_t>(indices.dims().begin(), indices.dims().end() - 1));
  for (auto i = static_cast<int>(depth); i < params.rank(); ++i) out.AppendDim(params.dim(i));
  return c.SetOutput(0, std::move(out));
}

// Turns each index vector into the number of the slice that it names. REQUIRES: depth > 0. Errors: kInvalidArgument.
Result<std::vector<int64_t>> FlattenIndices(const Tensor& indices, const Shape& params, int64_t depth,
                                            const KernelContext& c) {
  const int64_t count = indices.num_elements() / depth;
  std::vector<int64_t> slices(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    int64_t slice = 0;
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t index = IndexAt(indices, i * depth + k);
      if (index < 0 || index >= params.dim(static_cast<int>(k))) {
        std::vector<int64_t> vector;
        for (int64_t j = 0; j < depth; ++j) vector.push_back(IndexAt(indices, i * depth + j));
        Shape outer = indices.shape().WithoutDim(indices.rank() - 1);
        return InvalidArgument("indices", ElementPosition(outer, i), " = [", StrJoin(vector, ", "),
                               "] does not index into param shape ", params, ", node name: ", c.node().name());
      }
      slice = slice * params.dim(static_cast<int>(k)) + index;
    }
    slices[static_cast<size_t>(i)] = slice;
  }
  return slices;
}

class ResourceGatherNdKernel final : public Kernel {
 public:
  explicit ResourceGatherNdKernel(KernelConstruction& c) : dtype_(c.attr<DType>("dtype")) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, LookupVariable(c, 0, dtype_));
    const Tensor& indices = c.input(1);
    std::shared_lock lock(variable->mutex());
    const Tensor& params = variable->value_locked();
    HR_RETURN_IF_ERROR(RequireInitialized(params, c));
    if (params.rank() < 1) return InvalidArgument("params must be at least a vector");
    if (indices.rank() < 1) return InvalidArgument("indices must be at least a vector");
    const int64_t depth = indices.dim(indices.rank() - 1);
    if (depth > params.rank()) {
      return InvalidArgument("index innermost dimension length must be <= params rank; saw: ", depth, " vs. ",
                             params.rank());
    }
    std::vector<int64_t> dims(indices.shape().dims().begin(), indices.shape().dims().end() - 1);
    int64_t row_elements = 1;
    for (auto i = static_cast<int>(depth); i < params.rank(); ++i) {
      dims.push_back(params.dim(i));
      row_elements *= params.dim(i);
    }
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, shape));
    if (depth == 0) {
      // Every index vector is empty and names the whole; how many there are is not seen in the number of their elements.
      for (int64_t begin = 0; begin < shape.num_elements(); begin += row_elements) {
        GatherRows(params, row_elements, std::array<int64_t, 1>{0}, 0, out, begin);
      }
      return OkStatus();
    }
    HR_ASSIGN_OR_RETURN(const std::vector<int64_t> slices, FlattenIndices(indices, params.shape(), depth, c));
    GatherRows(params, row_elements, slices, 0, out, 0);
    return OkStatus();
  }

 private:
  const DType dtype_;
};

Status GatherNdGradient(GradientContext& c) {
  const DType index_type = c.attr<DType>("Tindices");
  const Endpoint dense_shape = c.Op("VariableShape", {c.input(0)}, {{"out_type", index_type}});
  return c.SetInputGradient(0, c.Op("ScatterNd", {c.input(1), c.output_gradient(0), dense_shape}));
}

}  // namespace

OpDefinition ResourceGather() {
  return OpDefinition(
             "ResourceGather(resource: resource, indices: Tindices) -> (output: dtype) | batch_dims: int = 0 | "
             "validate_indices: "
             "bool = true | dtype: type | Tindices: type in {i32,i64} | stateful")
      .Shape(GatherShape)
      .Gradient(GatherGradient)
      .Kernels(AnyType(ClassKernel<ResourceGatherKernel>()));
}

OpDefinition ResourceGatherNd() {
  return OpDefinition(
             "ResourceGatherNd(resource: resource, indices: Tindices) -> (output: dtype) | dtype: type | Tindices: "
             "type in "
             "{i32,i64} | stateful")
      .Shape(GatherNdShape)
      .Gradient(GatherNdGradient)
      .Kernels(AnyType(ClassKernel<ResourceGatherNdKernel>()));
}

}  // namespace headrace
