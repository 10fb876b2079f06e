#include <utility>

#include "ops/data_flow/gradient_sum.h"
#include "ops/state/update.h"

namespace headrace {

namespace {

constexpr double kNanosPerByte = 0.25;

template <typename T> class DenseSum final : public GradientSum {
 public:
  explicit DenseSum(const PartialShape& declared) : declared_(declared) {}
  bool is_sparse() const override { return false; }

  Status Add(Gradient gradient, const Runtime& runtime) override {
    const Tensor& added = gradient[0];
    const PartialShape expected = sum_.valid() ? PartialShape(sum_.shape()) : declared_;
    if (!expected.IsCompatibleWith(added.shape())) {
      return InvalidArgument("Shape mismatch: expected ", expected, ", got ", added.shape());
    }
    ++count_;
    if (!sum_.valid()) {
      sum_ = std::move(gradient[0]);
      return OkStatus();
    }
    HR_RETURN_IF_ERROR(Own(&sum_, runtime));
    T* to = sum_.template mutable_data<T>().data();
    const T* from = added.data<T>().data();
    runtime.compute->ParallelFor(sum_.num_elements(), kNanosPerByte * sizeof(T),
                                 [to, from](int64_t begin, int64_t end) {
                                   UpdateElements<AddUpdate<T>>(to + begin, from + begin, end - begin);
                                 });
    return OkStatus();
  }

  TakenSum Take() override {
    TakenSum taken;
    taken.gradient.push_back(std::exchange(sum_, Tensor()));
    taken.count = std::exchange(count_, 0);
    return taken;
  }

  Result<Gradient> Average(TakenSum sum, const Runtime& runtime) const override {
    if (sum.count == 1) return std::move(sum.gradient);
    HR_RETURN_IF_ERROR(Own(sum.gradient.data(), runtime));
    T* to = sum.gradient[0].template mutable_data<T>().data();
    const T count = static_cast<T>(static_cast<float>(sum.count));
    runtime.compute->ParallelFor(
        sum.gradient[0].num_elements(), kNanosPerByte * sizeof(T),
        [to, count](int64_t begin, int64_t end) { UpdateElementsBy<DivUpdate<T>>(to + begin, count, end - begin); });
    return std::move(sum.gradient);
  }

 private:
  /// The first gradient's buffer is the sum's while nobody else reads it.
  static Status Own(Tensor* sum, const Runtime& runtime) {
    if (sum->OwnsBuffer()) return OkStatus();
    HR_ASSIGN_OR_RETURN(*sum, sum->Clone(runtime.memory));
    return OkStatus();
  }

  const PartialShape declared_;
  Tensor sum_;
  int64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<GradientSum>> MakeDenseSum(DType dtype, const PartialShape& declared) {
  std::unique_ptr<GradientSum> made;
  HR_RETURN_IF_ERROR((ForDType<float, double, Half, BFloat16>(dtype, "ConditionalAccumulator", [&]<typename T>() {
    made = std::make_unique<DenseSum<T>>(declared);
    return OkStatus();
  })));
  return made;
}

}  // namespace headrace
