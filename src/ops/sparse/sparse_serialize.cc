// A sparse tensor in one tensor, three elements for each: indices, values and shape, as TensorProto bytes or as variants. What
// datasets and batching queues pass around. SerializeSparse: one. SerializeManySparse: one for each index of the first
// dimension. DeserializeSparse: of [..., 3], stacked along new first dimensions. DeserializeManySparse: of [n, 3] strings.
// Errors: kInvalidArgument for another form, dtype, or ranks that differ.
#include <algorithm>

#include "kernel/elements.h"
#include "ops/io/tensor_bytes.h"
#include "ops/io/type_text.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"
#include "tensor/tensor_proto.h"

namespace headrace {

namespace {

Status SerializeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(SparseRank(c, 0, 2).status());
  const bool many = c.node().op() == "SerializeManySparse";
  return c.SetOutput(0, many ? PartialShape({PartialShape::kUnknownDim, 3}) : PartialShape({3}));
}

/// A tensor in a variant, as TensorFlow names it on the wire.
constexpr std::string_view kTensorVariant = "tensorflow::Tensor";

/// Writes one element of a serialized sparse tensor.
Status Store(const Tensor& part, Tensor* output, int64_t at) {
  if (output->dtype() == DType::kVariant) {
    output->mutable_data<Variant>()[static_cast<size_t>(at)] = Variant(
        std::make_shared<const OpaqueVariant>(std::string(kTensorVariant), std::string(), std::vector<Tensor>{part}));
    return OkStatus();
  }
  HR_ASSIGN_OR_RETURN(output->mutable_data<std::string>()[static_cast<size_t>(at)], TensorToBytes(part));
  return OkStatus();
}

Result<Tensor> Load(const KernelContext& c, const Tensor& input, int64_t at) {
  if (input.dtype() == DType::kString)
    return TensorFromBytes(input.data<std::string>()[static_cast<size_t>(at)], c.runtime().memory);
  const auto held = input.data<Variant>()[static_cast<size_t>(at)].As<OpaqueVariant>();
  if (held == nullptr || held->TypeName() != kTensorVariant || held->tensors().size() != 1)
    return InvalidArgument(c.node().op(), ": element ", at, " of serialized_sparse does not hold a tensor");
  return held->tensors()[0];
}

Status Serialize(KernelContext& c) {
  HR_RETURN_IF_ERROR(ReadSparse(c, 0).status());
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, Shape({3})));
  for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(Store(c.input(i), output, i));
  return OkStatus();
}

Status SerializeMany(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
  if (sparse.rank() < 2)
    return InvalidArgument("Rank of input SparseTensor should be > 1, but saw rank: ", sparse.rank());
  const int64_t dims[] = {sparse.shape[0], 3}, rank = sparse.rank() - 1;
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
  const std::span<const int64_t> inner = sparse.shape.subspan(1);
  const Tensor inner_shape = Tensor::FromValues<int64_t>(inner, Shape({rank}));
  int64_t next = 0;
  for (int64_t row = 0; row < sparse.shape[0]; ++row) {
    const int64_t first = next;
    while (next < sparse.size() && sparse.row(next)[0] == row) ++next;
    HR_ASSIGN_OR_RETURN(Tensor indices, c.AllocateTemporary(DType::kInt64, Shape({next - first, rank})));
    HR_ASSIGN_OR_RETURN(Tensor values, c.AllocateTemporary(sparse.values->dtype(), Shape({next - first})));
    auto to = indices.mutable_data<int64_t>().begin();
    for (int64_t i = first; i < next; ++i) to = std::ranges::copy(sparse.row(i).subspan(1), to).out;
    const Elements elements(values.dtype());
    elements.Copy(elements.At(sparse.values->raw(), first), values.mutable_raw(), next - first);
    HR_RETURN_IF_ERROR(Store(indices, output, 3 * row));
    HR_RETURN_IF_ERROR(Store(values, output, 3 * row + 1));
    HR_RETURN_IF_ERROR(Store(inner_shape, output, 3 * row + 2));
  }
  if (next == sparse.size()) return OkStatus();
  return InvalidArgument("SerializeManySparse: indices[", next, "] = ", IndexText(sparse.row(next)),
                         " is out of order or out of bounds: the first dimension must ascend below ", sparse.shape[0]);
}

Status DeserializeShape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  if (input.has_rank() && (input.rank() < 1 || (input.dim(input.rank() - 1) >= 0 && input.dim(input.rank() - 1) != 3)))
    return InvalidArgument(c.node().op(), ": the last dimension of serialized_sparse must be 3, is ", input);
  if (c.node().op() == "DeserializeManySparse") HR_RETURN_IF_ERROR(c.RequireRank(0, 2));
  return SetSparseShapes(c, 0, PartialShape::kUnknownDim, PartialShape::kUnknownDim);
}

/// The parts of all sparse tensors of the input; the tensors outlive the views in them.
struct Parts {
  std::vector<Tensor> tensors;  // three for each
  std::vector<SparseView> views;
  int64_t entries = 0;
  std::vector<int64_t> shape;  // the largest of each extent

  Status Read(const KernelContext& c, DType dtype) {
    const Tensor& input = c.input(0);
    for (int64_t i = 0; i < input.num_elements(); ++i) {
      HR_ASSIGN_OR_RETURN(tensors.emplace_back(), Load(c, input, i));
    }
    for (size_t i = 0; i < tensors.size(); i += 3) {
      if (tensors[i].dtype() != DType::kInt64 || tensors[i + 2].dtype() != DType::kInt64) {
        return InvalidArgument("Expected SparseTensor ", i / 3, " to have int64 indices and shape, got ", tensors[i],
                               " and ", tensors[i + 2]);
      }
      if (tensors[i + 1].dtype() != dtype) {
        return InvalidArgument("Requested SparseTensor of type ", TypeText(dtype), " but SparseTensor[", i / 3,
                               "].values.dtype() == ", TypeText(tensors[i + 1].dtype()));
      }
      HR_ASSIGN_OR_RETURN(views.emplace_back(), ReadSparse(tensors[i], tensors[i + 1], tensors[i + 2]));
      const SparseView& view = views.back();
      if (views.size() == 1) shape.assign(view.shape.begin(), view.shape.end());
      if (view.rank() != std::ssize(shape)) {
        return InvalidArgument("Inconsistent shape across SparseTensors: rank prior to SparseTensor[", i / 3,
                               "] was: ", shape.size(), " but rank of SparseTensor[", i / 3, "] is: ", view.rank());
      }
      for (size_t d = 0; d < shape.size(); ++d) shape[d] = std::max(shape[d], view.shape[d]);
      entries += view.size();
    }
    return OkStatus();
  }
};

class DeserializeKernel final : public Kernel {
 public:
  explicit DeserializeKernel(KernelConstruction& c) : dtype_(c.attr<DType>("dtype")) {}

  Status Compute(KernelContext& c) override {
    const Tensor& input = c.input(0);
    if (input.rank() < 1 || input.dim(input.rank() - 1) != 3)
      return InvalidArgument("Serialized sparse should have 3 as the last dimension ", input.shape());
    if (input.num_elements() == 0)
      return InvalidArgument("Serialized sparse should have non-zero first dimension ", input.shape());
    Parts parts;
    HR_RETURN_IF_ERROR(parts.Read(c, dtype_));
    if (input.rank() == 1) {
      for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, parts.tensors[static_cast<size_t>(i)]));
      return OkStatus();
    }
    const std::span<const int64_t> outer = input.shape().dims().first(static_cast<size_t>(input.rank()) - 1);
    std::vector<int64_t> shape(outer.begin(), outer.end());
    shape.insert(shape.end(), parts.shape.begin(), parts.shape.end());
    HR_RETURN_IF_ERROR(SetInt64Vector(c, 2, shape));
    return Stack(c, parts, outer, std::ssize(shape));
  }

 private:
  static Status Stack(KernelContext& c, const Parts& parts, std::span<const int64_t> outer, int64_t rank) {
    HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(0, Shape({parts.entries, rank})));
    HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(1, Shape({parts.entries})));
    const Elements elements(values->dtype());
    auto to = indices->mutable_data<int64_t>().begin();
    std::vector<int64_t> place(outer.size());
    int64_t done = 0;
    for (const SparseView& part : parts.views) {
      for (int64_t i = 0; i < part.size(); ++i) {
        to = std::ranges::copy(place, to).out;
        to = std::ranges::copy(part.row(i), to).out;
      }
      elements.Copy(part.values->raw(), elements.At(values->mutable_raw(), done), part.size());
      done += part.size();
      for (size_t d = place.size(); d-- > 0 && ++place[d] == outer[d];) place[d] = 0;
    }
    return OkStatus();
  }

  const DType dtype_;
};

OpDefinition SerializeOp(std::string_view name, KernelFunction kernel) {
  return OpDefinition(StrCat(name, "(sparse_indices: i64, sparse_values: T, sparse_shape: i64) -> (serialized_sparse: ",
                             "out_type) | T: type | out_type: type = str in {str,variant}"))
      .Shape(SerializeShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(kernel)));
}

OpDefinition DeserializeOp(std::string_view name, std::string_view input, std::string_view attrs) {
  return OpDefinition(StrCat(name, "(serialized_sparse: ", input, ") -> (sparse_indices: i64, sparse_values: dtype, ",
                             "sparse_shape: i64) | dtype: type", attrs))
      .Shape(DeserializeShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(ClassKernel<DeserializeKernel>()));
}

}  // namespace

std::vector<OpDefinition> SparseSerializeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(SerializeOp("SerializeSparse", Serialize));
  ops.push_back(SerializeOp("SerializeManySparse", SerializeMany));
  ops.push_back(DeserializeOp("DeserializeSparse", "Tserialized", " | Tserialized: type = str in {str,variant}"));
  ops.push_back(DeserializeOp("DeserializeManySparse", "str", ""));
  return ops;
}

}  // namespace headrace
