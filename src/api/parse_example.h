// ParseExample: serialized tf.train.Example records into tensors.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/output.h"

namespace headrace::api {

/// One feature to read, by its key.
struct HR_EXPORT Feature {
  std::string key;
  DType dtype = DType::kFloat;  // kFloat, kInt64 or kString
  bool fixed = true;
  PartialShape shape = PartialShape::Scalar();  // of one example, when fixed
  std::optional<Tensor> default_value = {};     // for examples that lack it

  /// Always `shape` values. Without a default, an example that lacks it fails the step.
  static Feature Fixed(std::string key, DType dtype, PartialShape shape = PartialShape::Scalar()) {
    return {std::move(key), dtype, true, std::move(shape), std::nullopt};
  }
  static Feature Fixed(std::string key, const Tensor& default_value) {
    return {std::move(key), default_value.dtype(), true, default_value.shape(), default_value};
  }
  /// Any number of values.
  static Feature VarLen(std::string key, DType dtype) { return {std::move(key), dtype, false, {}, std::nullopt}; }
};

/// Values at coordinates of a tensor that is empty elsewhere.
struct HR_EXPORT SparseTensor {
  Output indices;      // i64[n, rank], ordered
  Output values;       // [n]
  Output dense_shape;  // i64[rank]
};

/// The tensors of the features, by key.
class HR_EXPORT ParsedExample {
 public:
  /// A fixed feature: [feature.shape], or [n, feature.shape] for a batch. Empty for a key that was not asked for as
  /// fixed.
  Output operator[](const std::string& key) const;
  /// A feature of any length; empty for a key that was not asked for as such.
  SparseTensor Sparse(const std::string& key) const;
  /// The fixed features in the order in which they were asked for.
  std::vector<Output> Dense() const;

 private:
  friend ParsedExample ParseExample(const Input& serialized, const std::vector<Feature>& features);
  std::vector<std::pair<std::string, Output>> dense_;
  std::vector<std::pair<std::string, SparseTensor>> sparse_;
};

/// Reads examples: `serialized` is a string scalar (one) or vector (a batch, which is much faster). A record that is no
/// Example, or a feature of another type or number of values, fails the step with INVALID_ARGUMENT, naming key and
/// position. Op ParseExampleV2.
HR_EXPORT ParsedExample ParseExample(const Input& serialized, const std::vector<Feature>& features);

}  // namespace headrace::api
