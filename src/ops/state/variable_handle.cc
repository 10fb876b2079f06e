#include "ops/state/variable_handle.h"

namespace headrace {

ResourceHandle::TypedShape DeclaredTypedShape(Endpoint handle) {
  // Handles pass through a few ops unchanged. The bound is for graphs with a loop, where Enter and Merge follow each other.
  for (int hops = 0; handle && hops < 64; ++hops) {
    const Node& node = *handle.node;
    if (node.op() == "VarHandleOp") {
      return {GetAttrOr<DType>(node.attrs(), "dtype", DType::kInvalid),
              GetAttrOr<PartialShape>(node.attrs(), "shape", {})};
    }
    if (node.op() != "Identity" && node.op() != "Enter" && node.op() != "Switch") break;
    handle = node.input(0);
  }
  return {DType::kInvalid, PartialShape()};
}

Result<PartialShape> DeclaredShape(const ShapeContext& c, int handle_input, std::string_view dtype_attr) {
  const ResourceHandle::TypedShape declared = DeclaredTypedShape(c.node().input(handle_input));
  const DType wanted = c.attr<DType>(dtype_attr);
  if (declared.type != DType::kInvalid && declared.type != wanted) {
    return InvalidArgument("Trying to read variable with wrong dtype. Expected ", DTypeName(declared.type), " got ",
                           DTypeName(wanted));
  }
  return declared.shape;
}

Result<std::shared_ptr<Variable>> LookupVariable(const KernelContext& c, int i, DType dtype) {
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Variable> variable, c.LookupResource<Variable>(i));
  if (variable->dtype() != dtype) {
    return InvalidArgument("Trying to use variable with wrong dtype. Expected ", DTypeName(variable->dtype()), " got ",
                           DTypeName(dtype));
  }
  return variable;
}

Result<std::shared_ptr<Variable>> TakeRefVariable(KernelContext& c, int i) {
  c.TakeInput(i);
  if (c.input_variable(i) == nullptr) return Internal(c.node().op(), ": input ", i, " is not a variable");
  return c.input_variable(i);
}

Status CouldNotFindVariable(const KernelContext& c, int i, std::string_view why) {
  HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(i));
  return FailedPrecondition(
      "Could not find variable ", handle->name,
      ". This could mean that the variable has been deleted. In TF1, it can also mean the variable is "
      "uninitialized. Debug info: container=",
      handle->container, ", status error message=", why);
}

Status RequireInitialized(const Tensor& value, const KernelContext& c) {
  if (value.valid()) return OkStatus();
  return FailedPrecondition("Attempting to use uninitialized value in ", c.node().name());
}

}  // namespace headrace
