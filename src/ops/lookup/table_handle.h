// Finding the table that an op names: by a resource handle, or (the ops of TensorFlow 1.0) by a reference to a pair of strings,
// container and name.
#pragma once

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/lookup/lookup_table.h"

namespace headrace {

/// The table of input 0. Errors: kNotFound, kInvalidArgument.
Result<std::shared_ptr<LookupTable>> TableOf(const KernelContext& c);
/// Errors: kInvalidArgument "Conflicting key/value dtypes ..." unless the table has these dtypes.
Status CheckTableTypes(const LookupTable& table, DType key, DType value, const KernelContext& c);

/// "resource" or "Ref(str)": how ops of the two generations declare their handle.
constexpr std::string_view HandleType(bool v2) { return v2 ? "resource" : "Ref(str)"; }

/// The shape of one value of the table of input 0, where the node that makes the table says so; else unknown.
PartialShape DeclaredValueShape(const ShapeContext& c);

}  // namespace headrace
