// Initializers: how a variable gets its first value.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "api/output.h"

namespace headrace::api {

struct InitializerState;

/// A shape, a type and a way to compute the value, which becomes part of the graph where a variable is made. Cheap to
/// copy.
class HR_EXPORT Initializer {
 public:
  /// The tensor itself.
  Initializer(const Tensor& value);  // NOLINT: implicit
  /// The output's value, whenever the initializer runs; the variable has the shape that is known of it.
  Initializer(const Output& value);  // NOLINT: implicit
  explicit Initializer(std::shared_ptr<const InitializerState> state) : state_(std::move(state)) {}

  DType dtype() const;
  PartialShape shape() const;
  /// Builds the value as operations of its own in `scope`.
  Output In(const CallScope& scope) const;
  const InitializerState& state() const { return *state_; }

 private:
  std::shared_ptr<const InitializerState> state_;
};

/// `value` in every element. Types: number.
HR_EXPORT Initializer Filled(const Shape& shape, double value, DType dtype = DType::kFloat);
HR_EXPORT Initializer Zeros(const Shape& shape, DType dtype = DType::kFloat);
HR_EXPORT Initializer Ones(const Shape& shape, DType dtype = DType::kFloat);

/// The streams are TensorFlow's, bit for bit, at equal seeds. Without a seed see SetRandomSeed.
struct RandomOptions {
  std::optional<int64_t> seed = {};
  DType dtype = DType::kFloat;  // a floating type
};
/// Uniform in [minval, maxval). Op RandomUniform.
HR_EXPORT Initializer RandomUniform(const Shape& shape, double minval = 0, double maxval = 1,
                                    const RandomOptions& options = {});
/// Normal. Op RandomStandardNormal.
HR_EXPORT Initializer RandomNormal(const Shape& shape, double mean = 0, double stddev = 1,
                                   const RandomOptions& options = {});
/// Normal, drawn again beyond two standard deviations. Op TruncatedNormal.
HR_EXPORT Initializer TruncatedNormal(const Shape& shape, double mean = 0, double stddev = 1,
                                      const RandomOptions& options = {});
/// Uniform in +-sqrt(6 / (fan in + fan out)), for a matrix [fan in, fan out] (Glorot and Bengio 2010); what
/// get_variable uses.
HR_EXPORT Initializer GlorotUniform(const Shape& shape, const RandomOptions& options = {});

}  // namespace headrace::api
