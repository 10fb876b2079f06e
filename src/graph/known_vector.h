// What is known of a shape that a graph computes: it sees through the ways in which programs put shapes together.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace headrace {

/// The tensor of a Const node, or nullptr.
const Tensor* ConstantValue(const Endpoint& endpoint);

/// The elements of an i32 or i64 vector, -1 where unknown; nullopt when not even their number is known. Follows Const, Shape,
/// ShapeN, Size, Pack, ConcatV2, StridedSlice, ExpandDims, Cast and Identity a few steps back.
std::optional<PartialShape> KnownVector(const Endpoint& vector);

}  // namespace headrace
