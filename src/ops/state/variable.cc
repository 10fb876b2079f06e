// Resource variables as such: the handle, the value, the shape, the end. Updates are in assign_variable.cc and
// resource_scatter.cc.
//
// VarHandleOp: a handle that names a variable by device, container and shared_name. The variable comes to be at its first
// assignment. VarIsInitializedOp: whether it has. ReadVariableOp: its value, sharing the buffer; kFailedPrecondition before the
// first assignment. VariableShape: the value's shape. DestroyResourceOp: removes what a handle names; kNotFound unless
// ignore_lookup_error.
#include "graph/gradient_context.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

class VarHandle final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    ResourceHandle handle;
    handle.device = c.device();
    handle.container = c.attr<std::string>("container");
    if (handle.container.empty()) handle.container = ResourceManager::kDefaultContainer;
    handle.name = c.attr<std::string>("shared_name");
    handle.maybe_type_name = "Variable";
    handle.dtypes_and_shapes.push_back({c.attr<DType>("dtype"), c.attr<PartialShape>("shape")});
    HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DType::kResource, Shape()));
    tensor.mutable_data<ResourceHandle>()[0] = std::move(handle);
    return std::unique_ptr<Kernel>(std::make_unique<VarHandle>(std::move(tensor)));
  }
  explicit VarHandle(Tensor handle) : handle_(std::move(handle)) {}
  Status Compute(KernelContext& c) override { return c.SetOutput(0, handle_); }

 private:
  const Tensor handle_;
};

Status VarIsInitialized(KernelContext& c) {
  const Result<std::shared_ptr<Variable>> variable = c.LookupResource<Variable>(0);
  if (!variable.ok() && variable.status().code() != Code::kNotFound) return variable.status();
  return c.SetOutput(0, Tensor::Scalar<bool>(variable.ok() && (*variable)->IsInitialized()));
}

Status ReadShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  HR_ASSIGN_OR_RETURN(PartialShape shape, DeclaredShape(c, 0, "dtype"));
  return c.SetOutput(0, std::move(shape));
}

class ReadVariable final : public Kernel {
 public:
  explicit ReadVariable(KernelConstruction& c) : dtype_(c.attr<DType>("dtype")) {}

  Status Compute(KernelContext& c) override {
    const Result<std::shared_ptr<Variable>> variable = c.LookupResource<Variable>(0);
    if (!variable.ok()) {
      return variable.status().code() == Code::kNotFound ? CouldNotFindVariable(c, 0, variable.status().message())
                                                         : variable.status();
    }
    if ((*variable)->dtype() != dtype_) {
      return InvalidArgument("Trying to read variable with wrong dtype. Expected ", DTypeName(dtype_), " got ",
                             DTypeName((*variable)->dtype()));
    }
    Tensor value = (*variable)->Read();
    if (!value.valid()) return CouldNotFindVariable(c, 0, "the variable has no value yet");
    return c.SetOutput(0, std::move(value));
  }

 private:
  const DType dtype_;
};

Status ReadGradient(GradientContext& c) { return c.SetInputGradient(0, c.raw_output_gradient(0)); }

Status VariableShapeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  const PartialShape shape = DeclaredTypedShape(c.node().input(0)).shape;
  return c.SetOutput(0, PartialShape({shape.has_rank() ? shape.rank() : PartialShape::kUnknownDim}));
}

template <typename T> Status VariableShapeOf(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, c.LookupResource<Variable>(0));
  std::shared_lock lock(variable->mutex());
  HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
  const Shape& shape = variable->value_locked().shape();
  HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, Shape({shape.rank()})));
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape.dim(i) != static_cast<int64_t>(static_cast<T>(shape.dim(i)))) {
      return InvalidArgument("VariableShape: ", shape, " does not fit in out_type ", DTypeShortName(kDTypeOf<T>));
    }
    out->mutable_data<T>()[static_cast<size_t>(i)] = static_cast<T>(shape.dim(i));
  }
  return OkStatus();
}

class DestroyResource final : public Kernel {
 public:
  explicit DestroyResource(KernelConstruction& c) : ignore_lookup_error_(c.attr<bool>("ignore_lookup_error", true)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
    Status status = c.resources().Delete(handle->container, handle->name);
    return ignore_lookup_error_ && status.code() == Code::kNotFound ? OkStatus() : status;
  }

 private:
  const bool ignore_lookup_error_;
};

}  // namespace

OpDefinition VarHandleOp() {
  return OpDefinition(
             "VarHandleOp() -> (resource: resource) | container: string = '' | shared_name: string = '' | debug_name: "
             "string = '' "
             "| dtype: type | shape: shape | allowed_devices: list(string) = [] | stateful")
      .Shape(ScalarShape)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<VarHandle>(), true));
}

OpDefinition VarIsInitializedOp() {
  return OpDefinition("VarIsInitializedOp(resource: resource) -> (is_initialized: bool) | stateful")
      .Shape(ScalarShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(VarIsInitialized), true));
}

OpDefinition ReadVariableOp() {
  return OpDefinition("ReadVariableOp(resource: resource) -> (value: dtype) | dtype: type | stateful")
      .Shape(ReadShape)
      .Gradient(ReadGradient)
      .Kernels(AnyType(ClassKernel<ReadVariable>(), true));
}

OpDefinition VariableShape() {
  return OpDefinition(
             "VariableShape(input: resource) -> (output: out_type) | out_type: type = i32 in {i32,i64} | stateful")
      .Shape(VariableShapeShape)
      .NoGradient("not differentiable")
      .Kernels(
          KernelsFor<int32_t, int64_t>("out_type", []<typename T>() { return FunctionKernel(VariableShapeOf<T>); }));
}

OpDefinition DestroyResourceOp() {
  return OpDefinition("DestroyResourceOp(resource: resource) -> () | ignore_lookup_error: bool = true | stateful")
      .Shape(NoOutputs)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<DestroyResource>(), true));
}

}  // namespace headrace
