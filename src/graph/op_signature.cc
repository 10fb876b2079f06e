// The grammar that is read and written here stands in op_signature.h.
#include "graph/op_signature.h"

#include <algorithm>

#include "graph/text_scanner.h"

namespace headrace {

namespace {

constexpr int64_t kMaxRepetitions = 1 << 20;

constexpr std::string_view kKinds[] = {"bool", "int", "float", "string", "type", "shape", "tensor", "func"};

// An argument's type without the Ref() around it: dtype, attr, n * dtype, n * attr, list(attr).
Status TakeArgType(TextScanner& text, ArgSignature* arg) {
  if (text.Take("list(")) {
    arg->type_list_attr = text.TakeWord();
    if (arg->type_list_attr.empty()) return text.Error("the name of an attribute");
    return text.Expect(")");
  }
  std::string_view word = text.TakeWord();
  if (text.Take("*")) {
    arg->number_attr = word;
    word = text.TakeWord();
  }
  if (word.empty()) return text.Error("a type");
  const DType type = ParseDType(word);
  if (type != DType::kInvalid && DTypeShortName(type) == word) {
    arg->type = type;
  } else {
    arg->type_attr = word;
  }
  return OkStatus();
}

Result<std::vector<ArgSignature>> TakeArgs(TextScanner& text) {
  std::vector<ArgSignature> args;
  HR_RETURN_IF_ERROR(text.Expect("("));
  if (text.Take(")")) return args;
  do {
    ArgSignature arg;
    arg.name = text.TakeWord();
    if (arg.name.empty()) return text.Error("the name of an argument");
    HR_RETURN_IF_ERROR(text.Expect(":"));
    arg.is_ref = text.Take("Ref(");
    HR_RETURN_IF_ERROR(TakeArgType(text, &arg));
    if (arg.is_ref) HR_RETURN_IF_ERROR(text.Expect(")"));
    args.push_back(std::move(arg));
  } while (text.Take(","));
  HR_RETURN_IF_ERROR(text.Expect(")"));
  return args;
}

Result<std::string> TakeKind(TextScanner& text) {
  const bool list = text.Take("list(");
  const std::string word(text.TakeWord());
  if (std::ranges::find(kKinds, word) == std::end(kKinds)) return text.Error("the kind of an attribute");
  if (!list) return word;
  HR_RETURN_IF_ERROR(text.Expect(")"));
  return StrCat("list(", word, ")");
}

Status TakeAllowed(TextScanner& text, AttrSignature* attr) {
  const std::string_view kind = attr->kind;
  const bool strings = kind == "string" || kind == "list(string)";
  if (!strings && kind != "type" && kind != "list(type)")
    return text.Error("an attribute of types or strings before 'in'");
  do {
    HR_ASSIGN_OR_RETURN(const AttrValue value, text.TakeAttrValue(strings ? "string" : "type"));
    if (strings) {
      attr->allowed_strings.push_back(*value.As<std::string>());
    } else {
      attr->allowed_types.push_back(*value.As<DType>());
    }
  } while (text.Take(","));
  return text.Expect("}");
}

Status TakeAttr(TextScanner& text, std::string_view name, AttrSignature* attr) {
  attr->name = name;
  HR_ASSIGN_OR_RETURN(attr->kind, TakeKind(text));
  if (text.Take("=")) {
    HR_ASSIGN_OR_RETURN(attr->default_value, text.TakeAttrValue(attr->kind));
  }
  if (text.Take("in {")) HR_RETURN_IF_ERROR(TakeAllowed(text, attr));
  if (text.Take(">=")) {
    HR_ASSIGN_OR_RETURN(const AttrValue minimum, text.TakeAttrValue("int"));
    attr->minimum = *minimum.As<int64_t>();
  }
  return OkStatus();
}

// A part after "|": an attribute or a flag.
Status TakePart(TextScanner& text, OpSignature* signature) {
  const std::string_view word = text.TakeWord();
  if (text.Take(":")) return TakeAttr(text, word, &signature->attrs.emplace_back());
  if (word == "stateful") {
    signature->stateful = true;
  } else if (word == "commutative") {
    signature->commutative = true;
  } else if (word == "aggregate") {
    signature->aggregate = true;
  } else if (word == "allows_uninitialized_input") {
    signature->allows_uninitialized_input = true;
  } else {
    return text.Error("an attribute or a flag");
  }
  return OkStatus();
}

std::string ArgText(const ArgSignature& arg) {
  std::string type = arg.type_attr.empty() ? std::string(DTypeShortName(arg.type)) : arg.type_attr;
  if (!arg.type_list_attr.empty()) {
    type = StrCat("list(", arg.type_list_attr, ")");
  } else if (!arg.number_attr.empty()) {
    type = StrCat(arg.number_attr, " * ", type);
  }
  return StrCat(arg.name, ": ", arg.is_ref ? StrCat("Ref(", type, ")") : type);
}

std::string ArgsText(const std::vector<ArgSignature>& args) {
  std::vector<std::string> texts;
  for (const ArgSignature& arg : args) texts.push_back(ArgText(arg));
  return StrCat("(", StrJoin(texts, ", "), ")");
}

std::string DefaultText(const AttrValue& value) {
  if (value.As<Tensor>() != nullptr) return "tensor";
  if (const auto* flags = value.As<std::vector<bool>>()) {
    std::vector<std::string> texts;
    for (const bool flag : *flags) texts.push_back(flag ? "True" : "False");
    return StrCat("[", StrJoin(texts, ","), "]");
  }
  return value.ToString();
}

std::string AttrText(const AttrSignature& attr) {
  std::string text = StrCat(attr.name, ": ", attr.kind);
  if (attr.default_value) text += StrCat(" = ", DefaultText(*attr.default_value));
  if (!attr.allowed_types.empty()) text += StrCat(" in {", StrJoin(attr.allowed_types, ","), "}");
  if (!attr.allowed_strings.empty()) {
    std::vector<AttrValue> values(attr.allowed_strings.begin(), attr.allowed_strings.end());
    text += StrCat(" in {", StrJoin(values, ","), "}");
  }
  if (attr.minimum) text += StrCat(" >= ", *attr.minimum);
  return text;
}

// The number of tensors of an argument that is not a type list.
Result<int64_t> Repetitions(const ArgSignature& arg, const AttrMap& attrs) {
  if (arg.number_attr.empty()) return int64_t{1};
  int64_t count = 0;
  HR_RETURN_IF_ERROR(GetAttr<int64_t>(attrs, arg.number_attr, &count));
  if (count < 0 || count > kMaxRepetitions) {
    return InvalidArgument("Attribute '", arg.number_attr, "' counts tensors and must be in [0, ", kMaxRepetitions,
                           "], is ", count);
  }
  return count;
}

Status AppendArgTypes(const ArgSignature& arg, const AttrMap& attrs, std::vector<DType>* types) {
  const size_t begin = types->size();
  if (!arg.type_list_attr.empty()) {
    const auto found = attrs.find(arg.type_list_attr);
    const auto* list = found == attrs.end() ? nullptr : found->second.As<std::vector<DType>>();
    if (list == nullptr) return AttrError(attrs, arg.type_list_attr);
    types->insert(types->end(), list->begin(), list->end());
  } else {
    DType type = arg.type;
    if (!arg.type_attr.empty()) HR_RETURN_IF_ERROR(GetAttr<DType>(attrs, arg.type_attr, &type));
    HR_ASSIGN_OR_RETURN(const int64_t count, Repetitions(arg, attrs));
    types->insert(types->end(), static_cast<size_t>(count), type);
  }
  if (types->size() > static_cast<size_t>(kMaxRepetitions)) {
    return InvalidArgument("Argument '", arg.name, "' makes more than ", kMaxRepetitions, " tensors");
  }
  if (!arg.is_ref) return OkStatus();
  std::transform(types->begin() + static_cast<std::ptrdiff_t>(begin), types->end(),
                 types->begin() + static_cast<std::ptrdiff_t>(begin), MakeRef);
  return OkStatus();
}

}  // namespace

Result<OpSignature> OpSignature::Parse(std::string_view line) {
  TextScanner text(line);
  OpSignature signature;
  signature.name = text.TakeWord(">");
  if (signature.name.empty()) return text.Error("the name of an op");
  HR_ASSIGN_OR_RETURN(signature.inputs, TakeArgs(text));
  HR_RETURN_IF_ERROR(text.Expect("->"));
  HR_ASSIGN_OR_RETURN(signature.outputs, TakeArgs(text));
  while (text.Take("|")) HR_RETURN_IF_ERROR(TakePart(text, &signature));
  if (!text.AtEnd()) return text.Error("'|' or the end");
  return signature;
}

std::string OpSignature::ToString() const {
  std::string text = StrCat(name, ArgsText(inputs), " -> ", ArgsText(outputs));
  for (const AttrSignature& attr : attrs) text += StrCat(" | ", AttrText(attr));
  if (stateful) text += " | stateful";
  if (commutative) text += " | commutative";
  if (aggregate) text += " | aggregate";
  if (allows_uninitialized_input) text += " | allows_uninitialized_input";
  return text;
}

const AttrSignature* OpSignature::FindAttr(std::string_view attr_name) const {
  const auto found = std::ranges::find(attrs, attr_name, &AttrSignature::name);
  return found == attrs.end() ? nullptr : &*found;
}

Result<std::vector<DType>> ArgTypes(const std::vector<ArgSignature>& args, const AttrMap& attrs) {
  std::vector<DType> types;
  types.reserve(args.size());
  for (const ArgSignature& arg : args) HR_RETURN_IF_ERROR(AppendArgTypes(arg, attrs, &types));
  return types;
}

Result<std::vector<int>> ArgOffsets(const std::vector<ArgSignature>& args, const AttrMap& attrs) {
  std::vector<int> offsets{0};
  std::vector<DType> types;
  for (const ArgSignature& arg : args) {
    HR_RETURN_IF_ERROR(AppendArgTypes(arg, attrs, &types));
    offsets.push_back(static_cast<int>(types.size()));
  }
  return offsets;
}

}  // namespace headrace
