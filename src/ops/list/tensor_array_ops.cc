// TensorArrayV3 makes a TensorArray, TensorArrayGradV3 that of its gradient; TensorArrayReadV3, TensorArrayWriteV3 take one element;
// TensorArraySizeV3, TensorArrayCloseV3. `flow` is a number that says nothing: it puts the ops in order.
// The gradient of a write is a read of the gradient's TensorArray, and the other way round. Source: TensorFlow's ops.
#include "ops/list/tensor_array_ops.h"

#include "graph/shape_context.h"
#include "ops/list/list_ops.h"
#include "ops/list/tensor_array.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

Status HandleAndFlowShape(ShapeContext& c) {
  // TensorFlow says [2] for the handle, from the time when it was a pair of strings.
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({2})));
  return c.SetOutput(1, PartialShape::Scalar());
}

class MakeKernel final : public Kernel {
 public:
  explicit MakeKernel(KernelConstruction& c) : device_(c.device()) {
    options_.name = c.attr<std::string>("tensor_array_name");
    if (options_.name.empty()) options_.name = c.node().name();
    options_.dtype = c.attr<DType>("dtype");
    options_.element_shape = c.attr<PartialShape>("element_shape");
    options_.dynamic_size = c.attr<bool>("dynamic_size");
    options_.clear_after_read = c.attr<bool>("clear_after_read");
    options_.identical_element_shapes = c.attr<bool>("identical_element_shapes");
  }
  Status Compute(KernelContext& context) override {
    const Tensor& given = context.input(0);
    if (given.rank() != 0) return InvalidArgument("TensorArray size must be scalar, but had shape: ", given.shape());
    const int64_t size = given.scalar<int32_t>();
    if (size < 0) return InvalidArgument("Size should be >= 0.");
    ResourceHandle handle;
    handle.device = device_;
    handle.name = options_.name;
    handle.maybe_type_name = "TensorArray";
    HR_RETURN_IF_ERROR(
        context.SetOutput(0, MakeTensorArrayHandle(std::move(handle), std::make_shared<TensorArray>(options_, size))));
    return context.SetOutput(1, Tensor::Scalar(0.0f));
  }

 private:
  const std::string device_;
  TensorArrayOptions options_;
};

class GradientKernel final : public Kernel {
 public:
  explicit GradientKernel(KernelConstruction& c) : source_(c.attr<std::string>("source")) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
    HR_ASSIGN_OR_RETURN(Tensor gradient, array->GradientHandle(source_, context.input(0).scalar<ResourceHandle>()));
    HR_RETURN_IF_ERROR(context.SetOutput(0, std::move(gradient)));
    return context.SetOutput(1, context.input(1));
  }

 private:
  const std::string source_;
};

Status Read(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  HR_ASSIGN_OR_RETURN(const int64_t index, ScalarInt(context, 1, "index"));
  HR_ASSIGN_OR_RETURN(Tensor value, array->Read(context, index));
  return context.SetOutput(0, std::move(value));
}

Status ReadGradient(GradientContext& c) {
  const TensorArrayGradient gradient = GradientOfTensorArray(c, c.input(2));
  return c.SetInputGradient(
      2, c.Op("TensorArrayWriteV3", {gradient.handle, c.input(1), c.output_gradient(0), gradient.flow}));
}

Status Write(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  HR_ASSIGN_OR_RETURN(const int64_t index, ScalarInt(context, 1, "index"));
  HR_RETURN_IF_ERROR(array->Write(context, index, context.TakeInput(2)));
  return context.SetOutput(0, context.input(3));
}

Status WriteGradient(GradientContext& c) {
  const Endpoint flow = c.output_gradient(0);
  const TensorArrayGradient gradient = GradientOfTensorArray(c, flow);
  HR_RETURN_IF_ERROR(c.SetInputGradient(2, c.Op("TensorArrayReadV3", {gradient.handle, c.input(1), gradient.flow},
                                                {{"dtype", RemoveRef(c.input(2).dtype())}})));
  return c.SetInputGradient(3, flow);
}

Status Size(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  HR_ASSIGN_OR_RETURN(const int64_t size, array->Size());
  return context.SetOutput(0, Tensor::Scalar(static_cast<int32_t>(size)));
}

Status Close(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorArray> array, TensorArrayInput(context));
  array->Close();
  return OkStatus();
}

}  // namespace

TensorArrayGradient GradientOfTensorArray(const GradientContext& c, Endpoint flow) {
  // Gradients of one call share their TensorArrays, and no others': they are called as the scope in which they are made.
  const std::string& prefix = c.builder().name_prefix();
  size_t begin = prefix.rfind("gradients");
  if (begin == std::string::npos) begin = 0;
  const std::string source = prefix.substr(begin, prefix.find('/', begin) - begin);
  Node* node = c.builder().AddNode("TensorArrayGradV3", {c.input(0), flow}, {{"source", source}});
  if (node == nullptr) return {};
  return {.handle = {node, 0}, .flow = {node, 1}};
}

OpDefinition TensorArrayOp(std::string_view signature, ShapeFunction shape, KernelFactory kernel,
                           GradientFunction gradient) {
  OpDefinition op = OpDefinition(signature).Shape(std::move(shape)).Kernels(AnyType(std::move(kernel), /*cheap=*/true));
  if (gradient != nullptr) return std::move(op).Gradient(std::move(gradient));
  return std::move(op).NoGradient("not differentiable: about the TensorArray, not its elements");
}

std::vector<OpDefinition> TensorArrayOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(TensorArrayOp(
      "TensorArrayV3(size: i32) -> (handle: resource, flow: f32) | dtype: type | element_shape: shape = <unknown> | "
      "dynamic_size: bool = false | clear_after_read: bool = true | identical_element_shapes: bool = false | "
      "tensor_array_name: string = '' | stateful",
      HandleAndFlowShape, ClassKernel<MakeKernel>()));
  ops.push_back(TensorArrayOp(
      "TensorArrayGradV3(handle: resource, flow_in: f32) -> (grad_handle: resource, flow_out: f32) | source: string | "
      "stateful",
      HandleAndFlowShape, ClassKernel<GradientKernel>()));
  ops.push_back(TensorArrayOp(
      "TensorArrayReadV3(handle: resource, index: i32, flow_in: f32) -> (value: dtype) | dtype: type | stateful",
      UnknownShape, FunctionKernel(Read), ReadGradient));
  ops.push_back(
      TensorArrayOp("TensorArrayWriteV3(handle: resource, index: i32, value: T, flow_in: f32) -> (flow_out: f32) | T: "
                    "type | stateful",
                    ScalarShape, FunctionKernel(Write), WriteGradient));
  ops.push_back(TensorArrayOp("TensorArraySizeV3(handle: resource, flow_in: f32) -> (size: i32) | stateful",
                              ScalarShape, FunctionKernel(Size)));
  ops.push_back(
      TensorArrayOp("TensorArrayCloseV3(handle: resource) -> () | stateful", NoOutputs, FunctionKernel(Close)));
  return ops;
}

}  // namespace headrace
