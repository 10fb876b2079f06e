#include "ops/io/example_messages.h"

#include "ops/io/type_text.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

Status Bad(const ExamplePlace& place, std::string_view key, std::string_view what) {
  if (!place.is_batch) return InvalidArgument("Key: ", key, ".  ", what);
  return InvalidArgument("Name: ", place.name, ", Key: ", key, ", Index: ", place.example, ".  ", what);
}

}  // namespace

std::string ExampleMessages::TypeName(FeatureKind kind) {
  return TypeText(kind == FeatureKind::kFloat   ? DType::kFloat
                  : kind == FeatureKind::kInt64 ? DType::kInt64
                                                : DType::kString);
}

std::string_view ExampleMessages::ValuesName(DType dtype) {
  return dtype == DType::kFloat ? "float" : dtype == DType::kInt64 ? "int64" : "bytes";
}

std::string ExampleMessages::Unreadable(const ExamplePlace& place, std::string_view bytes) {
  constexpr size_t kMostShown = 64;
  std::string shown;
  for (const char c : bytes.substr(0, kMostShown)) {
    if (c >= ' ' && c <= '~') {
      shown += c;
    } else {
      shown += StrCat("\\x", Hex16(static_cast<unsigned char>(c)).substr(14));
    }
  }
  return StrCat("Could not parse example input, value: '", shown, bytes.size() > kMostShown ? "...'" : "'",
                " (example ", place.example, ", ", bytes.size(), " bytes)");
}

Status ExampleMessages::NoExample(const ExamplePlace& place, std::string_view bytes) const {
  return InvalidArgument(Unreadable(place, bytes));
}

Status ExampleMessages::Missing(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature) const {
  return InvalidArgument(place.is_batch ? StrCat("Name: ", place.name, ", ") : "", "Feature: ", key,
                         " (data type: ", TypeText(feature.dtype), ") is required but could not be found.");
}

Status ExampleMessages::OtherType(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                                  FeatureKind kind) const {
  const std::string expected = TypeText(feature.dtype), actual = TypeName(kind);
  const bool is_dense = feature.form == Form::kFixed || feature.form == Form::kPadded;
  return Bad(place, key,
             is_dense ? StrCat("Data types don't match. Data type: ", actual, " but expected type: ", expected)
                      : StrCat("Data types don't match. Expected type: ", expected, ", Actual type: ", actual));
}

Status ExampleMessages::WrongCount(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                                   int64_t count) const {
  return Bad(place, key,
             StrCat("Number of ", ValuesName(feature.dtype), " values != expected.  Values size: ", count,
                    " but output shape: ", feature.stated_shape));
}

Status ExampleMessages::Malformed(const ExamplePlace& place, std::string_view key,
                                  const ExampleFeature& feature) const {
  return Bad(place, key,
             StrCat("Can't parse serialized Example: the ", ValuesName(feature.dtype), " values are malformed"));
}

Status ExampleMessages::NoWholeRows(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                                    int64_t count) const {
  return Bad(place, key,
             StrCat("Number of ", ValuesName(feature.dtype), " values is not a multiple of stride length. Saw ", count,
                    " values but output shape is: ", feature.stated_shape));
}

}  // namespace headrace
