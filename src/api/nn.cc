// See nn.h.
#include "api/nn.h"

#include "api/array.h"
#include "api/emit.h"
#include "api/initializer_state.h"
#include "api/math.h"

namespace headrace::api {

Output Relu(const Input& x) { return Emit("Relu", {x}); }
Output Sigmoid(const Input& x) { return Emit("Sigmoid", {x}); }
Output Tanh(const Input& x) { return Emit("Tanh", {x}); }
Output Softmax(const Input& x) { return Emit("Softmax", {x}); }
Output LogSoftmax(const Input& x) { return Emit("LogSoftmax", {x}); }
Output BiasAdd(const Input& value, const Input& bias) { return Emit("BiasAdd", {value, bias}); }
Output L2Loss(const Input& x) { return Emit("L2Loss", {x}); }

Output SoftmaxCrossEntropy(const Input& logits, const Input& labels) {
  return Emit("SoftmaxCrossEntropyWithLogits", {logits, labels});
}

Output SparseSoftmaxCrossEntropy(const Input& logits, const Input& labels) {
  return Emit("SparseSoftmaxCrossEntropyWithLogits", {logits, labels});
}

// max(x, 0) - x z + log(1 + e^-|x|), with branches rather than Relu and Abs, so that the derivative is right at x = 0
// too.
Output SigmoidCrossEntropy(const Input& logits, const Input& labels) {
  return EmitComposite("logistic_loss", {logits, labels}, [](const Composite& c, const std::vector<Endpoint>& in) {
    const Endpoint x = in[0], zero = c.inner().ScalarOf(RemoveRef(x.dtype()), 0);
    const Endpoint positive = c.inner().Op("GreaterEqual", {x, zero});
    const Endpoint relu = c.inner().Op("SelectV2", {positive, x, zero});
    const Endpoint negative_magnitude = c.inner().Op("SelectV2", {positive, c.inner().Op("Neg", {x}), x});
    const Endpoint linear = c.inner().Op("Sub", {relu, c.inner().Op("Mul", {x, in[1]})});
    return c.Last("AddV2", {linear, c.inner().Op("Log1p", {c.inner().Op("Exp", {negative_magnitude})})});
  });
}

Output Dropout(const Input& x, double rate, std::optional<int64_t> seed) {
  return EmitComposite("dropout", {x}, [&](const Composite& c, const std::vector<Endpoint>& in) -> Endpoint {
    if (!(rate >= 0 && rate < 1)) {
      c.inner().Fail(InvalidArgument("Dropout: rate must be in [0, 1), got ", rate));
      return {};
    }
    const DType dtype = in[0].dtype();
    const auto [seed1, seed2] = RandomSeeds(*Access::GraphOf(x.output().scope()), seed);
    const Endpoint random = c.inner().Op("RandomUniform", {c.inner().Op("Shape", {in[0]})},
                                         {{"dtype", dtype}, {"seed", seed1}, {"seed2", seed2}});
    const Endpoint keep = c.inner().Op("GreaterEqual", {random, c.inner().ScalarOf(dtype, rate)});
    const Endpoint scaled = c.inner().Op("Mul", {in[0], c.inner().ScalarOf(dtype, 1 / (1 - rate))});
    return c.Last("SelectV2", {keep, scaled, c.inner().ScalarOf(dtype, 0)});
  });
}

Output InTopK(const Input& predictions, const Input& targets, int k) {
  const Output count =
      Cast(Constant(predictions.output().scope(), Tensor::Scalar<int32_t>(k)), targets.output().dtype());
  return Emit("InTopKV2", {predictions, targets, count});
}

}  // namespace headrace::api
