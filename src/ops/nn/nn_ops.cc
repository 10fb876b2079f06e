#include "ops/nn/nn_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterNnOps(OpRegistry& registry) {
  for (OpDefinition& op : ActivationOps()) registry.Add(std::move(op));
  for (OpDefinition& op : ActivationGradOps()) registry.Add(std::move(op));
  for (OpDefinition (*make)() : {BiasAdd, BiasAddGrad, Softmax, LogSoftmax, SoftmaxCrossEntropyWithLogits,
                                 SparseSoftmaxCrossEntropyWithLogits, L2Loss, InTopK, InTopKV2, TopK, TopKV2}) {
    registry.Add(make());
  }
}

}  // namespace headrace
