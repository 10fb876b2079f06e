#include "ops/nn/nn_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterNnOps(OpRegistry& registry) {
  for (std::vector<OpDefinition> (*make)() :
       {ActivationOps, ActivationGradOps, ConvolutionOps, DepthwiseConvolutionOps, PoolOps, BatchNormOps}) {
    for (OpDefinition& op : make()) registry.Add(std::move(op));
  }
  for (OpDefinition (*make)() :
       {BiasAdd, BiasAddGrad, Softmax, LogSoftmax, SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits,
        L2Loss, LRN, LRNGrad, InTopK, InTopKV2, TopK, TopKV2}) {
    registry.Add(make());
  }
}

}  // namespace headrace
