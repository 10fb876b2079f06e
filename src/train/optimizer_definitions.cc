// The optimizers, as rows of data. Formulas: TensorFlow's ops ResourceApply* and ResourceSparseApply*.
#include "train/optimizer.h"

namespace headrace::train {
namespace {

// var[indices] -= lr * grad, rows of one index added up by the op itself.
Node* ScatterGradientDescent(UpdateContext& c, const IndexedSlices& rows) {
  const GraphBuilder& builder = c.builder();
  const Endpoint step = builder.Op("Mul", {builder.Op("Neg", {rows.values}), c.Get("learning_rate")});
  return builder.AddNode("ResourceScatterAdd", {c.variable().handle, rows.indices, step},
                         {{"dtype", c.variable().dtype}});
}

// slot = slot * beta, then slot[indices] += (1 - beta) * rows; returns the new value, read after both.
Endpoint DecayAndScatter(UpdateContext& c, const std::string& slot, const std::string& beta,
                         const IndexedSlices& rows) {
  const GraphBuilder& builder = c.builder();
  const DType dtype = c.variable().dtype;
  const Endpoint handle = c.Get(slot), rate = c.Get(beta);
  const Endpoint decayed = builder.Op("Mul", {builder.Op("ReadVariableOp", {handle}, {{"dtype", dtype}}), rate});
  Node* assign = builder.AddNode("AssignVariableOp", {handle, decayed}, {{"dtype", dtype}});
  const Endpoint one = builder.ScalarOf(dtype, 1);
  const Endpoint share = builder.Op("Mul", {rows.values, builder.Op("Sub", {one, rate})});
  NodeOptions after_assign;
  after_assign.control_inputs = {assign};
  Node* scatter =
      builder.AddNode("ResourceScatterAdd", {handle, rows.indices, share}, {{"dtype", dtype}}, after_assign);
  NodeOptions after_scatter;
  after_scatter.control_inputs = {assign, scatter};
  return {builder.AddNode("ReadVariableOp", {handle}, {{"dtype", dtype}}, after_scatter), 0};
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
  return builder.AddNode("AssignSubVariableOp", {c.variable().handle, step}, {{"dtype", dtype}});
}

}  // namespace

OptimizerDefinition GradientDescent(double learning_rate) {
  return {.name = "GradientDescent",
          .slots = {},
          .hyperparameters = {{"learning_rate", learning_rate}},
          .dense_op = "ResourceApplyGradientDescent",
          .dense_inputs = "var learning_rate grad",
          .sparse_op = {},
          .sparse_inputs = {},
          .attrs = {},
          .sparse_update = ScatterGradientDescent,
          .powers = {}};
}

OptimizerDefinition Momentum(double learning_rate, double momentum, bool use_nesterov) {
  return {.name = "Momentum",
          .slots = {{"accumulator", 0}},
          .hyperparameters = {{"learning_rate", learning_rate}, {"momentum", momentum}},
          .dense_op = "ResourceApplyMomentum",
          .dense_inputs = "var accumulator learning_rate grad momentum",
          .sparse_op = "ResourceSparseApplyMomentum",
          .sparse_inputs = "var accumulator learning_rate grad indices momentum",
          .attrs = {{"use_nesterov", use_nesterov}},
          .sparse_update = {},
          .powers = {}};
}

OptimizerDefinition Adagrad(double learning_rate, double initial_accumulator_value) {
  return {.name = "Adagrad",
          .slots = {{"accumulator", initial_accumulator_value}},
          .hyperparameters = {{"learning_rate", learning_rate}},
          .dense_op = "ResourceApplyAdagrad",
          .dense_inputs = "var accumulator learning_rate grad",
          .sparse_op = "ResourceSparseApplyAdagrad",
          .sparse_inputs = "var accumulator learning_rate grad indices",
          .attrs = {},
          .sparse_update = {},
          .powers = {}};
}

OptimizerDefinition Ftrl(double learning_rate, const FtrlOptions& options) {
  // The op knows no beta: it enters as more of the quadratic term.
  const double l2 =
      options.l2_regularization_strength + options.beta / (2 * (learning_rate > 1e-36 ? learning_rate : 1e-36));
  return {.name = "Ftrl",
          .slots = {{"accum", options.initial_accumulator_value}, {"linear", 0}},
          .hyperparameters = {{"learning_rate", learning_rate},
                              {"l1_regularization_strength", options.l1_regularization_strength},
                              {"l2_regularization_strength", l2},
                              {"learning_rate_power", options.learning_rate_power}},
          .dense_op = "ResourceApplyFtrl",
          .dense_inputs =
              "var accum linear grad learning_rate l1_regularization_strength l2_regularization_strength "
              "learning_rate_power",
          .sparse_op = "ResourceSparseApplyFtrl",
          .sparse_inputs =
              "var accum linear grad indices learning_rate l1_regularization_strength l2_regularization_strength "
              "learning_rate_power",
          .attrs = {},
          .sparse_update = {},
          .powers = {}};
}

OptimizerDefinition Adam(double learning_rate, double beta1, double beta2, double epsilon) {
  return {
      .name = "Adam",
      .slots = {{"m", 0}, {"v", 0}},
      .hyperparameters = {{"learning_rate", learning_rate}, {"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}},
      .dense_op = "ResourceApplyAdam",
      .dense_inputs = "var m v beta1_power beta2_power learning_rate beta1 beta2 epsilon grad",
      .sparse_op = {},
      .sparse_inputs = {},
      .attrs = {},
      .sparse_update = SparseAdam,
      .powers = {{"beta1_power", "beta1"}, {"beta2_power", "beta2"}}};
}

}  // namespace headrace::train
