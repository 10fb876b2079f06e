// See check_gradient.h.
#include "autodiff/check_gradient.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>

#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"
#include "kernel/evaluate.h"

namespace headrace {
namespace {

bool IsCheckable(DType type) { return type == DType::kFloat || type == DType::kDouble; }

double Element(const Tensor& tensor, int64_t i) {
  const size_t at = static_cast<size_t>(i);
  return tensor.dtype() == DType::kDouble ? tensor.data<double>()[at] : static_cast<double>(tensor.data<float>()[at]);
}

void SetElement(Tensor* tensor, int64_t i, double value) {
  const size_t at = static_cast<size_t>(i);
  if (tensor->dtype() == DType::kDouble) {
    tensor->mutable_data<double>()[at] = value;
  } else {
    tensor->mutable_data<float>()[at] = static_cast<float>(value);
  }
}

// The nodes that `fetches` need, inputs first. Iterative, as graphs may be deep.
std::vector<Node*> NeededInOrder(const std::vector<Endpoint>& fetches,
                                 const std::map<std::pair<int, int>, Tensor>& known) {
  std::vector<Node*> order;
  std::map<Node*, size_t> next_input;  // of the nodes begun
  std::vector<Node*> stack;
  const auto begin = [&](const Endpoint& endpoint) {
    if (known.contains({endpoint.node->id(), endpoint.index}) || next_input.contains(endpoint.node)) return;
    next_input[endpoint.node] = 0;
    stack.push_back(endpoint.node);
  };
  for (const Endpoint& fetch : fetches) {
    begin(fetch);
    while (!stack.empty()) {
      Node* node = stack.back();
      size_t& next = next_input[node];
      if (next < node->inputs().size()) {
        begin(node->inputs()[next++]);
      } else {
        order.push_back(node);
        stack.pop_back();
      }
    }
  }
  return order;
}

// One op under test: its node, what is fed, and the weighted sum of its outputs.
class Check {
 public:
  Check(const std::vector<Tensor>& inputs, const GradientCheckOptions& options)
      : inputs_(inputs), options_(options), builder_(&graph_, &status_), random_(options.seed) {}

  Status Build(std::string_view op, const AttrMap& attrs);
  Status CompareAll();

 private:
  Status Compare(int input, const Tensor& gradient);
  Result<double> WeightedSum() const;
  std::vector<FedTensor> Feeds() const;
  double StepFor(DType type) const { return options_.step > 0 ? options_.step : type == DType::kDouble ? 1e-3 : 1e-2; }
  double ToleranceFor(DType type) const {
    return options_.tolerance > 0 ? options_.tolerance : type == DType::kDouble ? 1e-5 : 1e-2;
  }

  std::vector<Tensor> inputs_;
  const GradientCheckOptions& options_;
  Graph graph_;
  Status status_;
  GraphBuilder builder_;
  std::mt19937_64 random_;
  std::vector<Endpoint> fed_;
  std::vector<Endpoint> ys_;
  std::vector<Tensor> weights_;
  std::vector<Endpoint> gradients_;  // empty where there is none
  std::vector<FedTensor> weight_feeds_;
};

std::vector<FedTensor> Check::Feeds() const {
  std::vector<FedTensor> feeds = weight_feeds_;
  for (size_t i = 0; i < fed_.size(); ++i) feeds.push_back({fed_[i], inputs_[i]});
  return feeds;
}

Status Check::Build(std::string_view op, const AttrMap& attrs) {
  for (const Tensor& input : inputs_) {
    // Integers often give axes and shapes: the shape function should see them.
    fed_.push_back(
        IsCheckable(input.dtype())
            ? builder_.Op("Placeholder", {}, {{"dtype", input.dtype()}, {"shape", PartialShape(input.shape())}})
            : builder_.Const(input));
  }
  Node* node = builder_.AddNode(op, fed_, attrs);
  HR_RETURN_IF_ERROR(builder_.status());
  std::vector<Endpoint> grad_ys;
  std::uniform_real_distribution<double> uniform(0.5, 1.5);
  for (int i = 0; i < node->num_outputs(); ++i) {
    const Endpoint y{node, i};
    if (!IsCheckable(y.dtype())) continue;
    HR_ASSIGN_OR_RETURN(const std::vector<Tensor> value, EvaluateEndpoints({y}, Feeds()));
    HR_ASSIGN_OR_RETURN(Tensor weight, Tensor::Allocate(y.dtype(), value[0].shape()));
    for (int64_t j = 0; j < weight.num_elements(); ++j) SetElement(&weight, j, uniform(random_));
    ys_.push_back(y);
    grad_ys.push_back(builder_.Op("Placeholder", {}, {{"dtype", y.dtype()}, {"shape", PartialShape(weight.shape())}}));
    weight_feeds_.push_back({grad_ys.back(), weight});
    weights_.push_back(std::move(weight));
  }
  if (ys_.empty()) return InvalidArgument("CheckGradient: ", op, " has no output of type f32 or f64");
  std::vector<Endpoint> xs;
  for (const Endpoint& x : fed_) {
    if (IsCheckable(x.dtype())) xs.push_back(x);
  }
  HR_ASSIGN_OR_RETURN(const std::vector<Gradient> gradients, AddGradients(builder_, ys_, xs, grad_ys));
  size_t next = 0;
  for (const Endpoint& x : fed_)
    gradients_.push_back(IsCheckable(x.dtype()) ? ToDense(builder_, gradients[next++]) : Endpoint{});
  return builder_.status();
}

Result<double> Check::WeightedSum() const {
  HR_ASSIGN_OR_RETURN(const std::vector<Tensor> values, EvaluateEndpoints(ys_, Feeds()));
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i].shape() == weights_[i].shape()))
      return Internal("CheckGradient: the output's shape depends on the input's values");
    for (int64_t j = 0; j < values[i].num_elements(); ++j) sum += Element(values[i], j) * Element(weights_[i], j);
  }
  return sum;
}

Status Check::Compare(int input, const Tensor& gradient) {
  Tensor& x = inputs_[static_cast<size_t>(input)];
  if (!(gradient.shape() == x.shape())) {
    return Internal("CheckGradient: input ", input, "=", x, " has a gradient of another shape: ", gradient);
  }
  const Tensor original = x;
  const double step = StepFor(x.dtype());
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    double sums[2];
    for (int side = 0; side < 2; ++side) {
      HR_ASSIGN_OR_RETURN(x, original.Clone());
      SetElement(&x, i, Element(original, i) + (side == 0 ? -step : step));
      HR_ASSIGN_OR_RETURN(sums[side], WeightedSum());
    }
    const double expected = (sums[1] - sums[0]) / (2 * step), actual = Element(gradient, i);
    if (std::abs(expected - actual) <= ToleranceFor(x.dtype()) * std::max(1.0, std::abs(expected))) continue;
    return Internal("CheckGradient: input ", input, "=", original, " element ", i, ": the gradient is ", actual,
                    ", the finite difference ", expected);
  }
  x = original;
  return OkStatus();
}

Status Check::CompareAll() {
  bool any = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const bool named = std::ranges::find(options_.inputs, static_cast<int>(i)) != options_.inputs.end();
    if (!options_.inputs.empty() && !named) continue;
    if (!gradients_[i]) {
      if (named) return Internal("CheckGradient: input ", i, " has no gradient");
      continue;
    }
    HR_ASSIGN_OR_RETURN(const std::vector<Tensor> gradient, EvaluateEndpoints({gradients_[i]}, Feeds()));
    HR_RETURN_IF_ERROR(Compare(static_cast<int>(i), gradient[0]));
    any = true;
  }
  return any ? OkStatus() : Internal("CheckGradient: no input has a gradient");
}

}  // namespace

Result<std::vector<Tensor>> EvaluateEndpoints(const std::vector<Endpoint>& fetches,
                                              const std::vector<FedTensor>& feeds) {
  std::map<std::pair<int, int>, Tensor> known;
  for (const FedTensor& feed : feeds) known[{feed.endpoint.node->id(), feed.endpoint.index}] = feed.value;
  ResourceManager resources;
  for (const Node* node : NeededInOrder(fetches, known)) {
    std::vector<Tensor> inputs;
    for (const Endpoint& input : node->inputs()) inputs.push_back(known.at({input.node->id(), input.index}));
    HR_ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                        EvaluateOp(node->op(), std::move(inputs), node->attrs(), &resources));
    for (size_t i = 0; i < outputs.size(); ++i)
      known.try_emplace({node->id(), static_cast<int>(i)}, std::move(outputs[i]));
  }
  std::vector<Tensor> results;
  for (const Endpoint& fetch : fetches) results.push_back(known.at({fetch.node->id(), fetch.index}));
  return results;
}

Status CheckGradient(std::string_view op, const std::vector<Tensor>& inputs, const AttrMap& attrs,
                     const GradientCheckOptions& options) {
  Check check(inputs, options);
  HR_RETURN_IF_ERROR(check.Build(op, attrs));
  return check.CompareAll();
}

}  // namespace headrace
