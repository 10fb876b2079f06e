// What the segment ops share: shapes, checks, and the way back from segments to rows. Inputs: data, segment_ids, and for unsorted
// ones num_segments.
#pragma once

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/formula.h"

namespace headrace {

Status UnsortedSegmentShape(ShapeContext& c);
Status SortedSegmentShape(ShapeContext& c);

/// The output's shape, once all inputs are checked. Errors: kInvalidArgument, in TensorFlow's words.
Result<Shape> UnsortedSegmentOutput(const KernelContext& context);
Result<Shape> SortedSegmentOutput(const KernelContext& context);

/// For each row of data, the row of `x` that belongs to its segment; zeros for negative ids.
Formula RowsBySegment(const GradientContext& c, const Formula& x, bool unsorted);

}  // namespace headrace
