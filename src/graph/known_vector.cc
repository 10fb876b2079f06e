#include "graph/known_vector.h"

#include <algorithm>

namespace headrace {

namespace {

// Nodes looked at for one vector: graphs from outside may share inputs so that following all paths would take for ever.
constexpr int kMaxSteps = 256;

std::optional<PartialShape> VectorOf(const Endpoint& vector, int* steps);

// An extent as shapes hold it: what is below -1 is none, so nothing is known.
int64_t Extent(int64_t value) { return std::max(value, PartialShape::kUnknownDim); }

// Integers of a constant; nullopt for another dtype, or more than a shape could have.
std::optional<std::vector<int64_t>> Integers(const Tensor* value) {
  if (value == nullptr || value->num_elements() > Shape::kMaxRank) return std::nullopt;
  std::vector<int64_t> out;
  if (value->dtype() == DType::kInt32) {
    const auto data = value->data<int32_t>();
    out.assign(data.begin(), data.end());
  } else if (value->dtype() == DType::kInt64) {
    const auto data = value->data<int64_t>();
    out.assign(data.begin(), data.end());
  } else {
    return std::nullopt;
  }
  return out;
}

std::optional<int64_t> ConstantScalar(const Endpoint& endpoint) {
  const auto values = Integers(ConstantValue(endpoint));
  return values && values->size() == 1 ? std::optional<int64_t>(values->front()) : std::nullopt;
}

bool IsForwarding(const Node& node) { return node.op() == "Identity" || node.op() == "Cast"; }

// StridedSlice of a vector, along its one dimension.
struct VectorSlice {
  int64_t begin;
  int64_t end;
  int64_t stride;
  bool to_scalar;
};

std::optional<VectorSlice> SliceOf(const Node& node, int64_t size) {
  const auto mask = [&node](std::string_view name) { return GetAttrOr<int64_t>(node.attrs(), name, 0); };
  const auto begin = ConstantScalar(node.input(1)), end = ConstantScalar(node.input(2)),
             stride = ConstantScalar(node.input(3));
  if (!begin || !end || !stride || *stride < 1 || mask("ellipsis_mask") != 0 || mask("new_axis_mask") != 0)
    return std::nullopt;
  const auto clamped = [size](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
  const int64_t first = mask("begin_mask") & 1 ? 0 : clamped(*begin);
  if (mask("shrink_axis_mask") & 1) return VectorSlice{first, first + 1, 1, true};
  return VectorSlice{first, mask("end_mask") & 1 ? size : clamped(*end), *stride, false};
}

// Elements of the slice, or nullopt.
std::optional<PartialShape> SlicedVector(const Node& node, int* steps, bool to_scalar) {
  const auto whole = VectorOf(node.input(0), steps);
  if (!whole) return std::nullopt;
  const auto slice = SliceOf(node, whole->rank());
  if (!slice || slice->to_scalar != to_scalar || slice->begin + to_scalar > whole->rank()) return std::nullopt;
  PartialShape out = PartialShape::Scalar();
  for (int64_t i = slice->begin; i < slice->end; i += slice->stride) out.AppendDim(whole->dim(static_cast<int>(i)));
  return out;
}

// The value of an integer scalar, or -1.
int64_t ScalarOf(const Endpoint& scalar, int* steps) {
  if (!scalar || --*steps < 0) return PartialShape::kUnknownDim;
  if (const auto value = ConstantScalar(scalar)) return Extent(*value);
  const Node& node = *scalar.node;
  if (node.num_inputs() == 0 || !node.input(0)) return PartialShape::kUnknownDim;
  if (IsForwarding(node)) return ScalarOf(node.input(0), steps);
  if (node.op() == "Size") return node.input(0).shape().num_elements().value_or(PartialShape::kUnknownDim);
  if (node.op() == "StridedSlice") {
    const auto element = SlicedVector(node, steps, /*to_scalar=*/true);
    if (element && element->rank() == 1) return element->dim(0);
  }
  return PartialShape::kUnknownDim;
}

std::optional<PartialShape> Concatenated(const Node& node, int* steps) {
  PartialShape out = PartialShape::Scalar();
  for (int i = 0; i + 1 < node.num_inputs(); ++i) {  // the last input is the axis, which is 0 for vectors
    const auto part = VectorOf(node.input(i), steps);
    if (!part || out.rank() + part->rank() > Shape::kMaxRank) return std::nullopt;
    for (const int64_t extent : part->dims()) out.AppendDim(extent);
  }
  return out;
}

std::optional<PartialShape> ComputedVector(const Endpoint& vector, int* steps) {
  const Node& node = *vector.node;
  if (const Tensor* value = ConstantValue(vector)) {
    const auto integers = value->rank() == 1 ? Integers(value) : std::nullopt;
    if (!integers) return std::nullopt;
    PartialShape out = PartialShape::Scalar();
    for (const int64_t integer : *integers) out.AppendDim(Extent(integer));
    return out;
  }
  if (node.num_inputs() == 0 || node.num_inputs() > Shape::kMaxRank || !node.input(0)) return std::nullopt;
  if (node.op() == "Shape" || node.op() == "ShapeN") {
    const Endpoint& of = node.input(vector.index);
    return of && of.shape().has_rank() ? std::optional<PartialShape>(of.shape()) : std::nullopt;
  }
  if (node.op() == "Pack" || node.op() == "ExpandDims") {
    const int scalars = node.op() == "Pack" ? node.num_inputs() : 1;
    PartialShape out = PartialShape::Scalar();
    for (int i = 0; i < scalars; ++i) out.AppendDim(ScalarOf(node.input(i), steps));
    return out;
  }
  if (node.op() == "ConcatV2") return Concatenated(node, steps);
  if (node.op() == "StridedSlice") return SlicedVector(node, steps, /*to_scalar=*/false);
  if (IsForwarding(node)) return VectorOf(node.input(0), steps);
  return std::nullopt;
}

std::optional<PartialShape> VectorOf(const Endpoint& vector, int* steps) {
  if (!vector || --*steps < 0) return std::nullopt;
  const PartialShape& shape = vector.shape();
  if (!shape.has_rank() || shape.rank() != 1) return std::nullopt;
  if (auto computed = ComputedVector(vector, steps)) return computed;
  const int64_t size = shape.dim(0);
  if (size == PartialShape::kUnknownDim || size > Shape::kMaxRank) return std::nullopt;
  return PartialShape::UnknownOfRank(static_cast<int>(size));
}

}  // namespace

const Tensor* ConstantValue(const Endpoint& endpoint) {
  if (!endpoint || endpoint.node->op() != "Const") return nullptr;
  const auto found = endpoint.node->attrs().find("value");
  return found == endpoint.node->attrs().end() ? nullptr : found->second.As<Tensor>();
}

std::optional<PartialShape> KnownVector(const Endpoint& vector) {
  int steps = kMaxSteps;
  return VectorOf(vector, &steps);
}

}  // namespace headrace
