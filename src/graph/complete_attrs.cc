// CompleteAttrs (op_signature.h): defaults, and the checks of kinds, allowed values and minima.
#include <algorithm>

#include "graph/op_signature.h"
#include "graph/text_scanner.h"

namespace headrace {

namespace {

Status CheckMinimum(const AttrSignature& attr, const AttrValue& value) {
  int64_t actual = 0;
  if (const auto* number = value.As<int64_t>()) {
    actual = *number;
  } else {
    actual = std::visit(
        []<typename T>(const T& list) -> int64_t {
          if constexpr (requires {
                          typename T::value_type;
                          list.begin();
                        })
            return std::ssize(list);
          return 0;
        },
        value.value());
  }
  if (actual >= *attr.minimum) return OkStatus();
  return InvalidArgument("Attribute '", attr.name, "' must be", attr.kind == "int" ? "" : " a list of length",
                         " at least ", *attr.minimum, ", is ", value);
}

Status CheckAllowed(const AttrSignature& attr, const AttrValue& value) {
  const auto check = [&](const auto& item, const auto& allowed) -> Status {
    if (std::ranges::find(allowed, item) != allowed.end()) return OkStatus();
    std::vector<AttrValue> values(allowed.begin(), allowed.end());
    return InvalidArgument("Attribute '", attr.name, "' is ", AttrValue(item), ", which is not in {",
                           StrJoin(values, ","), "}");
  };
  if (const auto* type = value.As<DType>()) return check(*type, attr.allowed_types);
  if (const auto* text = value.As<std::string>()) return check(*text, attr.allowed_strings);
  if (const auto* types = value.As<std::vector<DType>>()) {
    for (const DType type : *types) HR_RETURN_IF_ERROR(check(type, attr.allowed_types));
  }
  if (const auto* texts = value.As<std::vector<std::string>>()) {
    for (const std::string& text : *texts) HR_RETURN_IF_ERROR(check(text, attr.allowed_strings));
  }
  return OkStatus();
}

Status CheckAttr(const AttrSignature& attr, const AttrValue& value) {
  if (value.KindName() != attr.kind) {
    return InvalidArgument("Attribute '", attr.name, "' must be of kind ", attr.kind, ", is ", value.KindName(), " ",
                           value);
  }
  const auto check_type = [&attr](DType type) {
    if (DTypeSize(type) != 0) return OkStatus();
    return InvalidArgument("Attribute '", attr.name, "' has a value that is not a dtype: number ",
                           static_cast<int>(type));
  };
  if (const auto* type = value.As<DType>()) HR_RETURN_IF_ERROR(check_type(*type));
  if (const auto* types = value.As<std::vector<DType>>()) {
    for (const DType type : *types) HR_RETURN_IF_ERROR(check_type(type));
  }
  if (attr.minimum) HR_RETURN_IF_ERROR(CheckMinimum(attr, value));
  if (attr.allowed_types.empty() && attr.allowed_strings.empty()) return OkStatus();
  return CheckAllowed(attr, value);
}

template <typename... Kinds> bool IsEmptyListOfAny(const AttrValue& value) {
  return ((value.As<std::vector<Kinds>>() != nullptr && value.As<std::vector<Kinds>>()->empty()) || ...);
}

// A list without items may come without its kind (see graph_proto.h): it becomes one of the declared kind.
void GiveKindToEmptyList(std::string_view kind, AttrValue* value) {
  if (!IsEmptyListOfAny<bool, int64_t, float, std::string, DType, PartialShape, Tensor, FunctionRef>(*value)) return;
  if (value->KindName() == kind || !kind.starts_with("list(")) return;
  Result<AttrValue> empty = TextScanner("[]").TakeAttrValue(kind);
  if (empty.ok()) *value = *std::move(empty);
}

// A default that the signature's text does not spell out: whoever reads the attribute knows it.
bool IsUnspelled(const AttrValue& value) {
  const auto* tensor = value.As<Tensor>();
  return tensor != nullptr && !tensor->valid();
}

}  // namespace

Status CompleteAttrs(const OpSignature& signature, AttrMap* attrs) {
  for (const AttrSignature& attr : signature.attrs) {
    const auto found = attrs->find(attr.name);
    if (found != attrs->end()) {
      GiveKindToEmptyList(attr.kind, &found->second);
      HR_RETURN_IF_ERROR(CheckAttr(attr, found->second));
    } else if (!attr.default_value) {
      return InvalidArgument("Attribute '", attr.name, "' (", attr.kind, ") of ", signature.name, " is missing");
    } else if (!IsUnspelled(*attr.default_value)) {
      GiveKindToEmptyList(attr.kind, &attrs->emplace(attr.name, *attr.default_value).first->second);
    }
  }
  for (const auto& [name, value] : *attrs) {
    if (!name.starts_with("_") && signature.FindAttr(name) == nullptr) {
      return InvalidArgument(signature.name, " has no attribute '", name, "' (given as ", value, ")");
    }
  }
  return OkStatus();
}

}  // namespace headrace
