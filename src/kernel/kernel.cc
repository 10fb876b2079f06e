#include "kernel/kernel.h"

#include "sync/notification.h"

namespace headrace {

namespace {

class FunctionKernelImpl final : public Kernel {
 public:
  explicit FunctionKernelImpl(KernelFunction function) : function_(function) {}
  Status Compute(KernelContext& context) override { return function_(context); }

 private:
  const KernelFunction function_;
};

}  // namespace

KernelFactory FunctionKernel(KernelFunction function) {
  return [function](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
    return std::unique_ptr<Kernel>(std::make_unique<FunctionKernelImpl>(function));
  };
}

Status AsyncKernel::Compute(KernelContext& context) {
  Notification finished;
  Status result;
  ComputeAsync(context, [&](const Status& status) {
    result = status;
    finished.Notify();
  });
  finished.Wait();
  return result;
}

Result<Tensor*> KernelContext::AllocateOutput(int i, const Shape& shape) {
  const DType dtype = RemoveRef(node_->output_types()[static_cast<size_t>(i)]);
  HR_ASSIGN_OR_RETURN(Tensor made, Tensor::Allocate(dtype, shape, runtime().memory));
  Tensor& output = outputs_[static_cast<size_t>(i)].tensor;
  output = std::move(made);
  return &output;
}

Result<Tensor> KernelContext::AllocateTemporary(DType dtype, const Shape& shape) {
  return Tensor::Allocate(dtype, shape, runtime().memory);
}

Result<Tensor*> KernelContext::AllocateOrReuse(int i, std::initializer_list<int> inputs, const Shape& shape) {
  const DType dtype = RemoveRef(node_->output_types()[static_cast<size_t>(i)]);
  if (IsPlainData(dtype)) {
    for (int candidate : inputs) {
      const Tensor& value = input(candidate);
      const bool fits = IsPlainData(value.dtype()) && DTypeSize(value.dtype()) == DTypeSize(dtype) &&
                        value.num_elements() == shape.num_elements();
      if (!fits || !value.OwnsBuffer()) continue;
      // The input keeps its reference: it is still read while the output is written.
      Tensor& output = outputs_[static_cast<size_t>(i)].tensor;
      output = value.Reinterpreted(dtype).Reshaped(shape);
      return &output;
    }
  }
  return AllocateOutput(i, shape);
}

Result<const ResourceHandle*> KernelContext::Handle(int i) const {
  const Tensor& value = input(i);
  if (value.dtype() != DType::kResource || value.num_elements() != 1) {
    return InvalidArgument(node_->op(), ": input ", i, " must be a scalar resource handle, it is ", value);
  }
  const ResourceHandle& handle = value.data<ResourceHandle>()[0];
  if (handle.device != step_->device) {
    return InvalidArgument("Trying to access resource ", handle.container, "/", handle.name, " located in device ",
                           handle.device, " from device ", step_->device);
  }
  return &handle;
}

}  // namespace headrace
