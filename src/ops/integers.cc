#include "ops/integers.h"

namespace headrace {

int64_t IntegerAt(const Tensor& values, int64_t i) {
  const size_t at = static_cast<size_t>(i);
  switch (values.dtype()) {
    case DType::kInt8:
      return values.data<int8_t>()[at];
    case DType::kInt16:
      return values.data<int16_t>()[at];
    case DType::kInt32:
      return values.data<int32_t>()[at];
    case DType::kUint8:
      return values.data<uint8_t>()[at];
    case DType::kUint16:
      return values.data<uint16_t>()[at];
    case DType::kUint32:
      return values.data<uint32_t>()[at];
    case DType::kUint64:
      return static_cast<int64_t>(values.data<uint64_t>()[at]);
    default:
      return values.data<int64_t>()[at];
  }
}

std::vector<int64_t> IntegersOf(const Tensor& values) {
  std::vector<int64_t> integers(static_cast<size_t>(values.num_elements()));
  for (size_t i = 0; i < integers.size(); ++i) integers[i] = IntegerAt(values, static_cast<int64_t>(i));
  return integers;
}

Result<int> ReadAxis(std::string_view what, const Tensor& axis, int rank) {
  if (axis.num_elements() != 1) return InvalidArgument(what, ": the axis must be a scalar, is ", axis);
  return NormalizeAxis(what, IntegerAt(axis, 0), rank);
}

Result<int> NormalizeAxis(std::string_view what, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return InvalidArgument(what, ": axis ", axis, " is out of range [", -rank, ", ", rank, ")");
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::optional<std::vector<int64_t>> ConstantIntegers(const ShapeContext& c, int i) {
  const Tensor* value = c.constant(i);
  if (value == nullptr || !IsInteger(value->dtype())) return std::nullopt;
  return IntegersOf(*value);
}

Result<Shape> ShapeFromTensor(std::string_view what, const Tensor& dims) {
  if (dims.rank() > 1) return InvalidArgument(what, ": a shape must be a vector, is ", dims);
  Result<Shape> shape = Shape::Make(IntegersOf(dims));
  if (!shape.ok()) return InvalidArgument(what, ": ", shape.status().message());
  return shape;
}

}  // namespace headrace
