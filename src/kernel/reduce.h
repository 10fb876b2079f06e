// Reduction: how some axes of a tensor are reduced. Neighbouring axes of the same kind are folded, so that the innermost
// loop is either a run that shrinks to one element, or a row that is added to a row of results.
#pragma once

#include <cstdint>
#include <vector>

#include "kernel/kernel.h"

namespace headrace {

/// The loops of one reduction for one element type; accumulators may be of another type than the elements.
struct ReduceLoops {
  int64_t element_size = 0;
  int64_t accumulator_size = 0;
  void (*start)(void* accumulators, int64_t count) = nullptr;                      // sets the neutral value
  void (*run)(const void* elements, int64_t count, void* accumulator) = nullptr;   // a[0] = a[0] + e[0] + e[1] + ...
  void (*row)(const void* elements, int64_t count, void* accumulators) = nullptr;  // a[i] = a[i] + e[i]
  void (*merge)(const void* from, int64_t count, void* accumulators) = nullptr;    // a[i] = a[i] + b[i], accumulators
  void (*finish)(const void* accumulators, int64_t count, int64_t group, void* results) = nullptr;
};

/// Reads the axes of a reduction: true for each dimension that is reduced; negative axes count from the end.
/// Errors: kInvalidArgument for an axis out of range or given twice, with TensorFlow's texts.
Result<std::vector<bool>> ReducedAxes(int rank, const Tensor& axes);

/// The output's shape. REQUIRES: reduced.size() == input.rank().
Shape ReducedShape(const Shape& input, const std::vector<bool>& reduced, bool keep_dims);

/// Reduces `input` into `*results`, which has one element for each element of the reduced shape. The order of additions depends
/// on the shapes alone, never on the number of threads. Errors: kResourceExhausted.
Status Reduce(KernelContext& context, const ReduceLoops& loops, const Tensor& input, const std::vector<bool>& reduced,
              void* results);

}  // namespace headrace
