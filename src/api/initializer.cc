// See initializer.h.
#include "api/initializer.h"

#include <cmath>

#include "api/initializer_state.h"

namespace headrace::api {
namespace {

constexpr int64_t kDefaultGraphSeed = 87654321;  // TensorFlow's

Initializer Make(DType dtype, const PartialShape& shape, decltype(InitializerState::build) build) {
  return Initializer(std::make_shared<const InitializerState>(InitializerState{dtype, shape, std::move(build)}));
}

// scale * op(shape) + shift, below `scope_name`.
Initializer Random(const char* op, const char* scope_name, const Shape& shape, double scale, double shift,
                   const RandomOptions& options) {
  return Make(options.dtype, shape, [=](const GraphBuilder& builder, GraphState& graph) {
    const GraphBuilder inner = builder.WithNamePrefix(scope_name);
    const std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    bool narrow = true;
    for (const int64_t dim : dims) narrow = narrow && dim == static_cast<int32_t>(dim);
    const Tensor extents =
        narrow ? Tensor::Vector(std::vector<int32_t>(dims.begin(), dims.end())) : Tensor::Vector(dims);
    const auto [seed, seed2] = RandomSeeds(graph, options.seed);
    const Endpoint random =
        inner.Op(op, {inner.Const(extents, "shape")}, {{"dtype", options.dtype}, {"seed", seed}, {"seed2", seed2}});
    const Endpoint scaled = inner.Op("Mul", {random, inner.ScalarOf(options.dtype, scale)});
    return inner.Op("AddV2", {scaled, inner.ScalarOf(options.dtype, shift)});
  });
}

}  // namespace

std::pair<int64_t, int64_t> RandomSeeds(const GraphState& graph, std::optional<int64_t> op_seed) {
  if (graph.seed) return {*graph.seed, op_seed.value_or(graph.graph.num_ids())};
  if (op_seed) return {kDefaultGraphSeed, *op_seed};
  return {0, 0};
}

Initializer::Initializer(const Tensor& value)
    : state_(std::make_shared<const InitializerState>(InitializerState{
          value.dtype(), value.shape(),
          [value](const GraphBuilder& builder, GraphState&) { return builder.Const(value, "initial_value"); }})) {}

Initializer::Initializer(const Output& value)
    : state_(std::make_shared<const InitializerState>(InitializerState{
          value.dtype(), value.shape(), [value](const GraphBuilder& builder, GraphState& graph) -> Endpoint {
            if (Access::GraphOf(value.scope()).get() == &graph && value.valid()) return Access::EndpointOf(value);
            builder.Fail(InvalidArgument("Initializer: the value is empty or belongs to another graph"));
            return {};
          }})) {}

DType Initializer::dtype() const { return state_->dtype; }
PartialShape Initializer::shape() const { return state_->shape; }

Output Initializer::In(const CallScope& scope) const {
  if (!scope.scope().valid()) return {};
  GraphState& graph = *Access::GraphOf(scope.scope());
  Endpoint value;
  BuildAt(graph, scope.where(), [&] {
    const ScopeState& state = Access::State(scope.scope());
    value = state_->build(state.builder.WithNamePrefix(state.next_name), graph);
    return OkStatus();
  });
  return Access::MakeOutput(scope.scope(), value);
}

Initializer Filled(const Shape& shape, double value, DType dtype) {
  return Make(dtype, shape, [=](const GraphBuilder& builder, GraphState&) {
    return headrace::train::Filled(builder, dtype, shape, value, value == 0 ? "zeros" : value == 1 ? "ones" : "Const");
  });
}

Initializer Zeros(const Shape& shape, DType dtype) { return Filled(shape, 0, dtype); }
Initializer Ones(const Shape& shape, DType dtype) { return Filled(shape, 1, dtype); }

Initializer RandomUniform(const Shape& shape, double minval, double maxval, const RandomOptions& options) {
  return Random("RandomUniform", "random_uniform", shape, maxval - minval, minval, options);
}
Initializer RandomNormal(const Shape& shape, double mean, double stddev, const RandomOptions& options) {
  return Random("RandomStandardNormal", "random_normal", shape, stddev, mean, options);
}
Initializer TruncatedNormal(const Shape& shape, double mean, double stddev, const RandomOptions& options) {
  return Random("TruncatedNormal", "truncated_normal", shape, stddev, mean, options);
}

Initializer GlorotUniform(const Shape& shape, const RandomOptions& options) {
  const int rank = shape.rank();
  double receptive_field = 1;
  for (int i = 0; i < rank - 2; ++i) receptive_field *= static_cast<double>(shape.dim(i));
  const double fan_in = rank == 0 ? 1 : static_cast<double>(shape.dim(rank == 1 ? 0 : rank - 2)) * receptive_field;
  const double fan_out = rank == 0 ? 1 : static_cast<double>(shape.dim(rank - 1)) * receptive_field;
  const double limit = std::sqrt(6 / std::max(1.0, fan_in + fan_out));
  return RandomUniform(shape, -limit, limit, options);
}

}  // namespace headrace::api
