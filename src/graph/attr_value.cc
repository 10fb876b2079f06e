#include "graph/attr_value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "graph/attr_text.h"

namespace headrace {

namespace {

template <typename T> inline constexpr std::string_view kKindOf = "";
template <> inline constexpr std::string_view kKindOf<std::monostate> = "nothing";
template <> inline constexpr std::string_view kKindOf<bool> = "bool";
template <> inline constexpr std::string_view kKindOf<int64_t> = "int";
template <> inline constexpr std::string_view kKindOf<float> = "float";
template <> inline constexpr std::string_view kKindOf<std::string> = "string";
template <> inline constexpr std::string_view kKindOf<DType> = "type";
template <> inline constexpr std::string_view kKindOf<PartialShape> = "shape";
template <> inline constexpr std::string_view kKindOf<Tensor> = "tensor";
template <> inline constexpr std::string_view kKindOf<FunctionRef> = "func";
template <> inline constexpr std::string_view kKindOf<AttrPlaceholder> = "placeholder";
template <> inline constexpr std::string_view kKindOf<std::vector<bool>> = "list(bool)";
template <> inline constexpr std::string_view kKindOf<std::vector<int64_t>> = "list(int)";
template <> inline constexpr std::string_view kKindOf<std::vector<float>> = "list(float)";
template <> inline constexpr std::string_view kKindOf<std::vector<std::string>> = "list(string)";
template <> inline constexpr std::string_view kKindOf<std::vector<DType>> = "list(type)";
template <> inline constexpr std::string_view kKindOf<std::vector<PartialShape>> = "list(shape)";
template <> inline constexpr std::string_view kKindOf<std::vector<Tensor>> = "list(tensor)";
template <> inline constexpr std::string_view kKindOf<std::vector<FunctionRef>> = "list(func)";

std::string TextOf(std::monostate) { return "nothing"; }
std::string TextOf(bool value) { return value ? "true" : "false"; }
std::string TextOf(int64_t value) { return std::to_string(value); }
std::string TextOf(float value) { return FloatText(value); }
std::string TextOf(const std::string& value) { return QuotedText(value); }
std::string TextOf(DType value) { return std::string(DTypeShortName(value)); }
std::string TextOf(const PartialShape& value) { return value.ToString(); }
std::string TextOf(const Tensor& value) { return value.Summary(); }
std::string TextOf(const AttrPlaceholder& value) { return StrCat("$", value.name); }
std::string TextOf(const FunctionRef& value) {
  std::string text = StrCat("func:", value.name);
  if (value.attrs == nullptr || value.attrs->empty()) return text;
  std::vector<std::string> attrs;
  for (const auto& [name, attr] : *value.attrs) attrs.push_back(StrCat(name, "=", attr));
  return StrCat(text, "{", StrJoin(attrs, ","), "}");
}
template <typename T> std::string TextOf(const std::vector<T>& values) {
  std::vector<std::string> items;
  for (const auto& value : values) items.push_back(TextOf(static_cast<const T&>(value)));
  return StrCat("[", StrJoin(items, ","), "]");
}

template <typename T> bool Same(const T& a, const T& b) { return a == b; }
bool Same(std::monostate, std::monostate) { return true; }
bool Same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }
bool Same(const AttrPlaceholder& a, const AttrPlaceholder& b) { return a.name == b.name; }
bool Same(const FunctionRef& a, const FunctionRef& b) {
  static const AttrMap kNone;
  return a.name == b.name && (a.attrs ? *a.attrs : kNone) == (b.attrs ? *b.attrs : kNone);
}
bool Same(const ResourceHandle& a, const ResourceHandle& b) {
  return a.device == b.device && a.container == b.container && a.name == b.name && a.hash_code == b.hash_code;
}
bool Same(const Variant& a, const Variant& b) { return a.object() == b.object(); }
template <typename T> bool SameElements(const Tensor& a, const Tensor& b) {
  const auto left = a.data<T>(), right = b.data<T>();
  for (size_t i = 0; i < left.size(); ++i) {
    if (!Same(left[i], right[i])) return false;
  }
  return true;
}
bool Same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  switch (a.dtype()) {
    case DType::kInvalid:
      return true;
    case DType::kString:
      return SameElements<std::string>(a, b);
    case DType::kResource:
      return SameElements<ResourceHandle>(a, b);
    case DType::kVariant:
      return SameElements<Variant>(a, b);
    default:
      return a.SharesBufferWith(b) ? a.raw() == b.raw() || a.bytes() == b.bytes() : a.bytes() == b.bytes();
  }
}
template <typename T> bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!Same(static_cast<const T&>(a[i]), static_cast<const T&>(b[i]))) return false;
  }
  return true;
}

}  // namespace

std::string FloatText(float value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double wide = value;
  const double magnitude = std::fabs(wide);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  char buffer[64];
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), wide, format).ptr;
  std::string text(buffer, end);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string QuotedText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\x";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string_view AttrValue::KindName() const {
  return std::visit([]<typename T>(const T&) { return kKindOf<T>; }, value_);
}

std::string AttrValue::ToString() const {
  return std::visit([](const auto& value) { return TextOf(value); }, value_);
}

bool operator==(const AttrValue& a, const AttrValue& b) {
  if (a.value_.index() != b.value_.index()) return false;
  return std::visit([&b]<typename T>(const T& left) { return Same(left, std::get<T>(b.value_)); }, a.value_);
}

Status AttrError(const AttrMap& attrs, std::string_view name) {
  const auto found = attrs.find(name);
  if (found == attrs.end()) return InvalidArgument("Attribute '", name, "' is missing");
  return InvalidArgument("Attribute '", name, "' is of another kind than expected: ", found->second.KindName(), " ",
                         found->second);
}

Status GetAttr(const AttrMap& attrs, std::string_view name, int* value) {
  int64_t wide = 0;
  HR_RETURN_IF_ERROR(GetAttr<int64_t>(attrs, name, &wide));
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
    return InvalidArgument("Attribute '", name, "' does not fit in 32 bits: ", wide);
  }
  *value = static_cast<int>(wide);
  return OkStatus();
}

}  // namespace headrace
