// One op alone: a graph of the node and a stand-in for each input, of which no shape is known, so that the kernel's own checks
// are what an input meets.
#include "kernel/evaluate.h"

#include "graph/builder.h"

namespace headrace {

namespace {

constexpr char kDevice[] = "/job:localhost/replica:0/task:0/device:CPU:0";

Result<Endpoint> AddArg(Graph* graph, int index, const Tensor& value) {
  static const auto* arg = new OpDefinition("_Arg() -> (output: T) | T: type | index: int >= 0 | stateful");
  NodeSpec spec;
  spec.name = graph->UniqueName("input");
  spec.definition = arg;
  spec.attrs = {{"T", value.dtype()}, {"index", index}};
  HR_ASSIGN_OR_RETURN(Node* const node, graph->AddNode(std::move(spec)));
  return Endpoint{node, 0};
}

Result<std::vector<Tensor>> RunNode(const Node& node, std::vector<Tensor> inputs, ResourceManager* resources,
                                    bool may_wait) {
  const std::shared_ptr<Runtime> runtime = Runtime::Default();
  HR_ASSIGN_OR_RETURN(const KernelDefinition* definition, node.definition().FindKernel(kCpu, node.attrs()));
  KernelConstruction construction(node, kDevice, runtime.get(), resources, nullptr);
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, definition->factory(construction));
  if (!may_wait && kernel->AsAsync() != nullptr) return Unimplemented(node.op(), " waits, so it has no constant value");

  std::vector<InputValue> values;
  for (Tensor& input : inputs) values.push_back(InputValue{std::move(input), nullptr});
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
  Graph graph;
  std::vector<Endpoint> endpoints;
  for (size_t i = 0; i < inputs.size(); ++i) {
    HR_ASSIGN_OR_RETURN(const Endpoint input, AddArg(&graph, static_cast<int>(i), inputs[i]));
    endpoints.push_back(input);
  }
  Status status;
  const GraphBuilder builder(&graph, &status);
  const Node* node = builder.AddNode(op, std::move(endpoints), std::move(attrs));
  HR_RETURN_IF_ERROR(status);
  ResourceManager own;
  return RunNode(*node, std::move(inputs), resources != nullptr ? resources : &own, may_wait);
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
