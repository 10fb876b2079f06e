// ExampleParser: a batch of serialized Examples into tensors, without objects in between. Features of a fixed size are
// written where they belong in the batch; the others are collected by piece of the batch (example_columns.h) and joined
// at the end.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernel/kernel.h"
#include "ops/io/example_feature.h"
#include "ops/io/example_messages.h"

namespace headrace {

struct ExampleInputs {
  std::span<const std::string> serialized;
  std::span<const std::string> names;       // of the examples, for messages; or empty
  bool is_batch = true;                     // false: one example, whose outputs have no dimension for the batch
  std::span<const Tensor* const> defaults;  // by ExampleFeature::dense_index
  const ExampleMessages* messages = nullptr;
};

inline ExamplePlace PlaceOf(const ExampleInputs& inputs, int64_t example) {
  return {example, inputs.names.empty() ? "<unknown>" : inputs.names[static_cast<size_t>(example)], inputs.is_batch};
}

/// Sets the context's outputs that the features name. `keys` are the features' keys. Where an example has a key twice,
/// the last one counts. Errors: kInvalidArgument with example and key, in the inputs' words, for bytes that are no
/// Example, values of another type or number than wanted, a missing feature without default, and defaults that do not
/// fit; of several bad examples the first is reported.
Status ParseExamples(KernelContext& context, std::span<const ExampleFeature> features, const KeyTable& keys,
                     const ExampleInputs& inputs);

}  // namespace headrace
