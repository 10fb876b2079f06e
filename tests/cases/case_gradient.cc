#include "case_gradient.h"

#include <cmath>
#include <unordered_map>

#include "graph/gradient_context.h"
#include "kernel/evaluate.h"

namespace headrace::cases {
namespace {

/// The op on its inputs, and the graph that computes the inputs' gradients.
struct GradientGraph {
  Graph graph;
  Status status;
  std::vector<Endpoint> inputs;
  std::vector<Gradient> gradients;
};

Endpoint AddInput(const GraphBuilder& builder, const Tensor& value, bool constant) {
  if (constant) return builder.Const(value);
  return builder.Op("Placeholder", {}, {{"dtype", value.dtype()}, {"shape", PartialShape()}});
}

// Floating outputs get their weights as gradients, others none.
Status Build(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs,
             const std::vector<Tensor>& weights, bool constant, GradientGraph* made) {
  const GraphBuilder builder(&made->graph, &made->status);
  for (const Tensor& input : inputs) made->inputs.push_back(AddInput(builder, input, constant));
  Node* node = builder.AddNode(block.op, made->inputs, attrs);
  HR_RETURN_IF_ERROR(made->status);
  if (!node->definition().gradient_function()) return InvalidArgument("the op has no gradient");
  std::vector<Gradient> output_gradients;
  for (const Tensor& weight : weights) {
    output_gradients.push_back(weight.valid() ? Gradient(builder.Const(weight)) : Gradient());
  }
  GradientContext context(builder, node, std::move(output_gradients));
  HR_RETURN_IF_ERROR(node->definition().gradient_function()(context));
  made->gradients = context.TakeInputGradients();
  return made->status;
}

// Evaluates the whole graph; values[node id] are the node's outputs.
using Values = std::unordered_map<int, std::vector<Tensor>>;
Result<Values> EvaluateGraph(GradientGraph& made, const std::vector<Tensor>& inputs) {
  Values values;
  for (size_t i = 0; i < inputs.size(); ++i) values[made.inputs[i].node->id()] = {inputs[i]};
  HR_ASSIGN_OR_RETURN(std::vector<Node*> order, made.graph.TopologicalOrder());
  for (const Node* node : order) {
    if (values.contains(node->id())) continue;
    std::vector<Tensor> args;
    for (const Endpoint& input : node->inputs())
      args.push_back(values[input.node->id()][static_cast<size_t>(input.index)]);
    Result<std::vector<Tensor>> outputs = EvaluateOp(node->op(), std::move(args), node->attrs());
    if (!outputs.ok()) return outputs.status().WithFrame(StrCat("in the gradient's ", node->ToString()));
    values[node->id()] = *std::move(outputs);
  }
  return values;
}

// The gradient as a flat list of numbers, slices added up.
Result<std::vector<double>> Flatten(const Gradient& gradient, const Values& values, const Tensor& input) {
  const auto value_of = [&values](const Endpoint& endpoint) {
    return values.at(endpoint.node->id())[static_cast<size_t>(endpoint.index)];
  };
  std::vector<double> flat(static_cast<size_t>(input.num_elements()), 0.0);
  if (const Endpoint* dense = gradient.dense()) {
    const Tensor value = value_of(*dense);
    if (value.dtype() != input.dtype() || value.shape() != input.shape()) {
      return Internal("the gradient is ", value.TypeAndShape(), ", the input ", input.TypeAndShape());
    }
    for (size_t i = 0; i < flat.size(); ++i) flat[i] = ElementAsDouble(value, static_cast<int64_t>(i));
  } else if (const IndexedSlices* slices = gradient.slices()) {
    const Tensor indices = value_of(slices->indices), rows = value_of(slices->values);
    if (input.rank() == 0 || input.dim(0) == 0) return Internal("slices of ", input.TypeAndShape());
    const int64_t width = input.num_elements() / input.dim(0);
    if (rows.num_elements() != indices.num_elements() * width) {
      return Internal("slices: indices ", indices.TypeAndShape(), ", values ", rows.TypeAndShape());
    }
    for (int64_t row = 0; row < indices.num_elements(); ++row) {
      const int64_t begin = static_cast<int64_t>(ElementAsDouble(indices, row)) * width;
      for (int64_t i = 0; i < width; ++i)
        flat[static_cast<size_t>(begin + i)] += ElementAsDouble(rows, row * width + i);
    }
  }
  return flat;
}

Result<double> Objective(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs,
                         const std::vector<Tensor>& weights) {
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, EvaluateOp(block.op, inputs, attrs));
  double sum = 0;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!weights[o].valid()) continue;
    for (int64_t i = 0; i < outputs[o].num_elements(); ++i) {
      sum += ElementAsDouble(outputs[o], i) * ElementAsDouble(weights[o], i);
    }
  }
  return sum;
}

struct Steps {
  double step;
  double tolerance;
};

Steps StepsFor(DType dtype, double tolerance) {
  const Steps steps = dtype == DType::kDouble  ? Steps{1e-5, 1e-6}
                      : dtype == DType::kFloat ? Steps{1e-2, 1e-2}
                                               : Steps{0.1, 0.1};
  return {steps.step, tolerance > 0 ? tolerance : steps.tolerance};
}

Status CheckInput(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs,
                  const std::vector<Tensor>& weights, size_t which, const std::vector<double>& gradient) {
  const Steps steps = StepsFor(inputs[which].dtype(), block.tolerance);
  std::vector<Tensor> moved = inputs;
  for (int64_t i = 0; i < inputs[which].num_elements(); ++i) {
    const double center = ElementAsDouble(inputs[which], i);
    double ends[2];
    double width = 0;
    for (int side = 0; side < 2; ++side) {
      HR_ASSIGN_OR_RETURN(moved[which], inputs[which].Clone());
      SetElement(moved[which], i, center + (side == 0 ? -steps.step : steps.step));
      width += (side == 0 ? -1 : 1) * ElementAsDouble(moved[which], i);
      HR_ASSIGN_OR_RETURN(ends[side], Objective(block, moved, attrs, weights));
    }
    const double expected = (ends[1] - ends[0]) / width;
    const double actual = gradient[static_cast<size_t>(i)];
    if (!(std::abs(actual - expected) <= steps.tolerance * std::max(1.0, std::abs(expected)))) {
      return Internal("gradient of input ", which, " element ", i, ": got ", actual, ", differences give ", expected);
    }
  }
  return OkStatus();
}

}  // namespace

Status CheckGradient(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs, Random& random) {
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, EvaluateOp(block.op, inputs, attrs));
  std::vector<Tensor> weights;
  for (const Tensor& output : outputs) {
    if (!IsFloating(output.dtype())) {
      weights.emplace_back();
      continue;
    }
    const std::string text = StrCat(DTypeShortName(output.dtype()), output.shape(), " = random(0.5,1.5)");
    HR_ASSIGN_OR_RETURN(Tensor weight, ParseTensor(text, random));
    weights.push_back(std::move(weight));
  }
  int checked = 0;
  for (const bool constant : {true, false}) {
    GradientGraph made;
    HR_RETURN_IF_ERROR(Build(block, inputs, attrs, weights, constant, &made));
    HR_ASSIGN_OR_RETURN(Values values, EvaluateGraph(made, inputs));
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!IsFloating(inputs[i].dtype()) || !made.gradients[i].exists()) continue;
      HR_ASSIGN_OR_RETURN(std::vector<double> flat, Flatten(made.gradients[i], values, inputs[i]));
      const Status same = CheckInput(block, inputs, attrs, weights, i, flat);
      if (!same.ok()) return same.WithFrame(constant ? "with constant inputs" : "with placeholders");
      ++checked;
    }
  }
  return checked > 0 ? OkStatus() : Internal("no input has a gradient");
}

}  // namespace headrace::cases
