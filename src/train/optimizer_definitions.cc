// The optimizers, as rows of data. Formulas: TensorFlow's ops ResourceApply* and ResourceSparseApply*.
#include "train/optimizer.h"

#include <algorithm>

namespace headrace::train {
namespace {

// var[indices] -= lr * grad, rows of one index added up by the op itself.
Node* ScatterGradientDescent(UpdateContext& c, const IndexedSlices& rows) {
  const Endpoint step = c.builder().Op("Mul", {rows.values, c.Get("learning_rate")});
  return ChangeVariable(c.builder(), VariableChange::kScatterSub, c.variable().handle, {rows.indices, step});
}

// slot = slot * beta, then slot[indices] += (1 - beta) * rows; returns the new value, read after both.
Endpoint DecayAndScatter(UpdateContext& c, const std::string& slot, const std::string& beta,
                         const IndexedSlices& rows) {
  const GraphBuilder& builder = c.builder();
  const DType dtype = c.variable().dtype;
  const Endpoint handle = c.Get(slot), rate = c.Get(beta);
  const Endpoint decayed = builder.Op("Mul", {ReadHandle(builder, handle, dtype), rate});
  Node* assign = ChangeVariable(builder, VariableChange::kAssign, handle, {decayed});
  const Endpoint share = builder.Op("Mul", {rows.values, builder.Op("Sub", {builder.ScalarOf(dtype, 1), rate})});
  NodeOptions after_assign;
  after_assign.control_inputs = {assign};
  Node* scatter =
      ChangeVariable(builder, VariableChange::kScatterAdd, handle, {rows.indices, share}, std::move(after_assign));
  NodeOptions after_scatter;
  after_scatter.control_inputs = {assign, scatter};
  return ReadHandle(builder, handle, dtype, std::move(after_scatter));
}

// Moments decay everywhere, gradients enter in their rows, and the whole variable moves: TensorFlow's sparse Adam.
Node* SparseAdam(UpdateContext& c, const IndexedSlices& rows) {
  const GraphBuilder& builder = c.builder();
  const DType dtype = c.variable().dtype;
  const Endpoint one = builder.ScalarOf(dtype, 1);
  const Endpoint correction2 = builder.Op("Sqrt", {builder.Op("Sub", {one, c.Get("beta2_power")})});
  const Endpoint correction1 = builder.Op("Sub", {one, c.Get("beta1_power")});
  const Endpoint rate = builder.Op("RealDiv", {builder.Op("Mul", {c.Get("learning_rate"), correction2}), correction1});
  const Endpoint m = DecayAndScatter(c, "m", "beta1", rows);
  IndexedSlices squares = rows;
  squares.values = builder.Op("Mul", {rows.values, rows.values});
  const Endpoint v = DecayAndScatter(c, "v", "beta2", squares);
  const Endpoint divisor = builder.Op("AddV2", {builder.Op("Sqrt", {v}), c.Get("epsilon")});
  const Endpoint step = builder.Op("RealDiv", {builder.Op("Mul", {rate, m}), divisor});
  return ChangeVariable(builder, VariableChange::kAssignSub, c.variable().handle, {step});
}

using Hyperparameters = std::vector<std::pair<std::string, double>>;

// The definition of an optimizer whose sparse op is its dense one's twin: `before` the gradient and `after` it, its rows'
// indices stand right behind it.
OptimizerDefinition TwinOps(const std::string& op, std::vector<SlotDefinition> slots, Hyperparameters hyperparameters,
                            const std::string& before, const std::string& after = {}) {
  OptimizerDefinition definition;
  definition.name = op;
  definition.slots = std::move(slots);
  definition.hyperparameters = std::move(hyperparameters);
  definition.dense_op = "ResourceApply" + op;
  definition.dense_inputs = StrCat(before, " grad", after);
  definition.sparse_op = "ResourceSparseApply" + op;
  definition.sparse_inputs = StrCat(before, " grad indices", after);
  return definition;
}

}  // namespace

OptimizerDefinition GradientDescent(double learning_rate) {
  OptimizerDefinition definition =
      TwinOps("GradientDescent", {}, {{"learning_rate", learning_rate}}, "var learning_rate");
  definition.sparse_update = ScatterGradientDescent;
  definition.takes_duplicates = true;
  return definition;
}

OptimizerDefinition Momentum(double learning_rate, double momentum, bool use_nesterov) {
  OptimizerDefinition definition =
      TwinOps("Momentum", {{"momentum_slot"}}, {{"learning_rate", learning_rate}, {"momentum", momentum}},
              "var momentum_slot learning_rate", " momentum");
  definition.attrs = {{"use_nesterov", use_nesterov}};
  return definition;
}

OptimizerDefinition Adagrad(double learning_rate, double initial_accumulator_value) {
  return TwinOps("Adagrad", {{"accumulator", initial_accumulator_value}}, {{"learning_rate", learning_rate}},
                 "var accumulator learning_rate");
}

OptimizerDefinition Adadelta(double learning_rate, double rho, double epsilon) {
  return TwinOps("Adadelta", {{"accum"}, {"accum_update"}},
                 {{"learning_rate", learning_rate}, {"rho", rho}, {"epsilon", epsilon}},
                 "var accum accum_update learning_rate rho epsilon");
}

OptimizerDefinition RmsProp(double learning_rate, const RmsPropOptions& options) {
  const Hyperparameters hyperparameters = {{"learning_rate", learning_rate},
                                           {"decay", options.decay},
                                           {"momentum", options.momentum},
                                           {"epsilon", options.epsilon}};
  const std::string scalars = " learning_rate decay momentum epsilon";
  if (!options.centered) {
    return TwinOps("RMSProp", {{"rms", 1}, {"momentum_slot"}}, hyperparameters, "var rms momentum_slot" + scalars);
  }
  OptimizerDefinition definition = TwinOps("CenteredRMSProp", {{"rms", 1}, {"mg"}, {"momentum_slot"}}, hyperparameters,
                                           "var mg rms momentum_slot" + scalars);
  definition.name = "RMSProp";
  return definition;
}

OptimizerDefinition Ftrl(double learning_rate, const FtrlOptions& options) {
  // The op knows no beta: it enters as more of the quadratic term.
  const double l2 = options.l2_regularization_strength + options.beta / (2 * std::max(learning_rate, 1e-36));
  const bool shrinks = options.l2_shrinkage_regularization_strength > 0;
  Hyperparameters hyperparameters = {{"learning_rate", learning_rate},
                                     {"l1_regularization_strength", options.l1_regularization_strength},
                                     {"l2_regularization_strength", l2},
                                     {"learning_rate_power", options.learning_rate_power}};
  if (shrinks) {
    hyperparameters.emplace_back("l2_shrinkage_regularization_strength", options.l2_shrinkage_regularization_strength);
  }
  OptimizerDefinition definition =
      TwinOps(shrinks ? "FtrlV2" : "Ftrl", {{"accum", options.initial_accumulator_value}, {"linear"}}, hyperparameters,
              "var accum linear",
              StrCat(" learning_rate l1_regularization_strength l2_regularization_strength",
                     shrinks ? " l2_shrinkage_regularization_strength" : "", " learning_rate_power"));
  definition.name = "Ftrl";
  return definition;
}

OptimizerDefinition ProximalGradientDescent(double learning_rate, const ProximalOptions& options) {
  return TwinOps("ProximalGradientDescent", {},
                 {{"learning_rate", learning_rate},
                  {"l1_regularization_strength", options.l1_regularization_strength},
                  {"l2_regularization_strength", options.l2_regularization_strength}},
                 "var learning_rate l1_regularization_strength l2_regularization_strength");
}

OptimizerDefinition ProximalAdagrad(double learning_rate, const ProximalOptions& options) {
  OptimizerDefinition definition = ProximalGradientDescent(learning_rate, options);
  return TwinOps("ProximalAdagrad", {{"accumulator", options.initial_accumulator_value}}, definition.hyperparameters,
                 "var accumulator learning_rate l1_regularization_strength l2_regularization_strength");
}

OptimizerDefinition AdagradDa(double learning_rate, const ProximalOptions& options) {
  OptimizerDefinition definition = ProximalGradientDescent(learning_rate, options);
  return TwinOps("AdagradDA",
                 {{"gradient_accumulator"}, {"gradient_squared_accumulator", options.initial_accumulator_value}},
                 definition.hyperparameters, "var gradient_accumulator gradient_squared_accumulator",
                 " learning_rate l1_regularization_strength l2_regularization_strength global_step");
}

OptimizerDefinition Adam(double learning_rate, double beta1, double beta2, double epsilon) {
  OptimizerDefinition definition =
      TwinOps("Adam", {{"m"}, {"v"}},
              {{"learning_rate", learning_rate}, {"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}},
              "var m v beta1_power beta2_power learning_rate beta1 beta2 epsilon");
  definition.sparse_update = SparseAdam;
  definition.powers = {{"beta1_power", "beta1"}, {"beta2_power", "beta2"}};
  return definition;
}

}  // namespace headrace::train
