// See passes_testing.h.
#include "passes/passes_testing.h"

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/register.h"

namespace headrace {
namespace {

Status NeverRun(KernelContext&) { return Internal("an op of a test was run"); }

Status Sum(KernelContext& c) {
  return c.SetOutput(0, Tensor::Scalar(c.input(0).scalar<float>() + c.input(1).scalar<float>()));
}

Status Fail(KernelContext&) { return InvalidArgument("this op fails"); }

KernelDefinition KernelOn(std::string device_type) {
  KernelDefinition kernel;
  kernel.device_type = std::move(device_type);
  kernel.factory = FunctionKernel(NeverRun);
  return kernel;
}

void AddTestOps(OpRegistry& registry) {
  RegisterControlFlowOps(registry);
  const auto add = [&registry](std::string_view signature, const std::vector<std::string>& device_types) {
    if (registry.Find(signature.substr(0, signature.find('('))) != nullptr) return;
    std::vector<KernelDefinition> kernels;
    for (const std::string& type : device_types) kernels.push_back(KernelOn(type));
    registry.Add(OpDefinition(signature).Shape(UnknownShape).NoGradient("of a test").Kernels(std::move(kernels)));
  };
  add("Const() -> (output: dtype) | value: tensor | dtype: type", {"CPU", "GPU"});
  add("Placeholder() -> (output: dtype) | dtype: type | shape: shape = <unknown>", {"CPU"});
  add("Identity(input: T) -> (output: T) | T: type", {"CPU"});
  add("IdentityN(input: list(T)) -> (output: list(T)) | T: list(type) >= 1", {"CPU"});
  add("AddV2(x: T, y: T) -> (z: T) | T: type", {"CPU", "GPU"});
  add("Shape(input: T) -> (output: i32) | T: type", {"CPU"});
  add("Split2(value: T) -> (first: T, second: T) | T: type", {"CPU"});
  add("GpuOnly(x: T) -> (y: T) | T: type", {"GPU"});
  add("VariableV2() -> (ref: Ref(dtype)) | shape: shape | dtype: type | container: string = '' | shared_name: string = "
      "'' | stateful",
      {"CPU"});
  add("Assign(ref: Ref(T), value: T) -> (output_ref: Ref(T)) | T: type", {"CPU"});
  add("VarHandleOp() -> (resource: resource) | dtype: type | shape: shape | shared_name: string = '' | stateful",
      {"CPU"});
  add("ReadVariableOp(resource: resource) -> (value: dtype) | dtype: type | stateful", {"CPU"});
  add("UseBoth(a: resource, b: resource) -> () | stateful", {"CPU"});
  registry.Add(OpDefinition("TestSum(x: T, y: T) -> (z: T) | T: type")
                   .Shape(UnknownShape)
                   .NoGradient("of a test")
                   .Kernels(AnyType(FunctionKernel(Sum))));
  registry.Add(OpDefinition("TestFail(x: T) -> (y: T) | T: type")
                   .Shape(UnknownShape)
                   .NoGradient("of a test")
                   .Kernels(AnyType(FunctionKernel(Fail))));
}

}  // namespace

void RegisterPassTestOps() { [[maybe_unused]] static const bool done = (AddTestOps(OpRegistry::Global()), true); }

PassTestGraph::PassTestGraph() { RegisterPassTestOps(); }

Endpoint PassTestGraph::Input(const std::string& name, const std::string& device) {
  return {AddNode("Placeholder", name, {}, {{"dtype", DType::kFloat}}, device), 0};
}

Endpoint PassTestGraph::Add(const std::string& name, Endpoint x, Endpoint y, const std::string& device) {
  return {AddNode("AddV2", name, {x, y}, {}, device), 0};
}

Node* PassTestGraph::AddNode(const std::string& op, const std::string& name, std::vector<Endpoint> inputs,
                             AttrMap attrs, const std::string& device, std::vector<Node*> control) {
  NodeOptions options;
  options.name = name;
  options.device = device;
  options.control_inputs = std::move(control);
  Node* node = builder.AddNode(op, std::move(inputs), std::move(attrs), std::move(options));
  HR_CHECK(node != nullptr);
  return node;
}

}  // namespace headrace
