// Arithmetic on gradients: adding what meets, and turning rows into a whole tensor.
#pragma once

#include <vector>

#include "graph/builder.h"
#include "graph/gradient_context.h"

namespace headrace {

/// Adds gradients of one tensor. All dense: AddN. All rows: one IndexedSlices with all of them, repeated indices left
/// in place. Mixed: rows are made dense first. None gives none.
Gradient SumGradients(const GraphBuilder& builder, const std::vector<Gradient>& gradients);

/// Returns the gradient as a tensor; an empty endpoint when there is none. REQUIRES: slices know their dense shape.
HR_EXPORT Endpoint ToDense(const GraphBuilder& builder, const Gradient& gradient);

/// Adds up rows with equal indices, so that each index occurs once (Unique and UnsortedSegmentSum).
HR_EXPORT IndexedSlices SumDuplicateIndices(const GraphBuilder& builder, const IndexedSlices& slices);

}  // namespace headrace
