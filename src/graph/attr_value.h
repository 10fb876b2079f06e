// AttrValue: the value of a node's attribute. AttrMap: all of a node's attributes by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

class AttrValue;
using AttrMap = std::map<std::string, AttrValue, std::less<>>;

/// A function by name, with the values of the function's own attributes.
struct HR_EXPORT FunctionRef {
  std::string name;
  std::shared_ptr<const AttrMap> attrs;  // null when there are none
};

/// Stands inside a function body for an attribute of the function: replaced when the function is instantiated.
struct HR_EXPORT AttrPlaceholder {
  std::string name;
};

/// One attribute value: of TensorFlow's kinds bool, int, float, string, type, shape, tensor, func, and lists of them.
class HR_EXPORT AttrValue {
 public:
  using Value = std::variant<std::monostate, bool, int64_t, float, std::string, DType, PartialShape, Tensor,
                             FunctionRef, AttrPlaceholder, std::vector<bool>, std::vector<int64_t>, std::vector<float>,
                             std::vector<std::string>, std::vector<DType>, std::vector<PartialShape>,
                             std::vector<Tensor>, std::vector<FunctionRef>>;

  AttrValue() = default;
  AttrValue(bool value) : value_(value) {}                        // NOLINT: implicit throughout, as literals
  AttrValue(int value) : value_(static_cast<int64_t>(value)) {}   // NOLINT
  AttrValue(int64_t value) : value_(value) {}                     // NOLINT
  AttrValue(float value) : value_(value) {}                       // NOLINT
  AttrValue(double value) : value_(static_cast<float>(value)) {}  // NOLINT
  AttrValue(const char* value) : value_(std::string(value)) {}    // NOLINT
  template <typename T>
  requires std::constructible_from<Value, T> AttrValue(T value) : value_(std::move(value)) {}  // NOLINT

  /// Returns the value as a T, or nullptr when it is of another kind.
  template <typename T> const T* As() const { return std::get_if<T>(&value_); }
  const Value& value() const { return value_; }
  bool has_value() const { return !std::holds_alternative<std::monostate>(value_); }

  /// TensorFlow's name of the kind: "int", "list(type)", "placeholder", ...
  std::string_view KindName() const;
  /// As text, for messages: "3", "f32", "[1,?]", "[f32,i64]", "'text'".
  std::string ToString() const;
  friend bool operator==(const AttrValue& a, const AttrValue& b);

 private:
  Value value_;
};

/// Reads `attrs[name]` into `*value`. Errors: kInvalidArgument, naming the attribute, when it is missing or of another kind.
template <typename T> Status GetAttr(const AttrMap& attrs, std::string_view name, T* value);

/// Returns the attribute, or `fallback` when it is missing or of another kind.
template <typename T> T GetAttrOr(const AttrMap& attrs, std::string_view name, T fallback) {
  const auto found = attrs.find(name);
  const T* value = found == attrs.end() ? nullptr : found->second.As<T>();
  return value == nullptr ? fallback : *value;
}

HR_EXPORT Status AttrError(const AttrMap& attrs, std::string_view name);

template <typename T> Status GetAttr(const AttrMap& attrs, std::string_view name, T* value) {
  const auto found = attrs.find(name);
  const T* typed = found == attrs.end() ? nullptr : found->second.As<T>();
  if (typed == nullptr) return AttrError(attrs, name);
  *value = *typed;
  return OkStatus();
}
/// An `int` attribute read into an int. Errors: also kInvalidArgument when it does not fit.
HR_EXPORT Status GetAttr(const AttrMap& attrs, std::string_view name, int* value);

}  // namespace headrace
