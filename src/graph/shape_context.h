// ShapeContext: what a shape function sees and says. InferShapes runs it for one node.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// Lives for one call. Getters of attributes assume that the node passed CompleteAttrs.
class HR_EXPORT ShapeContext {
 public:
  explicit ShapeContext(const Node& node) : node_(node), outputs_(static_cast<size_t>(node.num_outputs())) {}

  const Node& node() const { return node_; }
  int num_inputs() const { return node_.num_inputs(); }
  int num_outputs() const { return node_.num_outputs(); }
  const PartialShape& input(int i) const { return node_.input(i).shape(); }
  DType input_type(int i) const { return RemoveRef(node_.input_types()[static_cast<size_t>(i)]); }
  /// Returns the input's value where it is known while building (it comes from a Const), or nullptr.
  const Tensor* constant(int i) const;
  /// Reads a shape given as an i32 or i64 vector input: its value where constant (-1 meaning unknown), else a shape of the
  /// right rank where that is known. Errors: kInvalidArgument for values below -1.
  Result<PartialShape> ShapeFromInput(int i) const;

  template <typename T> T attr(std::string_view name, T fallback = T()) const {
    return GetAttrOr<T>(node_.attrs(), name, fallback);
  }

  Status SetOutput(int i, PartialShape shape) {
    outputs_[static_cast<size_t>(i)] = std::move(shape);
    return OkStatus();
  }
  /// Errors: kInvalidArgument, naming the node and the shape, unless input i has (or may have) that rank.
  Status RequireRank(int i, int rank) const;
  Status RequireRankAtLeast(int i, int rank) const;
  Status RequireScalar(int i) const { return RequireRank(i, 0); }
  /// The input's shape with at least its rank known to be `rank`.
  Result<PartialShape> InputOfRank(int i, int rank) const;

  std::vector<PartialShape> TakeOutputs() { return std::move(outputs_); }

 private:
  const Node& node_;
  std::vector<PartialShape> outputs_;
};

/// The broadcast of two shapes as numpy does it. Errors: kInvalidArgument when they do not fit.
HR_EXPORT Result<PartialShape> BroadcastShapes(const PartialShape& a, const PartialShape& b);

// Shape functions that many ops share.
HR_EXPORT Status UnchangedShape(ShapeContext& c);        // output 0 has the shape of input 0
HR_EXPORT Status ScalarShape(ShapeContext& c);           // every output is a scalar
HR_EXPORT Status UnknownShape(ShapeContext& c);          // nothing is known
HR_EXPORT Status NoOutputs(ShapeContext& c);             // for ops without outputs
HR_EXPORT Status BroadcastBinaryShape(ShapeContext& c);  // output 0 is the broadcast of inputs 0 and 1

/// Runs the op's shape function and stores the result in the node. Errors: the function's, with the node's name.
HR_EXPORT Status InferShapes(Node* node);

}  // namespace headrace
