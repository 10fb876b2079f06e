// GradientContext: what an op's gradient function sees. It builds nodes that compute the gradients of the op's inputs.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "graph/builder.h"

namespace headrace {

/// Rows `values` of a gradient of shape `dense_shape` that is zero elsewhere; `indices` may repeat (then rows add up).
struct HR_EXPORT IndexedSlices {
  Endpoint indices;      // i32 or i64, rank 1
  Endpoint values;       // [number of indices, ...]
  Endpoint dense_shape;  // i32 or i64 vector; may be empty when unknown
};

/// A gradient: none, a tensor, or rows of one.
class HR_EXPORT Gradient {
 public:
  Gradient() = default;
  Gradient(Endpoint dense) : value_(dense) {}                    // NOLINT: implicit
  Gradient(IndexedSlices slices) : value_(std::move(slices)) {}  // NOLINT: implicit
  bool exists() const { return !std::holds_alternative<std::monostate>(value_); }
  const Endpoint* dense() const { return std::get_if<Endpoint>(&value_); }
  const IndexedSlices* slices() const { return std::get_if<IndexedSlices>(&value_); }

 private:
  std::variant<std::monostate, Endpoint, IndexedSlices> value_;
};

/// Lives for one call. An input whose gradient is not set has none.
class HR_EXPORT GradientContext {
 public:
  GradientContext(const GraphBuilder& builder, Node* node, std::vector<Gradient> output_gradients)
      : builder_(builder),
        node_(node),
        output_gradients_(std::move(output_gradients)),
        input_gradients_(static_cast<size_t>(node->num_inputs())) {}

  const GraphBuilder& builder() const { return builder_; }
  const Node& node() const { return *node_; }
  int num_inputs() const { return node_->num_inputs(); }
  Endpoint input(int i) const { return node_->input(i); }
  Endpoint output(int i) const { return Endpoint{node_, i}; }
  /// True when a gradient reaches output i.
  bool has_output_gradient(int i) const { return output_gradients_[static_cast<size_t>(i)].exists(); }
  /// The gradient of output i as a tensor: slices are made dense, a missing one is zeros.
  Endpoint output_gradient(int i) const;
  const Gradient& raw_output_gradient(int i) const { return output_gradients_[static_cast<size_t>(i)]; }

  template <typename T> T attr(std::string_view name, T fallback = T()) const {
    return GetAttrOr<T>(node_->attrs(), name, fallback);
  }

  /// Adds a node and returns its output 0 (see GraphBuilder::Op).
  Endpoint Op(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs = {}, int index = 0) const {
    return builder_.Op(op, std::move(inputs), std::move(attrs), index);
  }
  /// A scalar constant of input 0's type.
  Endpoint Scalar(double value) const { return builder_.ScalarOf(RemoveRef(node_->input(0).dtype()), value); }

  Status SetInputGradient(int i, Gradient gradient) {
    input_gradients_[static_cast<size_t>(i)] = gradient;
    return builder_.status();
  }
  std::vector<Gradient> TakeInputGradients() { return std::move(input_gradients_); }

 private:
  const GraphBuilder& builder_;
  Node* node_;
  std::vector<Gradient> output_gradients_;
  std::vector<Gradient> input_gradients_;
};

}  // namespace headrace
