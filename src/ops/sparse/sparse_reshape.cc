// SparseReshape: the indices that the entries have once the dense tensor is reshaped; one extent may be -1.
#include <algorithm>

#include "ops/integers.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status ReshapeShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_ASSIGN_OR_RETURN(const PartialShape wanted, c.InputOfRank(2, 1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({indices.dim(0), wanted.dim(0)})));
  return c.SetOutput(1, wanted);
}

// The extents asked for, with -1 worked out.
Result<std::vector<int64_t>> Target(std::span<const int64_t> from, std::span<const int64_t> wanted) {
  HR_ASSIGN_OR_RETURN(const headrace::Shape dense, Shape::Make(from));
  std::vector<int64_t> target(wanted.begin(), wanted.end());
  int64_t known = 1, unknown = -1;
  for (size_t d = 0; d < target.size(); ++d) {
    if (target[d] == -1) {
      if (unknown != -1) return InvalidArgument("only one output dimension may be -1, not both ", unknown, " and ", d);
      unknown = static_cast<int64_t>(d);
    } else if (target[d] < 0) {
      return InvalidArgument("size ", d, " must be non-negative, not ", target[d]);
    } else if (__builtin_mul_overflow(known, target[d], &known)) {
      return InvalidArgument("SparseReshape: new_shape ", IndexText(wanted), " has too many elements");
    }
  }
  const int64_t total = dense.num_elements();
  if (unknown >= 0) {
    if (known == 0) {
      return InvalidArgument(
          "reshape cannot infer the missing input size for an empty tensor unless all specified "
          "input sizes are non-zero");
    }
    if (total % known != 0) {
      return InvalidArgument("Input to reshape is a SparseTensor with ", total,
                             " dense values, but the requested shape requires a multiple of ", known,
                             ". input_shape=", IndexText(from), " output_shape=", IndexText(wanted));
    }
    target[static_cast<size_t>(unknown)] = total / known;
  } else if (known != total) {
    return InvalidArgument("Input to reshape is a tensor with ", total, " dense values, but the requested shape has ",
                           known, ". input_shape=", IndexText(from), " output_shape=", IndexText(wanted));
  }
  return target;
}

Status Reshape(KernelContext& c) {
  const Tensor &indices = c.input(0), &shape = c.input(1), &wanted = c.input(2);
  if (indices.rank() != 2)
    return InvalidArgument("Input indices should be a matrix but received shape ", indices.shape());
  if (shape.rank() != 1) return InvalidArgument("Input shape should be a vector but received shape ", shape.shape());
  if (wanted.rank() != 1) return InvalidArgument("Target shape should be a vector but received shape ", wanted.shape());
  if (shape.dim(0) != indices.dim(1)) {
    return InvalidArgument("Input tensor rank must match input shape length: ", indices.dim(1), " and ", shape.dim(0));
  }
  const std::span<const int64_t> from = shape.data<int64_t>();
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> target, Target(from, wanted.data<int64_t>()));
  HR_RETURN_IF_ERROR(SetInt64Vector(c, 1, target));
  if (std::ranges::equal(from, target)) return c.SetOutput(0, c.input(0));
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, Shape({indices.dim(0), std::ssize(target)})));
  const std::span<const int64_t> in = indices.data<int64_t>();
  int64_t* to = output->mutable_data<int64_t>().data();
  for (int64_t i = 0; i < indices.dim(0); ++i) {
    const auto row = in.subspan(static_cast<size_t>(i) * from.size(), from.size());
    int64_t place = PlaceOf(row, from);
    if (place < 0) return OutOfBounds(i, row, from);
    for (size_t d = target.size(); d-- > 0;) {
      to[d] = place % target[d];
      place /= target[d];
    }
    to += target.size();
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> SparseReshapeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SparseReshape(input_indices: i64, input_shape: i64, new_shape: i64) -> (output_indices: "
                             "i64, output_shape: i64)")
                    .Shape(ReshapeShape)
                    .NoGradient("not differentiable")
                    .Kernels(AnyType(FunctionKernel(Reshape))));
  return ops;
}

}  // namespace headrace
