// What an op says of an example that is not as wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "format/example.h"
#include "ops/io/example_feature.h"

namespace headrace {

/// Where it is.
struct ExamplePlace {
  int64_t example = 0;
  std::string name;      // of the example; "<unknown>" where the op was given none
  bool is_batch = true;  // false: there is only this example
};

/// The words of ParseExample. All are kInvalidArgument.
class ExampleMessages {
 public:
  virtual ~ExampleMessages() = default;
  virtual Status NoExample(const ExamplePlace& place, std::string_view bytes) const;
  virtual Status Missing(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature) const;
  virtual Status OtherType(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                           FeatureKind kind) const;
  virtual Status WrongCount(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                            int64_t count) const;
  Status Malformed(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature) const;
  Status NoWholeRows(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                     int64_t count) const;

 protected:
  /// The type and its list's name, as TensorFlow writes them.
  static std::string TypeName(FeatureKind kind);
  static std::string_view ValuesName(DType dtype);
  /// "could not parse", with the beginning of the bytes.
  static std::string Unreadable(const ExamplePlace& place, std::string_view bytes);
};

}  // namespace headrace
