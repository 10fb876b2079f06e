// Neural networks: activations, losses, what goes around them. Types: floating. Each function adds TensorFlow's op of
// the name given beside it.
#pragma once

#include <cstdint>
#include <optional>

#include "api/output.h"

namespace headrace::api {

HR_EXPORT Output Relu(const Input& x);        ///< max(x, 0)
HR_EXPORT Output Sigmoid(const Input& x);     ///< 1 / (1 + e^-x)
HR_EXPORT Output Tanh(const Input& x);        ///< hyperbolic tangent
HR_EXPORT Output Softmax(const Input& x);     ///< e^x over its sum along the last dimension
HR_EXPORT Output LogSoftmax(const Input& x);  ///< log of Softmax, exact for small values
/// value + bias, bias a vector along value's last dimension. Op BiasAdd.
HR_EXPORT Output BiasAdd(const Input& value, const Input& bias);
/// Half the sum of squares, a scalar. Op L2Loss.
HR_EXPORT Output L2Loss(const Input& x);

/// For each row of `logits` [n, classes] the cross entropy with the probabilities in the same row of `labels`; shape
/// [n]. Gradients go to both. Op SoftmaxCrossEntropyWithLogits.
HR_EXPORT Output SoftmaxCrossEntropy(const Input& logits, const Input& labels);
/// The same, with each row's class as an index (i32 or i64, shape [n]). An index out of range fails the step.
/// Op SparseSoftmaxCrossEntropyWithLogits.
HR_EXPORT Output SparseSoftmaxCrossEntropy(const Input& logits, const Input& labels);
/// For each element the cross entropy of sigmoid(logit) with the probability in `labels`, of the same shape; exact for
/// large logits. As TensorFlow's sigmoid_cross_entropy_with_logits.
HR_EXPORT Output SigmoidCrossEntropy(const Input& logits, const Input& labels);

/// Elements set to zero with probability `rate`, the others divided by 1 - rate.
HR_EXPORT Output Dropout(const Input& x, double rate, std::optional<int64_t> seed = {});

/// Whether the target class (i32 or i64, shape [n]) is among the k largest predictions [n, classes]; bool [n]. Op
/// InTopKV2.
HR_EXPORT Output InTopK(const Input& predictions, const Input& targets, int k);

}  // namespace headrace::api
