// Handles of iterators: IteratorToStringHandle and IteratorFromStringHandle(V2), IteratorGetDevice; AnonymousIterator (V2, V3), a
// new iterator with each call, and DeleteIterator.
#include "ops/data/anonymous_resource.h"
#include "ops/data/data_ops.h"
#include "ops/data/iterator_kernel.h"

namespace headrace {

namespace {

constexpr char kHandleSeparator = '\n';  // occurs in no device, container or resource name

Status ToStringHandleCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
  return c.SetOutput(0, Tensor::Scalar<std::string>(StrCat(handle->device, kHandleSeparator, handle->container,
                                                           kHandleSeparator, handle->name)));
}

/// Checks the iterator against what is expected of it, where it is one of this device.
class FromStringHandleCpu final : public Kernel {
 public:
  explicit FromStringHandleCpu(KernelConstruction& c)
      : device_(c.device()),
        types_(c.attr<std::vector<DType>>("output_types")),
        shapes_(c.attr<std::vector<PartialShape>>("output_shapes")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string text, ScalarInput<std::string>(c, 0, "string_handle"));
    const std::vector<std::string> parts = StrSplit(text, kHandleSeparator);
    if (parts.size() != 3) {
      return InvalidArgument("Could not parse string_handle. Please check the string handle '", text,
                             "'. Was it made by IteratorToStringHandle?");
    }
    if (parts[0] == device_) {
      HR_ASSIGN_OR_RETURN(std::shared_ptr<Iterator> iterator, c.resources().Lookup<Iterator>(parts[1], parts[2]));
      if (!types_.empty()) HR_RETURN_IF_ERROR(CheckElements(types_, iterator->output_types()));
      if (!shapes_.empty()) HR_RETURN_IF_ERROR(CheckElements(shapes_, iterator->output_shapes()));
    }
    return c.SetOutput(0, Tensor::Scalar<ResourceHandle>({.device = parts[0],
                                                          .container = parts[1],
                                                          .name = parts[2],
                                                          .maybe_type_name = "Iterator",
                                                          .dtypes_and_shapes = {}}));
  }

 private:
  const std::string device_;
  const std::vector<DType> types_;
  const std::vector<PartialShape> shapes_;
};

Status GetDeviceCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
  return c.SetOutput(0, Tensor::Scalar<std::string>(handle->device));
}

class AnonymousIteratorCpu final : public AnonymousResourceKernel {
 public:
  explicit AnonymousIteratorCpu(KernelConstruction& c)
      : AnonymousResourceKernel(c),
        types_(c.attr<std::vector<DType>>("output_types")),
        shapes_(c.attr<std::vector<PartialShape>>("output_shapes")) {}
  Status Compute(KernelContext& c) override { return Give(c, "Iterator", std::make_shared<Iterator>(types_, shapes_)); }

 private:
  const std::vector<DType> types_;
  const std::vector<PartialShape> shapes_;
};

}  // namespace

std::vector<OpDefinition> IteratorHandleOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(IteratorOp("IteratorToStringHandle(resource_handle: resource) -> (string_handle: str) | stateful",
                           ScalarShape, FunctionKernel(ToStringHandleCpu)));
  for (std::string_view name : {"IteratorFromStringHandle", "IteratorFromStringHandleV2"}) {
    ops.push_back(IteratorOp(StrCat(name,
                                    "(string_handle: str) -> (resource_handle: resource) | "
                                    "output_types: list(type) = [] >= 0 | output_shapes: list(shape) = [] >= 0 | "
                                    "stateful"),
                             ScalarShape, ClassKernel<FromStringHandleCpu>()));
  }
  for (std::string_view name : {"IteratorGetDevice", "ExperimentalIteratorGetDevice"}) {
    ops.push_back(IteratorOp(StrCat(name, "(resource: resource) -> (device: str) | stateful"), ScalarShape,
                             FunctionKernel(GetDeviceCpu)));
  }
  for (std::string_view made :
       {"AnonymousIterator() -> (handle: resource)", "AnonymousIteratorV2() -> (handle: resource, deleter: variant)",
        "AnonymousIteratorV3() -> (handle: resource)"}) {
    ops.push_back(
        IteratorOp(StrCat(made, kDatasetSpec, " | stateful"), ScalarShape, ClassKernel<AnonymousIteratorCpu>()));
  }
  ops.push_back(IteratorOp("DeleteIterator(handle: resource, deleter: variant) -> () | stateful", NoOutputs,
                           FunctionKernel(DeleteAnonymousCpu)));
  return ops;
}

}  // namespace headrace
