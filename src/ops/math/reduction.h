// Shape and gradients of the reductions over axes (reduction.cc has the kernels).
#pragma once

#include "graph/gradient_context.h"
#include "graph/shape_context.h"

namespace headrace {

Status ReductionShape(ShapeContext& c);
Status SumGradient(GradientContext& c);
Status MeanGradient(GradientContext& c);
Status ProdGradient(GradientContext& c);
/// Of Max and Min: goes to the elements that equal the result, in equal parts.
Status ExtremumOfAxesGradient(GradientContext& c);

}  // namespace headrace
