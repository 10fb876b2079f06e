// See train.h.
#include "api/train.h"

#include "api/emit.h"
#include "api/variable_access.h"
#include "checkpoint/checkpoint_state.h"
#include "os/file_system.h"
#include "train/optimizer.h"

namespace headrace::api::train {
namespace {

using headrace::train::GradientAndVariable;
using headrace::train::VariableNodes;

std::vector<VariableNodes> NodesOf(const std::vector<Variable>& variables) {
  std::vector<VariableNodes> nodes;
  for (const Variable& variable : variables) {
    if (variable.valid()) nodes.push_back(*VariableAccess::Nodes(variable));
  }
  return nodes;
}

headrace::train::ApplyOptions ApplyOptionsOf(const MinimizeOptions& options) {
  headrace::train::ApplyOptions apply;
  if (options.global_step) apply.global_step = VariableAccess::Nodes(*options.global_step);
  apply.name = options.name;
  for (const auto& [name, value] : options.hyperparameters) {
    if (value.valid()) apply.hyperparameters[name] = Access::EndpointOf(value);
  }
  if (options.learning_rate.valid()) apply.hyperparameters["learning_rate"] = Access::EndpointOf(options.learning_rate);
  return apply;
}

headrace::train::ProximalOptions ProximalOptionsOf(const ProximalSettings& settings) {
  return {.l1_regularization_strength = settings.l1_regularization_strength,
          .l2_regularization_strength = settings.l2_regularization_strength,
          .initial_accumulator_value = settings.initial_accumulator_value};
}

Gradient ToGradient(const VariableGradient& gradient) {
  if (gradient.dense.valid()) return Access::EndpointOf(gradient.dense);
  if (!gradient.rows.valid()) return {};
  return IndexedSlices{Access::EndpointOf(gradient.indices), Access::EndpointOf(gradient.rows),
                       Access::EndpointOf(gradient.dense_shape)};
}

VariableGradient ToVariableGradient(const Scope& scope, const GradientAndVariable& pair) {
  VariableGradient result{VariableAccess::Make(scope, pair.variable), {}, {}, {}, {}};
  if (pair.gradient.dense() != nullptr) result.dense = Access::MakeOutput(scope, *pair.gradient.dense());
  if (const IndexedSlices* slices = pair.gradient.slices()) {
    result.indices = Access::MakeOutput(scope, slices->indices);
    result.rows = Access::MakeOutput(scope, slices->values);
    if (slices->dense_shape) result.dense_shape = Access::MakeOutput(scope, slices->dense_shape);
  }
  return result;
}

}  // namespace

Optimizer::Optimizer(headrace::train::OptimizerDefinition definition)
    : definition_(std::make_shared<const headrace::train::OptimizerDefinition>(std::move(definition))) {}

Operation Optimizer::Minimize(const Input& loss, const MinimizeOptions& options) const {
  const std::vector<VariableGradient> gradients = ComputeGradients(loss, options.variables);
  return ApplyGradients(CallScope(loss.output().scope(), loss.where()), gradients, options);
}

std::vector<VariableGradient> Optimizer::ComputeGradients(const Input& loss,
                                                          const std::vector<Variable>& variables) const {
  const Scope& scope = loss.output().scope();
  std::vector<VariableGradient> results;
  if (!scope.valid()) return results;
  BuildAt(*Access::GraphOf(scope), loss.where(), [&]() -> Status {
    HR_ASSIGN_OR_RETURN(const Endpoint target, ToEndpoint(scope, loss, DType::kFloat));
    const std::vector<VariableNodes> nodes = NodesOf(variables.empty() ? TrainableVariables(scope) : variables);
    HR_ASSIGN_OR_RETURN(const std::vector<GradientAndVariable> gradients,
                        headrace::train::ComputeGradients(Access::Builder(scope), target, nodes));
    for (const GradientAndVariable& pair : gradients) results.push_back(ToVariableGradient(scope, pair));
    return OkStatus();
  });
  return results;
}

Operation Optimizer::ApplyGradients(const CallScope& scope, const std::vector<VariableGradient>& gradients,
                                    const MinimizeOptions& options) const {
  if (!scope.scope().valid()) return {};
  GraphState& graph = *Access::GraphOf(scope.scope());
  Node* node = nullptr;
  BuildAt(graph, scope.where(), [&]() -> Status {
    std::vector<GradientAndVariable> pairs;
    for (const VariableGradient& gradient : gradients) {
      if (gradient.variable.valid()) pairs.push_back({ToGradient(gradient), *VariableAccess::Nodes(gradient.variable)});
    }
    HR_ASSIGN_OR_RETURN(node, headrace::train::ApplyGradients(Access::Builder(scope.scope()), *definition_, pairs,
                                                              &graph.variables, ApplyOptionsOf(options)));
    return OkStatus();
  });
  return Access::MakeOperation(scope.scope(), node);
}

Optimizer GradientDescent(double learning_rate) { return Optimizer(headrace::train::GradientDescent(learning_rate)); }

Optimizer Momentum(double learning_rate, double momentum, bool use_nesterov) {
  return Optimizer(headrace::train::Momentum(learning_rate, momentum, use_nesterov));
}

Optimizer Adagrad(double learning_rate, double initial_accumulator_value) {
  return Optimizer(headrace::train::Adagrad(learning_rate, initial_accumulator_value));
}

Optimizer Adadelta(double learning_rate, double rho, double epsilon) {
  return Optimizer(headrace::train::Adadelta(learning_rate, rho, epsilon));
}

Optimizer RmsProp(double learning_rate, const RmsPropSettings& settings) {
  return Optimizer(headrace::train::RmsProp(learning_rate, {.decay = settings.decay,
                                                            .momentum = settings.momentum,
                                                            .epsilon = settings.epsilon,
                                                            .centered = settings.centered}));
}

Optimizer ProximalGradientDescent(double learning_rate, const ProximalSettings& settings) {
  return Optimizer(headrace::train::ProximalGradientDescent(learning_rate, ProximalOptionsOf(settings)));
}

Optimizer ProximalAdagrad(double learning_rate, const ProximalSettings& settings) {
  return Optimizer(headrace::train::ProximalAdagrad(learning_rate, ProximalOptionsOf(settings)));
}

Optimizer Adam(double learning_rate, double beta1, double beta2, double epsilon) {
  return Optimizer(headrace::train::Adam(learning_rate, beta1, beta2, epsilon));
}

Optimizer Ftrl(double learning_rate, const FtrlSettings& settings) {
  headrace::train::FtrlOptions options;
  options.learning_rate_power = settings.learning_rate_power;
  options.initial_accumulator_value = settings.initial_accumulator_value;
  options.l1_regularization_strength = settings.l1_regularization_strength;
  options.l2_regularization_strength = settings.l2_regularization_strength;
  options.l2_shrinkage_regularization_strength = settings.l2_shrinkage_regularization_strength;
  options.beta = settings.beta;
  return Optimizer(headrace::train::Ftrl(learning_rate, options));
}

Variable GetOrCreateGlobalStep(const CallScope& scope) {
  VariableNodes nodes;
  if (scope.scope().valid()) {
    GraphState& graph = *Access::GraphOf(scope.scope());
    BuildAt(graph, scope.where(), [&] {
      nodes = headrace::train::GetOrCreateGlobalStep(Access::Builder(scope.scope()), &graph.variables);
      return OkStatus();
    });
  }
  return VariableAccess::Make(scope.scope(), std::move(nodes));
}

Result<std::string> LatestCheckpoint(const std::string& directory) {
  Result<std::string> latest = headrace::LatestCheckpoint(RealFileSystem(), directory);
  if (latest.status().code() == Code::kNotFound) return std::string();
  return latest;
}

Result<int64_t> RunLoop(Session& session, const Operation& step, const LoopOptions& options) {
  RunOptions run;
  run.targets = {step};
  int64_t done = 0;
  while (options.max_steps == 0 || done < options.max_steps) {
    Result<std::vector<Tensor>> fetched = session.Run(options.fetches, run);
    if (fetched.status().code() == Code::kOutOfRange) break;
    HR_RETURN_IF_ERROR(fetched.status());
    ++done;
    if (options.on_step && !options.on_step({done, *std::move(fetched)})) break;
  }
  return done;
}

}  // namespace headrace::api::train
