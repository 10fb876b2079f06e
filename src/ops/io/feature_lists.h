// The feature lists of a batch of serialized SequenceExamples into tensors; their context is read as Examples are
// (example_parser.h).
#pragma once

#include <span>

#include "ops/io/example_parser.h"

namespace headrace {

/// Sets the context's outputs that the features name. `keys` are the features' keys; where an example has one twice, the last
/// counts. Inputs: without defaults. Errors: kInvalidArgument with example, key and row, in TensorFlow's words, for bytes that
/// are no SequenceExample, values of another type or number than wanted, and a missing list that may not be.
Status ParseFeatureLists(KernelContext& context, std::span<const ListFeature> features, const KeyTable& keys,
                         const ExampleInputs& inputs);

}  // namespace headrace
