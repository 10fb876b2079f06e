#include "case_values.h"

#include <cmath>
#include <cstdio>

#include "case_file.h"

namespace headrace::cases {
namespace {

template <typename T> inline constexpr bool kIsComplex = false;
template <typename T> inline constexpr bool kIsComplex<std::complex<T>> = true;

template <typename Visitor> Status Visit(DType dtype, Visitor&& visit) {
  return ForDType<float, double, int32_t, uint8_t, int16_t, int8_t, std::string, std::complex<float>, int64_t, bool,
                  BFloat16, uint16_t, std::complex<double>, Half, uint32_t, uint64_t>(dtype, "case file",
                                                                                      std::forward<Visitor>(visit));
}

Status ParseElement(std::string_view text, std::string* value) {
  if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return InvalidArgument("expected '...': ", text);
  text = text.substr(1, text.size() - 2);
  value->clear();
  for (; !text.empty(); text.remove_prefix(1)) {
    unsigned code = 0;
    if (text.starts_with("\\x") && std::sscanf(std::string(text.substr(2, 2)).c_str(), "%2x", &code) == 1) {
      text.remove_prefix(3);
      *value += static_cast<char>(code);
    } else {
      *value += text.front();
    }
  }
  return OkStatus();
}

// Also "1+2i": the second sign, not of an exponent, begins the imaginary part.
template <typename T> Status ParseElement(std::string_view text, std::complex<T>* value) {
  double real = 0, imaginary = 0;
  if (text.ends_with('i')) {
    text.remove_suffix(1);
    size_t split = text.find_last_of("+-");
    while (split != std::string_view::npos && split > 0 && text[split - 1] == 'e')
      split = text.find_last_of("+-", split - 1);
    if (split == std::string_view::npos) split = 0;
    std::string_view part = text.substr(split);
    if (part.starts_with('+')) part.remove_prefix(1);
    if (!ParseDouble(part, &imaginary)) return InvalidArgument("bad number: ", text);
    text = text.substr(0, split);
  }
  if (!text.empty() && !ParseDouble(text, &real)) return InvalidArgument("bad number: ", text);
  *value = std::complex<T>(static_cast<T>(real), static_cast<T>(imaginary));
  return OkStatus();
}

template <typename T> Status ParseElement(std::string_view text, T* value) {
  if (text == "true" || text == "false") {
    *value = static_cast<T>(static_cast<float>(text == "true"));
    return OkStatus();
  }
  if constexpr (std::is_integral_v<T>) {
    int64_t number = 0;
    if (text == "18446744073709551615") return *value = static_cast<T>(~uint64_t{0}), OkStatus();
    if (!ParseInt64(text, &number)) return InvalidArgument("bad number: ", text);
    *value = static_cast<T>(number);
  } else {
    char* end = nullptr;
    const std::string copy(text);
    const double number = std::strtod(copy.c_str(), &end);  // reads nan and inf too
    if (copy.empty() || *end != 0) return InvalidArgument("bad number: ", text);
    *value = static_cast<T>(number);
  }
  return OkStatus();
}

template <typename T> T FromDouble(double value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return StrCat(static_cast<int64_t>(value));
  } else if constexpr (kIsComplex<T>) {
    return T(static_cast<typename T::value_type>(value), 0);
  } else {
    return static_cast<T>(value);
  }
}

template <typename T> Status FillRandom(std::string_view range, Random& random, std::span<T> values) {
  double low = std::is_integral_v<T> ? 0 : -1;
  double high = std::is_integral_v<T> ? 10 : 1;
  if (!range.empty()) {
    const std::vector<std::string> ends = StrSplit(range.substr(1, range.size() - 2), ',');
    if (ends.size() != 2 || !ParseDouble(Trim(ends[0]), &low) || !ParseDouble(Trim(ends[1]), &high)) {
      return InvalidArgument("bad range ", range);
    }
  }
  std::uniform_real_distribution<double> distribution(low, high);
  for (T& value : values) {
    value = FromDouble<T>(distribution(random));
    if constexpr (kIsComplex<T>) value += T(0, FromDouble<T>(distribution(random)).real());
  }
  return OkStatus();
}

template <typename T> Status FillValues(std::string_view text, Random& random, std::span<T> values) {
  if (text == "iota") {
    for (size_t i = 0; i < values.size(); ++i) values[i] = FromDouble<T>(static_cast<double>(i));
    return OkStatus();
  }
  if (text.starts_with("random")) return FillRandom<T>(text.substr(6), random, values);
  const std::vector<std::string> tokens = SplitTokens(text);
  if (tokens.size() != values.size() && tokens.size() != 1) {
    return InvalidArgument(tokens.size(), " values for ", values.size(), " elements");
  }
  for (size_t i = 0; i < values.size(); ++i) {
    HR_RETURN_IF_ERROR(ParseElement(tokens[tokens.size() == 1 ? 0 : i], &values[i]));
  }
  return OkStatus();
}

Result<PartialShape> ParseShape(std::string_view text) {
  if (text == "<unknown>") return PartialShape();
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return InvalidArgument("bad shape ", text);
  std::vector<int64_t> dims;
  for (const std::string& part : StrSplit(text.substr(1, text.size() - 2), ',')) {
    int64_t dim = -1;
    if (Trim(part) != "?" && !ParseInt64(Trim(part), &dim)) return InvalidArgument("bad shape ", text);
    dims.push_back(dim);
  }
  return PartialShape(std::move(dims));
}

Result<AttrValue> ParseScalarAttr(std::string_view kind, std::string_view text) {
  int64_t integer = 0;
  double number = 0;
  if (kind == "bool") return AttrValue(text == "true");
  if (kind == "int" && ParseInt64(text, &integer)) return AttrValue(integer);
  if (kind == "float" && ParseDouble(text, &number)) return AttrValue(number);
  if (kind == "string") {
    std::string value;
    HR_RETURN_IF_ERROR(ParseElement(text, &value));
    return AttrValue(value);
  }
  if (kind == "type" && ParseDType(text) != DType::kInvalid) return AttrValue(ParseDType(text));
  if (kind == "shape") {
    HR_ASSIGN_OR_RETURN(PartialShape shape, ParseShape(text));
    return AttrValue(shape);
  }
  if (kind == "tensor") {
    Random random;
    HR_ASSIGN_OR_RETURN(Tensor tensor, ParseTensor(text.substr(1, text.size() - 2), random));  // (f32[2] = 1 2)
    return AttrValue(tensor);
  }
  return InvalidArgument("not a ", kind, ": ", text);
}

template <typename T> Result<AttrValue> ParseListAttr(std::string_view kind, const std::vector<std::string>& items) {
  std::vector<T> values;
  for (const std::string& item : items) {
    HR_ASSIGN_OR_RETURN(AttrValue value, ParseScalarAttr(kind, Trim(item)));
    values.push_back(*value.As<T>());
  }
  return AttrValue(std::move(values));
}

// Splits "[1,2],[3]" at commas outside of brackets.
std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  int depth = 0;
  for (char c : text) {
    depth += (c == '[') - (c == ']');
    if (items.empty()) items.emplace_back();
    if (c == ',' && depth == 0) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  return items;
}

Result<AttrValue> ParseAttr(std::string_view kind, std::string_view text) {
  if (!kind.starts_with("list(")) return ParseScalarAttr(kind, text);
  if (text.size() < 2 || text.front() != '[') return InvalidArgument("not a ", kind, ": ", text);
  const std::string_view item = kind.substr(5, kind.size() - 6);
  const std::vector<std::string> items = SplitList(text.substr(1, text.size() - 2));
  if (item == "bool") return ParseListAttr<bool>(item, items);
  if (item == "int") return ParseListAttr<int64_t>(item, items);
  if (item == "float") return ParseListAttr<float>(item, items);
  if (item == "string") return ParseListAttr<std::string>(item, items);
  if (item == "type") return ParseListAttr<DType>(item, items);
  if (item == "shape") return ParseListAttr<PartialShape>(item, items);
  return InvalidArgument("case files know no ", kind);
}

template <typename T> std::string ElementText(const T& value) {
  if constexpr (kIsComplex<T>) {
    return StrCat(static_cast<double>(value.real()), "+", static_cast<double>(value.imag()), "i");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return StrCat("'", value, "'");
  } else if constexpr (std::is_integral_v<T>) {
    return StrCat(value);
  } else {
    return StrCat(static_cast<double>(value));
  }
}

bool Near(double actual, double expected, double tolerance) {
  if (std::isnan(expected) || std::isinf(expected) || std::isinf(actual)) {
    return std::isnan(expected) ? std::isnan(actual) : actual == expected;
  }
  return std::abs(actual - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

template <typename T> bool Matches(const T& actual, const T& expected, double tolerance) {
  if constexpr (std::is_integral_v<T> || std::is_same_v<T, std::string>) {
    return actual == expected;
  } else if constexpr (kIsComplex<T>) {
    return Near(actual.real(), expected.real(), tolerance) && Near(actual.imag(), expected.imag(), tolerance);
  } else {
    return Near(static_cast<double>(actual), static_cast<double>(expected), tolerance);
  }
}

double DefaultTolerance(DType dtype) {
  switch (dtype) {
    case DType::kDouble:
    case DType::kComplex128:
      return 1e-7;  // expected values are written with few digits
    case DType::kHalf:
      return 2e-3;
    case DType::kBfloat16:
      return 1e-2;
    default:
      return 1e-5;
  }
}

}  // namespace

Result<Tensor> ParseTensor(std::string_view text, Random& random) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return InvalidArgument("expected `type[shape] = values`: ", text);
  const std::string_view type = Trim(text.substr(0, equals));
  const size_t bracket = type.find('[');
  if (bracket == std::string_view::npos) return InvalidArgument("expected `type[shape] = values`: ", text);
  HR_ASSIGN_OR_RETURN(PartialShape partial, ParseShape(type.substr(bracket)));
  HR_ASSIGN_OR_RETURN(Shape shape, partial.ToShape());
  const DType dtype = ParseDType(type.substr(0, bracket));
  HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, shape));
  const std::string_view values = Trim(text.substr(equals + 1));
  HR_RETURN_IF_ERROR(
      Visit(dtype, [&]<typename T>() { return FillValues<T>(values, random, tensor.mutable_data<T>()); }));
  return tensor;
}

Result<AttrMap> ParseAttrs(const OpSignature& signature, std::string_view text) {
  AttrMap attrs;
  for (const std::string& token : SplitTokens(text)) {
    const size_t equals = token.find('=');
    if (equals == std::string::npos) return InvalidArgument("expected name=value: ", token);
    const std::string name = token.substr(0, equals);
    const AttrSignature* attr = signature.FindAttr(name);
    if (attr == nullptr) return InvalidArgument(signature.name, " has no attribute ", name);
    HR_ASSIGN_OR_RETURN(attrs[name], ParseAttr(attr->kind, std::string_view(token).substr(equals + 1)));
  }
  return attrs;
}

Status CompareTensors(const Tensor& actual, const Tensor& expected, double tolerance) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) {
    return Internal("got ", actual.TypeAndShape(), ", expected ", expected.TypeAndShape());
  }
  if (tolerance == 0) tolerance = DefaultTolerance(actual.dtype());
  return Visit(actual.dtype(), [&]<typename T>() {
    for (int64_t i = 0; i < actual.num_elements(); ++i) {
      const T& a = actual.data<T>()[static_cast<size_t>(i)];
      const T& b = expected.data<T>()[static_cast<size_t>(i)];
      if (!Matches(a, b, tolerance)) {
        return Internal("element ", i, " of ", actual.TypeAndShape(), ": got ", ElementText(a), ", expected ",
                        ElementText(b));
      }
    }
    return OkStatus();
  });
}

double ElementAsDouble(const Tensor& tensor, int64_t i) {
  double value = 0;
  const Status status = Visit(tensor.dtype(), [&]<typename T>() {
    const T& element = tensor.data<T>()[static_cast<size_t>(i)];
    if constexpr (kIsComplex<T>) {
      value = static_cast<double>(element.real());
    } else if constexpr (!std::is_same_v<T, std::string>) {
      value = static_cast<double>(element);
    }
    return OkStatus();
  });
  HR_CHECK(status.ok());
  return value;
}

void SetElement(Tensor& tensor, int64_t i, double value) {
  const Status status = ForDType<float, double, Half, BFloat16>(tensor.dtype(), "SetElement", [&]<typename T>() {
    tensor.mutable_data<T>()[static_cast<size_t>(i)] = static_cast<T>(value);
    return OkStatus();
  });
  HR_CHECK(status.ok());
}

}  // namespace headrace::cases
