// From rows of batches to queue elements, and back.
#pragma once

#include <vector>

#include "kernel/kernel.h"
#include "ops/data_flow/queue.h"

namespace headrace {

/// Element i is row i of each component. The rows of a FIFO queue share the batch's buffer; where elements leave in any order, one
/// that stays would keep a whole batch, so they are copied. REQUIRES: Queue::CheckElement(components, true).
Result<std::vector<QueueElement>> RowsOf(const KernelContext& c, const std::vector<Tensor>& components, QueueKind kind);

/// Component i of the elements along a new first dimension; where their shapes differ (in a padding queue), smaller ones are
/// padded with zeros or empty strings. `declared` is the component's shape in the queue.
Result<Tensor> JoinElements(const KernelContext& c, const std::vector<QueueElement>& elements, size_t i, DType dtype,
                            const PartialShape& declared);

}  // namespace headrace
