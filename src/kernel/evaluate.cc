// One op alone: a graph of the node and a stand-in for each input, of which no shape is known, so that the kernel's own checks
// are what an input meets. To an op on ref edges a variable is given by its handle.
#include "kernel/evaluate.h"

#include "graph/builder.h"

namespace headrace {

namespace {

constexpr char kDevice[] = "/job:localhost/replica:0/task:0/device:CPU:0";

// True for ref arguments. They stand alone in all signatures, so their position is that of the tensor.
bool IsRefInput(const OpDefinition* op, size_t i) {
  return op != nullptr && i < op->signature().inputs.size() && op->signature().inputs[i].is_ref;
}

Result<InputValue> MakeInput(Tensor value, bool is_ref, const ResourceManager& resources) {
  if (!is_ref || value.dtype() != DType::kResource) return InputValue{std::move(value), nullptr};
  const ResourceHandle& handle = value.scalar<ResourceHandle>();
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Variable> variable, resources.Lookup<Variable>(handle.container, handle.name));
  Tensor current = variable->Read();
  return InputValue{std::move(current), std::move(variable)};
}

Result<Endpoint> AddArg(Graph* graph, int index, const InputValue& value) {
  static const auto* arg = new OpDefinition("_Arg() -> (output: T) | T: type | index: int >= 0 | stateful");
  static const auto* ref_arg = new OpDefinition("_Arg() -> (output: Ref(T)) | T: type | index: int >= 0 | stateful");
  NodeSpec spec;
  spec.name = graph->UniqueName("input");
  spec.definition = value.variable != nullptr ? ref_arg : arg;
  spec.attrs = {{"T", value.variable != nullptr ? value.variable->dtype() : value.tensor.dtype()}, {"index", index}};
  HR_ASSIGN_OR_RETURN(Node* const node, graph->AddNode(std::move(spec)));
  return Endpoint{node, 0};
}

Result<std::vector<Tensor>> RunNode(const Node& node, std::vector<InputValue> values, ResourceManager* resources,
                                    bool may_wait) {
  const std::shared_ptr<Runtime> runtime = Runtime::Default();
  HR_ASSIGN_OR_RETURN(const KernelDefinition* definition, node.definition().FindKernel(kCpu, node.attrs()));
  KernelConstruction construction(node, kDevice, runtime.get(), resources, nullptr);
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, definition->factory(construction));
  if (!may_wait && kernel->AsAsync() != nullptr) return Unimplemented(node.op(), " waits, so it has no constant value");

  std::vector<InputValue> outputs(static_cast<size_t>(node.num_outputs()));
  CancellationToken cancellation;
  StepContext step{.device = kDevice, .runtime = runtime.get(), .resources = resources, .cancellation = &cancellation};
  KernelContext context(&step, &node, values, outputs);
  HR_RETURN_IF_ERROR(kernel->Compute(context));

  std::vector<Tensor> results;
  for (InputValue& output : outputs) {
    results.push_back(output.variable != nullptr ? output.variable->Read() : std::move(output.tensor));
  }
  return results;
}

Result<std::vector<Tensor>> BuildAndRun(std::string_view op, std::vector<Tensor> inputs, AttrMap attrs,
                                        ResourceManager* resources, bool may_wait) {
  ResourceManager own;
  if (resources == nullptr) resources = &own;
  Graph graph;
  std::vector<Endpoint> endpoints;
  std::vector<InputValue> values;
  const OpDefinition* definition = OpRegistry::Global().Find(op);
  for (size_t i = 0; i < inputs.size(); ++i) {
    HR_ASSIGN_OR_RETURN(InputValue value, MakeInput(std::move(inputs[i]), IsRefInput(definition, i), *resources));
    HR_ASSIGN_OR_RETURN(const Endpoint input, AddArg(&graph, static_cast<int>(i), value));
    endpoints.push_back(input);
    values.push_back(std::move(value));
  }
  Status status;
  const GraphBuilder builder(&graph, &status);
  const Node* node = builder.AddNode(op, std::move(endpoints), std::move(attrs));
  HR_RETURN_IF_ERROR(status);
  return RunNode(*node, std::move(values), resources, may_wait);
}

}  // namespace

Result<std::vector<Tensor>> EvaluateOp(std::string_view op, std::vector<Tensor> inputs, AttrMap attrs,
                                       ResourceManager* resources) {
  return BuildAndRun(op, std::move(inputs), std::move(attrs), resources, /*may_wait=*/true);
}

Result<std::vector<Tensor>> EvaluateConstant(std::string_view op, std::vector<Tensor> inputs, AttrMap attrs) {
  return BuildAndRun(op, std::move(inputs), std::move(attrs), nullptr, /*may_wait=*/false);
}

}  // namespace headrace
