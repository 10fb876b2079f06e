// DType: TensorFlow's element types with TensorFlow's numbers, and the C++ types that store them.
#pragma once

#include <bit>
#include <complex>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/export.h"

namespace headrace {

enum class DType : int {
  kInvalid = 0,
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kQint8 = 11,
  kQuint8 = 12,
  kQint32 = 13,
  kBfloat16 = 14,
  kQint16 = 15,
  kQuint16 = 16,
  kUint16 = 17,
  kComplex128 = 18,
  kHalf = 19,
  kResource = 20,
  kVariant = 21,
  kUint32 = 22,
  kUint64 = 23,
  kFloat8E5m2 = 24,
  kFloat8E4m3fn = 25,
  kFloat8E4m3fnuz = 26,
  kFloat8E4m3b11fnuz = 27,
  kFloat8E5m2fnuz = 28,
  kInt4 = 29,
  kUint4 = 30,
};

/// A reference edge's type is its element type + 100 (TensorFlow's *_ref types).
inline constexpr int kRefOffset = 100;
constexpr bool IsRef(DType type) { return static_cast<int>(type) > kRefOffset; }
constexpr DType MakeRef(DType type) { return IsRef(type) ? type : DType(static_cast<int>(type) + kRefOffset); }
constexpr DType RemoveRef(DType type) { return IsRef(type) ? DType(static_cast<int>(type) - kRefOffset) : type; }

/// Returns the bytes of one stored element, or 0 for an invalid type. 4-bit types take a byte each.
HR_EXPORT int64_t DTypeSize(DType type);
/// Returns the short text used in messages: "f32", "i64", "str", "f32_ref", ...
HR_EXPORT std::string_view DTypeShortName(DType type);
/// Returns TensorFlow's Python spelling: "float32", "int64", "string", "float32_ref", ...
HR_EXPORT std::string_view DTypeName(DType type);
/// Returns TensorFlow's enum spelling: "DT_FLOAT", "DT_INT64_REF", ...; "DT_INVALID" for an unknown number.
HR_EXPORT std::string_view DTypeEnumName(DType type);
/// Reads any of the three spellings; kInvalid when it is none.
HR_EXPORT DType ParseDType(std::string_view text);

/// True for types whose elements are plain bytes (everything but string, resource, variant).
constexpr bool IsPlainData(DType type) {
  return type != DType::kString && type != DType::kResource && type != DType::kVariant && type != DType::kInvalid &&
         !IsRef(type);
}
constexpr bool IsFloating(DType type) {
  return type == DType::kFloat || type == DType::kDouble || type == DType::kHalf || type == DType::kBfloat16;
}
constexpr bool IsInteger(DType type) {
  switch (type) {
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64:
      return true;
    default:
      return false;
  }
}
constexpr bool IsComplex(DType type) { return type == DType::kComplex64 || type == DType::kComplex128; }

/// IEEE 754 half precision as storage; arithmetic goes through float.
struct HR_EXPORT Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(float value);
  explicit Half(double value) : Half(static_cast<float>(value)) {}
  operator float() const;
  static Half FromBits(uint16_t bits) {
    Half half;
    half.bits = bits;
    return half;
  }
};

/// The upper half of a float; conversion rounds to nearest even.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value) {
    uint32_t word = std::bit_cast<uint32_t>(value);
    if (value != value) {
      bits = static_cast<uint16_t>((word >> 16) | 0x40);
    } else {
      bits = static_cast<uint16_t>((word + 0x7fff + ((word >> 16) & 1)) >> 16);
    }
  }
  explicit BFloat16(double value) : BFloat16(static_cast<float>(value)) {}
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
  static BFloat16 FromBits(uint16_t bits) {
    BFloat16 value;
    value.bits = bits;
    return value;
  }
};

struct ResourceHandle;
class Variant;

/// DTypeOf<T>: the DType stored as C++ type T.
template <typename T> inline constexpr DType kDTypeOf = DType::kInvalid;
template <> inline constexpr DType kDTypeOf<float> = DType::kFloat;
template <> inline constexpr DType kDTypeOf<double> = DType::kDouble;
template <> inline constexpr DType kDTypeOf<int32_t> = DType::kInt32;
template <> inline constexpr DType kDTypeOf<uint8_t> = DType::kUint8;
template <> inline constexpr DType kDTypeOf<int16_t> = DType::kInt16;
template <> inline constexpr DType kDTypeOf<int8_t> = DType::kInt8;
template <> inline constexpr DType kDTypeOf<std::string> = DType::kString;
template <> inline constexpr DType kDTypeOf<std::complex<float>> = DType::kComplex64;
template <> inline constexpr DType kDTypeOf<int64_t> = DType::kInt64;
template <> inline constexpr DType kDTypeOf<bool> = DType::kBool;
template <> inline constexpr DType kDTypeOf<BFloat16> = DType::kBfloat16;
template <> inline constexpr DType kDTypeOf<uint16_t> = DType::kUint16;
template <> inline constexpr DType kDTypeOf<std::complex<double>> = DType::kComplex128;
template <> inline constexpr DType kDTypeOf<Half> = DType::kHalf;
template <> inline constexpr DType kDTypeOf<ResourceHandle> = DType::kResource;
template <> inline constexpr DType kDTypeOf<Variant> = DType::kVariant;
template <> inline constexpr DType kDTypeOf<uint32_t> = DType::kUint32;
template <> inline constexpr DType kDTypeOf<uint64_t> = DType::kUint64;

inline void AppendText(std::string& out, DType type) { out += DTypeShortName(type); }

}  // namespace headrace
