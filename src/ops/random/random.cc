// RandomUniform: [0, 1). RandomUniformInt: [minval, maxval). RandomStandardNormal. TruncatedNormal: normal within 2 of the mean.
// The output has the shape that input 0 holds. At equal seed and seed2 the numbers, of the first call and of later ones, are
// TensorFlow's, bit for bit; with both 0 they are unpredictable. Errors: kInvalidArgument for a bad shape or minval >= maxval.
#include "ops/random/random_ops.h"
#include "ops/random/random_stream.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

template <typename Distribution> class RandomKernel final : public Kernel {
 public:
  explicit RandomKernel(KernelConstruction& c) : stream_(c) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeInput(c));
    return FillOutput(c, Distribution(), stream_.TakeOutputs(shape.num_elements()), shape);
  }

 private:
  RandomStream stream_;
};

template <typename T> class RandomUniformIntKernel final : public Kernel {
 public:
  explicit RandomUniformIntKernel(KernelConstruction& c) : stream_(c) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeInput(c));
    const Tensor& low = c.input(1);
    const Tensor& high = c.input(2);
    if (!low.shape().IsScalar()) return InvalidArgument("minval must be 0-D, got shape ", low.shape());
    if (!high.shape().IsScalar()) return InvalidArgument("maxval must be 0-D, got shape ", high.shape());
    const UniformInt<T> distribution{low.scalar<T>(), high.scalar<T>()};
    if (shape.num_elements() > 0 && distribution.low >= distribution.high) {
      return InvalidArgument("Need minval < maxval, got ", distribution.low, " >= ", distribution.high);
    }
    return FillOutput(c, distribution, stream_.TakeOutputs(shape.num_elements()), shape);
  }

 private:
  RandomStream stream_;
};

Status RandomIntShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_RETURN_IF_ERROR(c.RequireScalar(2));
  return RandomShape(c);
}

template <template <typename> typename Distribution> OpDefinition FloatOp(std::string_view name) {
  return OpDefinition(StrCat(name, "(shape: T) -> (output: dtype) | seed: int = 0 | seed2: int = 0 | dtype: type in ",
                             kFloatTypes, " | T: type in {i32,i64} | stateful"))
      .Shape(RandomShape)
      .NoGradient("random")
      .Kernels(KernelsFor<float, double, Half, BFloat16>(
          "dtype", []<typename T>() { return ClassKernel<RandomKernel<Distribution<T>>>(); }));
}

}  // namespace

OpDefinition RandomUniform() { return FloatOp<Uniform>("RandomUniform"); }
OpDefinition RandomStandardNormal() { return FloatOp<Normal>("RandomStandardNormal"); }
OpDefinition RandomTruncatedNormal() { return FloatOp<TruncatedNormal>("TruncatedNormal"); }

OpDefinition RandomUniformInt() {
  return OpDefinition(
             "RandomUniformInt(shape: T, minval: Tout, maxval: Tout) -> (output: Tout) | seed: int = 0 | seed2: int = "
             "0 | Tout: "
             "type in {i32,i64} | T: type in {i32,i64} | stateful")
      .Shape(RandomIntShape)
      .NoGradient("random")
      .Kernels(
          KernelsFor<int32_t, int64_t>("Tout", []<typename T>() { return ClassKernel<RandomUniformIntKernel<T>>(); }));
}

}  // namespace headrace
