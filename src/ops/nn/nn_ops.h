// The ops of the family `nn`; nn_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

/// Relu, Relu6, LeakyRelu, Elu, Selu, Softplus, Softsign.
std::vector<OpDefinition> ActivationOps();
/// ReluGrad and its like.
std::vector<OpDefinition> ActivationGradOps();

/// Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter.
std::vector<OpDefinition> ConvolutionOps();
/// DepthwiseConv2dNative and its gradients.
std::vector<OpDefinition> DepthwiseConvolutionOps();
/// MaxPool, MaxPoolV2, AvgPool and their gradients.
std::vector<OpDefinition> PoolOps();
/// FusedBatchNorm, its later versions and their gradients.
std::vector<OpDefinition> BatchNormOps();

OpDefinition BiasAdd();
OpDefinition BiasAddGrad();
OpDefinition Softmax();
OpDefinition LogSoftmax();
OpDefinition SoftmaxCrossEntropyWithLogits();
OpDefinition SparseSoftmaxCrossEntropyWithLogits();
OpDefinition L2Loss();
OpDefinition LRN();
OpDefinition LRNGrad();
OpDefinition InTopK();
OpDefinition InTopKV2();
OpDefinition TopK();
OpDefinition TopKV2();

}  // namespace headrace
