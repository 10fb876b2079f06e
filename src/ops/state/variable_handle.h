// What the ops on variables share: finding the variable behind a handle, and what a graph knows of its shape.
#pragma once

#include <memory>

#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// The dtype and shape that the VarHandleOp behind `handle` declares; kInvalid and unknown where it cannot be seen (a handle
/// that is fed or a function's argument).
ResourceHandle::TypedShape DeclaredTypedShape(Endpoint handle);

/// The declared shape. Errors: kInvalidArgument when the handle is known to be of another dtype than attribute `dtype_attr`.
Result<PartialShape> DeclaredShape(const ShapeContext& c, int handle_input, std::string_view dtype_attr);

/// Returns the variable behind the handle in input i. Errors: of KernelContext::LookupResource; kInvalidArgument unless its dtype
/// is `dtype`.
Result<std::shared_ptr<Variable>> LookupVariable(const KernelContext& c, int i, DType dtype);

/// Returns the variable of ref input i, and lets go of the value that came with it, so that an update can be in place.
Result<std::shared_ptr<Variable>> TakeRefVariable(KernelContext& c, int i);

/// kFailedPrecondition with TensorFlow's text for a handle, input i, behind which there is no variable (yet).
Status CouldNotFindVariable(const KernelContext& c, int i, std::string_view why);

/// Errors: kFailedPrecondition for an uninitialized variable.
Status RequireInitialized(const Tensor& value, const KernelContext& c);

}  // namespace headrace
