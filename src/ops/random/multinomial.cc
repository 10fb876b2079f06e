// Multinomial: num_samples classes for each row of logits, each drawn with a probability in proportion to exp(logit); logits that are
// not finite are never drawn. At equal seed and seed2 the classes are those of TensorFlow where it does not split the rows among
// threads. Errors: kInvalidArgument for logits that are no matrix or have no classes, or num_samples below 0.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/integers.h"
#include "ops/random/draw.h"
#include "ops/random/random_ops.h"
#include "ops/random/random_stream.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

template <typename T> double AsDouble(T value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return static_cast<double>(float{value});
  return static_cast<double>(value);
}

// sums[k] = the weight of classes 0 to k; returns the whole weight.
template <typename T> double SumWeights(const T* logits, std::vector<double>& sums) {
  double largest = std::numeric_limits<double>::lowest();
  for (size_t k = 0; k < sums.size(); ++k) {
    const double logit = AsDouble(logits[k]);
    if (std::isfinite(logit)) largest = std::max(largest, logit);
  }
  double total = 0;
  for (size_t k = 0; k < sums.size(); ++k) {
    const double logit = AsDouble(logits[k]);
    if (std::isfinite(logit)) total += std::exp(logit - largest);
    sums[k] = total;
  }
  return total;
}

template <typename T, typename Class> class MultinomialKernel final : public Kernel {
 public:
  explicit MultinomialKernel(KernelConstruction& c) : stream_(c) {}

  Status Compute(KernelContext& c) override {
    const Tensor &logits = c.input(0), &count = c.input(1);
    if (logits.rank() != 2) return InvalidArgument("logits should be a matrix, got shape ", logits.shape());
    if (!count.shape().IsScalar()) return InvalidArgument("num_samples should be a scalar, got shape ", count.shape());
    const int64_t samples = count.scalar<int32_t>(), rows = logits.dim(0), classes = logits.dim(1);
    if (samples < 0) return InvalidArgument("num_samples should be nonnegative, got ", samples);
    if (classes <= 0) return InvalidArgument("num_classes should be positive, got ", classes);
    if (classes > std::numeric_limits<int32_t>::max())
      return InvalidArgument("num_classes should be an int, got ", classes);
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(std::array{rows, samples}));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    // TensorFlow sets aside whole blocks for each row, and two words for each sample.
    PhiloxWords words(stream_.TakeOutputs(rows * ((samples + 3) / 4 * 4) * 2));
    std::vector<double> sums(static_cast<size_t>(classes));
    Class* to = out->mutable_data<Class>().data();
    for (int64_t row = 0; row < rows; ++row) {
      const double total = SumWeights(logits.data<T>().data() + row * classes, sums);
      for (int64_t i = 0; i < samples; ++i) {
        const auto found = std::upper_bound(sums.begin(), sums.end(), DrawUnit(words) * total);
        *to++ = static_cast<Class>(found - sums.begin());
      }
    }
    return OkStatus();
  }

 private:
  RandomStream stream_;
};

Status MultinomialShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape logits, c.InputOfRank(0, 2));
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  const auto samples = ConstantIntegers(c, 1);
  if (samples && samples->front() < 0)
    return InvalidArgument("num_samples should be nonnegative, got ", samples->front());
  return c.SetOutput(0, PartialShape({logits.dim(0), samples ? samples->front() : PartialShape::kUnknownDim}));
}

template <typename Class> std::vector<KernelDefinition> KernelsTo() {
  auto kernels =
      KernelsFor<float, double, Half, BFloat16, int32_t, int64_t, uint8_t, int16_t, int8_t, uint16_t, uint32_t,
                 uint64_t>("T", []<typename T>() { return ClassKernel<MultinomialKernel<T, Class>>(); });
  for (KernelDefinition& kernel : kernels) kernel.types["output_dtype"] = {kDTypeOf<Class>};
  return kernels;
}

}  // namespace

OpDefinition Multinomial() {
  return OpDefinition(
             StrCat("Multinomial(logits: T, num_samples: i32) -> (output: output_dtype) | seed: int = 0 | seed2: "
                    "int = 0 | T: type in ",
                    kRealTypes, " | output_dtype: type = i64 in {i32,i64} | stateful"))
      .Shape(MultinomialShape)
      .NoGradient("random")
      .Kernels(Join(KernelsTo<int64_t>(), KernelsTo<int32_t>()));
}

}  // namespace headrace
