#include "ops/kernel_testing.h"

#include "base/check.h"
#include "graph/builder.h"
#include "os/log.h"

namespace headrace {

namespace {

constexpr char kDevice[] = "/job:localhost/replica:0/task:0/device:CPU:0";

Endpoint AddSource(Graph& graph, const InputValue& value) {
  static const auto* tensor = new OpDefinition("_TestTensor() -> (output: T) | T: type");
  static const auto* variable = new OpDefinition("_TestVariable() -> (output: Ref(T)) | T: type");
  const bool is_ref = value.variable != nullptr;
  const DType dtype = is_ref ? value.variable->dtype() : value.tensor.dtype();
  Result<Node*> node = graph.AddNode(
      {.name = graph.UniqueName("input"), .definition = is_ref ? variable : tensor, .attrs = {{"T", dtype}}});
  HR_CHECK(node.ok());
  return {*node, 0};
}

}  // namespace

KeptKernel::KeptKernel(const std::string& op, std::vector<InputValue> inputs, AttrMap attrs, ResourceManager* resources)
    : resources_(resources == nullptr ? &own_ : resources), inputs_(std::move(inputs)) {
  Status status;
  const GraphBuilder builder(&graph_, &status);
  std::vector<Endpoint> endpoints;
  for (const InputValue& input : inputs_) endpoints.push_back(AddSource(graph_, input));
  node_ = builder.AddNode(op, std::move(endpoints), std::move(attrs));
  if (!status.ok()) WriteLog(LogLevel::kError, "ops", status.ToString());
  HR_CHECK(node_ != nullptr);
  KernelConstruction construction(*node_, kDevice, runtime_.get(), resources_, nullptr);
  Result<const KernelDefinition*> definition = node_->definition().FindKernel(kCpu, node_->attrs());
  HR_CHECK(definition.ok());
  Result<std::unique_ptr<Kernel>> kernel = (*definition)->factory(construction);
  HR_CHECK(kernel.ok());
  kernel_ = *std::move(kernel);
}

Result<std::vector<InputValue>> KeptKernel::Run(CancellationToken* cancellation) {
  std::vector<InputValue> values = inputs_, outputs(static_cast<size_t>(node_->num_outputs()));
  for (InputValue& value : values) {
    if (value.variable != nullptr) value.tensor = value.variable->Read();
  }
  StepContext step{.device = kDevice, .runtime = runtime_.get(), .resources = resources_, .cancellation = cancellation};
  KernelContext context(&step, node_, values, outputs);
  HR_RETURN_IF_ERROR(kernel_->Compute(context));
  return outputs;
}

Result<Tensor> KeptKernel::RunTensor() {
  HR_ASSIGN_OR_RETURN(std::vector<InputValue> outputs, Run());
  return std::move(outputs[0].tensor);
}

}  // namespace headrace
