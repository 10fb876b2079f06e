#include "graph/shape_context.h"

#include <algorithm>

#include "graph/known_vector.h"
#include "graph/node_error.h"

namespace headrace {

namespace {

// Reads a shape from a constant i32 or i64 tensor; -1 is an unknown extent, a scalar -1 an unknown shape.
Result<PartialShape> ShapeFromConstant(const Tensor& value) {
  PartialShape shape = PartialShape::Scalar();
  HR_RETURN_IF_ERROR((ForDType<int32_t, int64_t>(value.dtype(), "A shape", [&]<typename T>() -> Status {
    for (const T extent : value.data<T>()) {
      if (extent < -1) return InvalidArgument("A shape has an extent below -1: ", value.Summary());
      shape.AppendDim(extent);
    }
    return OkStatus();
  })));
  if (value.rank() == 0) {
    if (shape.dim(0) == -1) return PartialShape();
    return InvalidArgument("A shape must be a vector, got ", value.Summary());
  }
  return shape;
}

}  // namespace

const Tensor* ShapeContext::constant(int i) const { return ConstantValue(node_.input(i)); }

Result<PartialShape> ShapeContext::ShapeFromInput(int i) const {
  const Endpoint& source = node_.input(i);
  if (const Tensor* value = constant(i)) return ShapeFromConstant(*value);
  if (!source) return PartialShape();
  const PartialShape& vector = source.shape();
  if (vector.has_rank() && vector.rank() != 1) {
    return InvalidArgument(node_.op(), ": a shape must be a vector, input ", i, " has shape ", vector);
  }
  return KnownVector(source).value_or(PartialShape());
}

Status ShapeContext::RequireRank(int i, int rank) const {
  const PartialShape& shape = input(i);
  if (!shape.has_rank() || shape.rank() == rank) return OkStatus();
  return InvalidArgument(node_.op(), ": input ", i, " must have rank ", rank, ", has shape ", shape);
}

Status ShapeContext::RequireRankAtLeast(int i, int rank) const {
  const PartialShape& shape = input(i);
  if (!shape.has_rank() || shape.rank() >= rank) return OkStatus();
  return InvalidArgument(node_.op(), ": input ", i, " must have rank ", rank, " at least, has shape ", shape);
}

Result<PartialShape> ShapeContext::InputOfRank(int i, int rank) const {
  HR_RETURN_IF_ERROR(RequireRank(i, rank));
  return input(i).has_rank() ? input(i) : PartialShape::UnknownOfRank(rank);
}

Result<PartialShape> BroadcastShapes(const PartialShape& a, const PartialShape& b) {
  if (!a.has_rank() || !b.has_rank()) return PartialShape();
  const int rank = std::max(a.rank(), b.rank());
  PartialShape out = PartialShape::UnknownOfRank(rank);
  for (int i = 0; i < rank; ++i) {
    const int in_a = i - (rank - a.rank()), in_b = i - (rank - b.rank());
    const int64_t left = in_a < 0 ? 1 : a.dim(in_a), right = in_b < 0 ? 1 : b.dim(in_b);
    if (left == right || right == 1) {
      out.SetDim(i, left);
    } else if (left == 1) {
      out.SetDim(i, right);
    } else if (left == PartialShape::kUnknownDim) {
      out.SetDim(i, right);  // the unknown one is 1 or the same
    } else if (right == PartialShape::kUnknownDim) {
      out.SetDim(i, left);
    } else {
      return InvalidArgument("shapes do not broadcast: ", a, " and ", b);
    }
  }
  return out;
}

Status UnchangedShape(ShapeContext& c) { return c.SetOutput(0, c.input(0)); }

Status ScalarShape(ShapeContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape::Scalar()));
  return OkStatus();
}

Status UnknownShape(ShapeContext& /*c*/) { return OkStatus(); }

Status NoOutputs(ShapeContext& /*c*/) { return OkStatus(); }

Status BroadcastBinaryShape(ShapeContext& c) {
  Result<PartialShape> shape = BroadcastShapes(c.input(0), c.input(1));
  if (!shape.ok()) return InvalidArgument(c.node().op(), ": ", shape.status().message());
  return c.SetOutput(0, *std::move(shape));
}

Status InferShapes(Node* node) {
  const ShapeFunction& function = node->definition().shape_function();
  // Inputs that are filled in later (loops) leave everything open.
  const bool complete =
      std::ranges::all_of(node->inputs(), [](const Endpoint& input) { return static_cast<bool>(input); });
  if (!function || !complete) return OkStatus();
  ShapeContext context(*node);
  const Status status = function(context);
  if (!status.ok()) return AtNode(status, node->name());
  node->set_output_shapes(context.TakeOutputs());
  return OkStatus();
}

}  // namespace headrace
