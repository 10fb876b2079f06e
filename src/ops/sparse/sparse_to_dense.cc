// SparseToDense: a dense tensor of output_shape that is default_value but for the given values; of an index that occurs
// twice the last value stands (where validate_indices is false; else order and range of the indices are checked).
// sparse_indices is a matrix, a vector (rank 1), or a scalar (one entry); sparse_values may be one scalar for all.
#include <algorithm>

#include "kernel/elements.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status SparseToDenseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(1));
  return c.SetOutput(0, std::move(shape));
}

// d_values = the gradient where values went; d_default = all of the rest.
Status SparseToDenseGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c);
  const Formula values = dy.Apply("GatherNd", {c.input(0)});
  const auto total = [](const Formula& x) {
    const Endpoint all = x.builder().Op(
        "Range", {x.builder().Scalar<int32_t>(0), x.Apply("Rank").endpoint(), x.builder().Scalar<int32_t>(1)});
    return x.Apply("Sum", {all});
  };
  HR_RETURN_IF_ERROR(c.SetInputGradient(2, values));
  return c.SetInputGradient(3, total(dy) - total(values));
}

/// The inputs' sizes, checked.
struct Entries {
  int64_t count = 0, rank = 0;

  static Result<Entries> Read(const KernelContext& c) {
    const Tensor &indices = c.input(0), &shape = c.input(1), &values = c.input(2);
    if (indices.rank() > 2)
      return InvalidArgument("sparse_indices should be a scalar, vector, or matrix, got shape ", indices.shape());
    if (shape.rank() != 1) return InvalidArgument("output_shape must be rank 1, got shape ", shape.shape());
    const Entries entries{.count = indices.rank() > 0 ? indices.dim(0) : 1,
                          .rank = indices.rank() > 1 ? indices.dim(1) : 1};
    if (shape.num_elements() != entries.rank) {
      return InvalidArgument("output_shape has incorrect number of elements: ", shape.num_elements(),
                             " should be: ", entries.rank);
    }
    if (values.rank() != 0 && !(values.rank() == 1 && values.dim(0) == entries.count)) {
      return InvalidArgument("sparse_values has incorrect shape ", values.shape(), ", should be [] or [", entries.count,
                             "]");
    }
    if (c.input(3).rank() != 0)
      return InvalidArgument("default_value should be a scalar, got shape ", c.input(3).shape());
    return entries;
  }
};

class SparseToDenseKernel final : public Kernel {
 public:
  explicit SparseToDenseKernel(KernelConstruction& c) : validate_(c.attr<bool>("validate_indices", true)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const Entries entries, Entries::Read(c));
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("SparseToDense", c.input(1)));
    const Tensor& values = c.input(2);
    std::vector<int64_t> widened;
    std::span<const int64_t> indices;
    if (c.input(0).dtype() == DType::kInt64) {
      indices = c.input(0).data<int64_t>();
    } else {
      widened = IntegersOf(c.input(0));
      indices = widened;
    }
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    const Elements elements(values.dtype());
    elements.Fill(c.input(3).raw(), output->mutable_raw(), shape.num_elements());
    int64_t before = -1;
    for (int64_t i = 0; i < entries.count; ++i) {
      const auto index = indices.subspan(static_cast<size_t>(i * entries.rank), static_cast<size_t>(entries.rank));
      const int64_t place = PlaceOf(index, shape.dims());
      if (place < 0) return OutOfBounds(i, index, shape.dims());
      if (validate_ && place <= before) return OutOfOrder(i, index, place == before);
      before = place;
      elements.Copy(elements.At(values.raw(), values.rank() == 0 ? 0 : i), elements.At(output->mutable_raw(), place),
                    1);
    }
    return OkStatus();
  }

 private:
  static Status OutOfOrder(int64_t i, std::span<const int64_t> index, bool repeated) {
    if (repeated) return InvalidArgument("indices[", i, "] = ", IndexText(index), " is repeated");
    return InvalidArgument("indices[", i, "] = ", IndexText(index),
                           " is out of order. Many sparse ops require sorted indices.\n    Use `tf.sparse.reorder` to "
                           "create a correctly ordered copy.\n\n");
  }

  const bool validate_;
};

}  // namespace

std::vector<OpDefinition> SparseToDenseOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SparseToDense(sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, "
                             "default_value: T) -> (dense: T) | validate_indices: bool = true | T: type | Tindices: "
                             "type in {i32,i64}")
                    .Shape(SparseToDenseShape)
                    .Gradient(SparseToDenseGradient)
                    .Kernels(AnyType(ClassKernel<SparseToDenseKernel>())));
  return ops;
}

}  // namespace headrace
