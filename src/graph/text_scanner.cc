#include "graph/text_scanner.h"

#include <cctype>
#include <cmath>
#include <limits>

#include "base/checked_math.h"

namespace headrace {

namespace {

bool IsWordCharacter(char c, std::string_view more) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || more.find(c) != std::string_view::npos;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void TextScanner::SkipBlanks() {
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
}

bool TextScanner::Take(std::string_view token) {
  SkipBlanks();
  if (text_.substr(at_, token.size()) != token) return false;
  at_ += token.size();
  return true;
}

bool TextScanner::AtEnd() {
  SkipBlanks();
  return at_ == text_.size();
}

std::string_view TextScanner::TakeUntil(std::string_view stops) {
  SkipBlanks();
  const size_t begin = at_;
  while (at_ < text_.size() && stops.find(text_[at_]) == std::string_view::npos) ++at_;
  size_t end = at_;
  while (end > begin && std::isspace(static_cast<unsigned char>(text_[end - 1]))) --end;
  return text_.substr(begin, end - begin);
}

std::string_view TextScanner::TakeWord(std::string_view more) {
  SkipBlanks();
  const size_t begin = at_;
  while (at_ < text_.size() && IsWordCharacter(text_[at_], more)) ++at_;
  return text_.substr(begin, at_ - begin);
}

Status TextScanner::Expect(std::string_view token) { return Take(token) ? OkStatus() : Error(StrCat("'", token, "'")); }

Status TextScanner::Error(std::string_view wanted) const {
  const std::string_view rest = text_.substr(at_, 40);
  return InvalidArgument("Expected ", wanted, " at character ", at_, ", found '", rest, "'",
                         text_.size() - at_ > rest.size() ? "..." : "");
}

Result<std::string> TextScanner::TakeQuoted() {
  HR_RETURN_IF_ERROR(Expect("'"));
  std::string out;
  while (at_ < text_.size() && text_[at_] != '\'') {
    if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
      out += text_[at_++];
      continue;
    }
    const char escaped = text_[at_ + 1];
    at_ += 2;
    switch (escaped) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'x': {
        const int high = at_ < text_.size() ? HexDigit(text_[at_]) : -1;
        const int low = at_ + 1 < text_.size() ? HexDigit(text_[at_ + 1]) : -1;
        if (high < 0 || low < 0) return Error("two hexadecimal digits");
        out += static_cast<char>(high * 16 + low);
        at_ += 2;
        break;
      }
      default:
        out += escaped;
    }
  }
  if (at_ == text_.size()) return Error("a closing quote");
  ++at_;
  return out;
}

Result<bool> TextScanner::TakeBool() {
  const std::string_view word = TakeWord();
  if (word == "true" || word == "True") return true;
  if (word == "false" || word == "False") return false;
  return Error("true or false");
}

Result<int64_t> TextScanner::TakeInt() {
  int64_t value = 0;
  if (!ParseInt64(TakeWord("-"), &value)) return Error("an integer");
  return value;
}

Result<float> TextScanner::TakeFloat() {
  const std::string_view word = TakeWord("+-.");
  if (word == "inf") return std::numeric_limits<float>::infinity();
  if (word == "-inf") return -std::numeric_limits<float>::infinity();
  if (word == "nan") return std::nanf("");
  double value = 0;
  if (!ParseDouble(word, &value)) return Error("a number");
  return static_cast<float>(value);
}

Result<DType> TextScanner::TakeType() {
  const DType type = ParseDType(TakeWord());
  if (type == DType::kInvalid) return Error("a dtype");
  return type;
}

Result<PartialShape> TextScanner::TakeShape() {
  if (Take("<unknown>")) return PartialShape();
  HR_RETURN_IF_ERROR(Expect("["));
  PartialShape shape = PartialShape::Scalar();
  if (Take("]")) return shape;
  do {
    if (Take("?")) {
      shape.AppendDim(PartialShape::kUnknownDim);
      continue;
    }
    HR_ASSIGN_OR_RETURN(const int64_t extent, TakeInt());
    shape.AppendDim(extent);
  } while (Take(","));
  HR_RETURN_IF_ERROR(Expect("]"));
  return shape;
}

Result<FunctionRef> TextScanner::TakeFunction() {
  HR_RETURN_IF_ERROR(Expect("func:"));
  FunctionRef function;
  function.name = TakeWord(".-/");
  if (function.name.empty()) return Error("the name of a function");
  return function;
}

// "tensor" stands for a default that the text does not spell out; otherwise dtype[dims](value value ...).
Result<Tensor> TextScanner::TakeTensor() {
  if (Take("tensor")) return Tensor();
  HR_ASSIGN_OR_RETURN(const DType type, TakeType());
  HR_ASSIGN_OR_RETURN(const PartialShape partial, TakeShape());
  if (!partial.IsFullyKnown()) return Error("a fully known shape");
  HR_ASSIGN_OR_RETURN(const Shape shape, partial.ToShape());
  // Every value takes a character at least, so the text bounds what is allocated.
  if (shape.num_elements() > static_cast<int64_t>(text_.size()))
    return Error("as many values as the shape has elements");
  HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, shape));
  HR_RETURN_IF_ERROR(Expect("("));
  HR_RETURN_IF_ERROR(
      (ForDType<float, double, int32_t, int64_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t, bool, Half,
                BFloat16, std::string>(type, "tensor in a text", [&]<typename T>() -> Status {
        for (T& value : tensor.mutable_data<T>()) {
          if constexpr (std::is_same_v<T, std::string>) {
            HR_ASSIGN_OR_RETURN(value, TakeQuoted());
          } else if constexpr (std::is_same_v<T, bool>) {
            HR_ASSIGN_OR_RETURN(value, TakeBool());
          } else if constexpr (std::is_integral_v<T>) {
            HR_ASSIGN_OR_RETURN(const int64_t number, TakeInt());
            value = static_cast<T>(number);
          } else {
            double number = 0;
            if (!ParseDouble(TakeWord("+-."), &number)) return Error("a number");
            value = static_cast<T>(number);
          }
        }
        return OkStatus();
      })));
  HR_RETURN_IF_ERROR(Expect(")"));
  return tensor;
}

template <typename T, typename TakeItem> Result<AttrValue> TextScanner::TakeList(TakeItem take_item) {
  std::vector<T> values;
  HR_RETURN_IF_ERROR(Expect("["));
  if (Take("]")) return AttrValue(std::move(values));
  do {
    HR_ASSIGN_OR_RETURN(T value, take_item());
    values.push_back(std::move(value));
  } while (Take(","));
  HR_RETURN_IF_ERROR(Expect("]"));
  return AttrValue(std::move(values));
}

Result<AttrValue> TextScanner::TakeListOf(std::string_view item_kind) {
  if (item_kind == "bool") return TakeList<bool>([this] { return TakeBool(); });
  if (item_kind == "int") return TakeList<int64_t>([this] { return TakeInt(); });
  if (item_kind == "float") return TakeList<float>([this] { return TakeFloat(); });
  if (item_kind == "string") return TakeList<std::string>([this] { return TakeQuoted(); });
  if (item_kind == "type") return TakeList<DType>([this] { return TakeType(); });
  if (item_kind == "shape") return TakeList<PartialShape>([this] { return TakeShape(); });
  if (item_kind == "tensor") return TakeList<Tensor>([this] { return TakeTensor(); });
  if (item_kind == "func") return TakeList<FunctionRef>([this] { return TakeFunction(); });
  return Error("a value of a known kind");
}

Result<AttrValue> TextScanner::TakeAttrValue(std::string_view kind) {
  const auto as_attr = [](auto result) -> Result<AttrValue> {
    if (!result.ok()) return result.status();
    return AttrValue(*std::move(result));
  };
  if (kind == "bool") return as_attr(TakeBool());
  if (kind == "int") return as_attr(TakeInt());
  if (kind == "float") return as_attr(TakeFloat());
  if (kind == "string") return as_attr(TakeQuoted());
  if (kind == "type") return as_attr(TakeType());
  if (kind == "shape") return as_attr(TakeShape());
  if (kind == "tensor") return as_attr(TakeTensor());
  if (kind == "func") return as_attr(TakeFunction());
  if (kind.starts_with("list(") && kind.ends_with(")")) return TakeListOf(kind.substr(5, kind.size() - 6));
  return Error("a value of a known kind");
}

}  // namespace headrace
