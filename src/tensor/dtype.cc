#include "tensor/dtype.h"

#include <array>
#include <cmath>
#include <iterator>

#include "tensor/handle.h"

namespace headrace {

namespace {

struct Row {
  DType type;
  int64_t size;
  std::string_view short_name;
  std::string_view short_ref_name;
  std::string_view name;
  std::string_view ref_name;
  std::string_view enum_name;
  std::string_view enum_ref_name;
};

#define HR_DTYPE_ROW(type, size, short_name, name, enum_name) \
  Row { DType::type, size, short_name, short_name "_ref", name, name "_ref", enum_name, enum_name "_REF" }

// In the order of the enum's numbers, so that a type's number is its index.
constexpr Row kRows[] = {
    HR_DTYPE_ROW(kInvalid, 0, "invalid", "invalid", "DT_INVALID"),
    HR_DTYPE_ROW(kFloat, 4, "f32", "float32", "DT_FLOAT"),
    HR_DTYPE_ROW(kDouble, 8, "f64", "float64", "DT_DOUBLE"),
    HR_DTYPE_ROW(kInt32, 4, "i32", "int32", "DT_INT32"),
    HR_DTYPE_ROW(kUint8, 1, "u8", "uint8", "DT_UINT8"),
    HR_DTYPE_ROW(kInt16, 2, "i16", "int16", "DT_INT16"),
    HR_DTYPE_ROW(kInt8, 1, "i8", "int8", "DT_INT8"),
    HR_DTYPE_ROW(kString, sizeof(std::string), "str", "string", "DT_STRING"),
    HR_DTYPE_ROW(kComplex64, 8, "c64", "complex64", "DT_COMPLEX64"),
    HR_DTYPE_ROW(kInt64, 8, "i64", "int64", "DT_INT64"),
    HR_DTYPE_ROW(kBool, 1, "bool", "bool", "DT_BOOL"),
    HR_DTYPE_ROW(kQint8, 1, "qi8", "qint8", "DT_QINT8"),
    HR_DTYPE_ROW(kQuint8, 1, "qu8", "quint8", "DT_QUINT8"),
    HR_DTYPE_ROW(kQint32, 4, "qi32", "qint32", "DT_QINT32"),
    HR_DTYPE_ROW(kBfloat16, 2, "bf16", "bfloat16", "DT_BFLOAT16"),
    HR_DTYPE_ROW(kQint16, 2, "qi16", "qint16", "DT_QINT16"),
    HR_DTYPE_ROW(kQuint16, 2, "qu16", "quint16", "DT_QUINT16"),
    HR_DTYPE_ROW(kUint16, 2, "u16", "uint16", "DT_UINT16"),
    HR_DTYPE_ROW(kComplex128, 16, "c128", "complex128", "DT_COMPLEX128"),
    HR_DTYPE_ROW(kHalf, 2, "f16", "float16", "DT_HALF"),
    HR_DTYPE_ROW(kResource, sizeof(ResourceHandle), "resource", "resource", "DT_RESOURCE"),
    HR_DTYPE_ROW(kVariant, sizeof(Variant), "variant", "variant", "DT_VARIANT"),
    HR_DTYPE_ROW(kUint32, 4, "u32", "uint32", "DT_UINT32"),
    HR_DTYPE_ROW(kUint64, 8, "u64", "uint64", "DT_UINT64"),
    HR_DTYPE_ROW(kFloat8E5m2, 1, "f8e5m2", "float8_e5m2", "DT_FLOAT8_E5M2"),
    HR_DTYPE_ROW(kFloat8E4m3fn, 1, "f8e4m3fn", "float8_e4m3fn", "DT_FLOAT8_E4M3FN"),
    HR_DTYPE_ROW(kFloat8E4m3fnuz, 1, "f8e4m3fnuz", "float8_e4m3fnuz", "DT_FLOAT8_E4M3FNUZ"),
    HR_DTYPE_ROW(kFloat8E4m3b11fnuz, 1, "f8e4m3b11fnuz", "float8_e4m3b11fnuz", "DT_FLOAT8_E4M3B11FNUZ"),
    HR_DTYPE_ROW(kFloat8E5m2fnuz, 1, "f8e5m2fnuz", "float8_e5m2fnuz", "DT_FLOAT8_E5M2FNUZ"),
    HR_DTYPE_ROW(kInt4, 1, "i4", "int4", "DT_INT4"),
    HR_DTYPE_ROW(kUint4, 1, "u4", "uint4", "DT_UINT4"),
};

const Row& RowOf(DType type) {
  const auto index = static_cast<size_t>(RemoveRef(type));
  return kRows[index < std::size(kRows) ? index : 0];
}

}  // namespace

int64_t DTypeSize(DType type) { return RowOf(type).size; }

std::string_view DTypeShortName(DType type) {
  return IsRef(type) ? RowOf(type).short_ref_name : RowOf(type).short_name;
}

std::string_view DTypeName(DType type) { return IsRef(type) ? RowOf(type).ref_name : RowOf(type).name; }

std::string_view DTypeEnumName(DType type) { return IsRef(type) ? RowOf(type).enum_ref_name : RowOf(type).enum_name; }

DType ParseDType(std::string_view text) {
  for (const Row& row : kRows) {
    if (text == row.short_name || text == row.name || text == row.enum_name) return row.type;
    if (text == row.short_ref_name || text == row.ref_name || text == row.enum_ref_name) return MakeRef(row.type);
  }
  return DType::kInvalid;
}

Half::Half(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (word >> 16) & 0x8000;
  const float magnitude = std::fabs(value);
  if (!(magnitude == magnitude)) {
    bits = static_cast<uint16_t>(sign | 0x7e00);
  } else if (magnitude >= 65520.0f) {
    bits = static_cast<uint16_t>(sign | 0x7c00);
  } else if (magnitude < 6.103515625e-05f) {
    // Subnormal: adding 0.5 moves the half's last bit onto the float's, so the hardware rounds to nearest even.
    const float shifted = magnitude + 0.5f;
    bits = static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f)));
  } else {
    const uint32_t absolute = word & 0x7fffffff;
    const uint32_t rounded = absolute + 0xfff + ((absolute >> 13) & 1);
    bits = static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
  }
}

Half::operator float() const {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(mantissa), -24);
    return sign ? -value : value;
  }
  const uint32_t float_exponent = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (float_exponent << 23) | (mantissa << 13));
}

}  // namespace headrace
