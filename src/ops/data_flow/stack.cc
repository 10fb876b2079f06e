// StackV2: a new stack of tensors of `elem_type`, of at most `max_size` (below 0: no limit). It lives as long as its handle, at
// most for the step. StackPushV2 adds `elem` and hands it on; StackPopV2 takes the last one away; StackCloseV2 ends the stack
// before its time. Stack, StackPush, StackPop and StackClose are the same over a ref edge. swap_memory has no meaning here.
// Errors: kInvalidArgument for a full, an empty or a closed stack, an element of another type, and a handle that is no stack's.
#include <mutex>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "kernel/owned_resource.h"
#include "ops/data_flow/data_flow_ops.h"

namespace headrace {

namespace {

constexpr char kNoGradient[] = "stateful";

class TensorStack final : public Resource {
 public:
  TensorStack(std::string name, DType dtype, int64_t max_size)
      : name_(std::move(name)), dtype_(dtype), max_size_(max_size) {}

  Status Push(const Tensor& element) {
    if (element.dtype() != dtype_) {
      return InvalidArgument("Stack[", name_, "] holds ", dtype_, ", it was passed ", element);
    }
    std::lock_guard lock(mutex_);
    HR_RETURN_IF_ERROR(CheckOpen());
    if (max_size_ >= 0 && std::ssize(elements_) >= max_size_) {
      return InvalidArgument("Stack[", name_, "] overflowed its max_size (", max_size_, ")");
    }
    elements_.push_back(element);
    return OkStatus();
  }
  Result<Tensor> Pop(DType wanted) {
    std::lock_guard lock(mutex_);
    HR_RETURN_IF_ERROR(CheckOpen());
    if (wanted != dtype_) return InvalidArgument("Stack[", name_, "] holds ", dtype_, ", wanted ", wanted);
    if (elements_.empty()) return InvalidArgument("Stack[", name_, "] is empty when calling Pop().");
    Tensor element = std::move(elements_.back());
    elements_.pop_back();
    return element;
  }
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    elements_.clear();
  }
  std::string DebugString() const override { return StrCat("Stack ", name_, " ", dtype_); }

 private:
  Status CheckOpen() const {
    return closed_ ? InvalidArgument("Stack[", name_, "] has already been closed.") : OkStatus();
  }
  const std::string name_;
  const DType dtype_;
  const int64_t max_size_;
  std::mutex mutex_;
  bool closed_ = false;           // guarded by mutex_
  std::vector<Tensor> elements_;  // guarded by mutex_
};

class MakeStack final : public Kernel {
 public:
  explicit MakeStack(KernelConstruction& c)
      : device_(c.device()), name_(c.attr<std::string>("stack_name")), dtype_(c.attr<DType>("elem_type")) {
    if (name_.empty()) name_ = c.node().name();
  }
  Status Compute(KernelContext& c) override {
    if (c.num_inputs() == 0) return Give(c, -1);
    if (c.input(0).num_elements() != 1) {
      return InvalidArgument("Stack size must be a scalar, but had shape: ", c.input(0).shape());
    }
    return Give(c, c.input(0).data<int32_t>()[0]);
  }

 private:
  Status Give(KernelContext& c, int64_t max_size) {
    auto stack = std::make_shared<TensorStack>(name_, dtype_, max_size);
    if (IsRef(c.node().output_types()[0])) {
      auto variable = std::make_shared<Variable>(DType::kString, PartialShape({2}));
      variable->Assign(MakeOwningName("", name_, std::move(stack)));
      return c.SetOutputVariable(0, std::move(variable));
    }
    ResourceHandle handle;
    handle.device = device_;
    handle.name = name_;
    handle.maybe_type_name = "Stack";
    return c.SetOutput(0, MakeOwningHandle(std::move(handle), std::move(stack)));
  }

  const std::string device_;
  std::string name_;
  const DType dtype_;
};

Status Push(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorStack> stack, LookupOwned<TensorStack>(c.input(0), c.node().op()));
  HR_RETURN_IF_ERROR(stack->Push(c.input(1)));
  return c.SetOutput(0, c.TakeInput(1));
}

Status Pop(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorStack> stack, LookupOwned<TensorStack>(c.input(0), c.node().op()));
  HR_ASSIGN_OR_RETURN(Tensor element, stack->Pop(c.node().output_types()[0]));
  return c.SetOutput(0, std::move(element));
}

Status Close(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorStack> stack, LookupOwned<TensorStack>(c.input(0), c.node().op()));
  stack->Close();
  return OkStatus();
}

Status NameShape(ShapeContext& c) { return c.SetOutput(0, PartialShape({2})); }
Status PushShape(ShapeContext& c) { return c.SetOutput(0, c.input(1)); }

OpDefinition StackOp(std::string_view signature, ShapeFunction shape, KernelFactory factory) {
  return OpDefinition(signature)
      .Shape(std::move(shape))
      .NoGradient(kNoGradient)
      .Kernels(AnyType(std::move(factory), /*cheap=*/true));
}

}  // namespace

std::vector<OpDefinition> StackOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      StackOp("StackV2(max_size: i32) -> (handle: resource) | elem_type: type | stack_name: string = '' | stateful",
              ScalarShape, ClassKernel<MakeStack>()));
  ops.push_back(
      StackOp("StackPushV2(handle: resource, elem: T) -> (output: T) | T: type | swap_memory: bool = false | stateful",
              PushShape, FunctionKernel(Push)));
  ops.push_back(StackOp("StackPopV2(handle: resource) -> (elem: elem_type) | elem_type: type | stateful", UnknownShape,
                        FunctionKernel(Pop)));
  ops.push_back(StackOp("StackCloseV2(handle: resource) -> () | stateful", NoOutputs, FunctionKernel(Close)));
  ops.push_back(StackOp("Stack() -> (handle: Ref(str)) | elem_type: type | stack_name: string = '' | stateful",
                        NameShape, ClassKernel<MakeStack>()));
  ops.push_back(StackOp("StackPush(handle: Ref(str), elem: T) -> (output: T) | T: type | swap_memory: bool = false",
                        PushShape, FunctionKernel(Push)));
  ops.push_back(
      StackOp("StackPop(handle: Ref(str)) -> (elem: elem_type) | elem_type: type", UnknownShape, FunctionKernel(Pop)));
  ops.push_back(StackOp("StackClose(handle: Ref(str)) -> ()", NoOutputs, FunctionKernel(Close)));
  return ops;
}

}  // namespace headrace
