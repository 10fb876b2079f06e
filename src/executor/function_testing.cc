#include "executor/function_testing.h"

#include "base/check.h"
#include "executor/executor_testing.h"
#include "executor/function_runner.h"
#include "graph/function_export.h"
#include "ops/register.h"

namespace headrace {
namespace {

std::vector<DType> TypesOf(const std::vector<Endpoint>& endpoints) {
  std::vector<DType> types;
  for (const Endpoint& endpoint : endpoints) types.push_back(RemoveRef(endpoint.dtype()));
  return types;
}

std::vector<Endpoint> OutputsOf(Node* node) {
  HR_CHECK(node != nullptr);
  std::vector<Endpoint> outputs;
  for (int i = 0; i < node->num_outputs(); ++i) outputs.push_back({node, i});
  return outputs;
}

}  // namespace

FunctionProgram::FunctionProgram() : builder_(&graph_, &status_) { RegisterAllOps(); }

FunctionRef FunctionProgram::Function(const std::string& name, const std::vector<DType>& types, const Build& build) {
  Graph body;
  body.functions() = graph_.functions();
  const GraphBuilder builder(&body, &status_);
  std::vector<Endpoint> args;
  std::vector<Node*> nodes;
  for (const DType type : types) {
    nodes.push_back(builder.AddNode("_Arg", {}, {{"T", type}, {"index", std::ssize(nodes)}}));
    args.push_back({nodes.back(), 0});
  }
  const std::vector<Endpoint> results = build(builder, args);
  HR_CHECK(status_.ok());
  const Result<FunctionRef> function = AddFunction(&graph_.functions(), body, name, nodes, results);
  HR_CHECK(function.ok());
  return *function;
}

std::vector<Endpoint> FunctionProgram::While(const std::vector<Endpoint>& variables, const Build& cond,
                                             const Build& body) {
  const std::vector<DType> types = TypesOf(variables);
  return OutputsOf(builder_.AddNode(
      "While", variables, {{"cond", Function("cond", types, cond)}, {"body", Function("body", types, body)}}));
}

std::vector<Endpoint> FunctionProgram::If(Endpoint pred, const std::vector<Endpoint>& inputs, const Build& then_branch,
                                          const Build& else_branch) {
  const std::vector<DType> types = TypesOf(inputs);
  std::vector<Endpoint> all = inputs;
  all.insert(all.begin(), pred);
  return OutputsOf(builder_.AddNode("If", all,
                                    {{"then_branch", Function("then", types, then_branch)},
                                     {"else_branch", Function("else", types, else_branch)},
                                     {"Tout", std::vector<DType>{DType::kFloat}}}));
}

std::vector<Endpoint> FunctionProgram::Call(const std::vector<Endpoint>& inputs, const Build& function) {
  return OutputsOf(builder_.AddNode(
      "PartitionedCall", inputs,
      {{"f", Function("function", TypesOf(inputs), function)}, {"Tout", std::vector<DType>{DType::kFloat}}}));
}

Result<std::vector<Tensor>> FunctionProgram::Run(const std::vector<Endpoint>& fetches,
                                                 CancellationToken* cancellation) {
  HR_RETURN_IF_ERROR(status_);
  int64_t index = 0;
  for (const Endpoint& fetch : fetches) {
    builder_.AddNode("_Retval", {fetch}, {{"index", index++}});
  }
  HR_RETURN_IF_ERROR(status_);
  PlanEnvironment environment;
  environment.device = kTestDevice;
  environment.runtime = Runtime::Default();
  environment.resources = std::make_shared<ResourceManager>();
  environment.functions = MakeFunctionRunner({.library = graph_.functions(),
                                              .device = environment.device,
                                              .runtime = environment.runtime,
                                              .resources = environment.resources});
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<const StepPlan> plan,
                      StepPlan::Compile(std::make_shared<const Graph>(graph_.Clone()), environment));
  return RunStep(*plan, {}, cancellation);
}

}  // namespace headrace
