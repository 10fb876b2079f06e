// Graph: nodes with resolved edges, for building, rewriting and compiling. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/function_library.h"
#include "graph/node_def.h"
#include "graph/op_definition.h"

namespace headrace {

class Node;

/// One output of a node.
struct HR_EXPORT Endpoint {
  Node* node = nullptr;
  int index = 0;

  explicit operator bool() const { return node != nullptr; }
  DType dtype() const;
  const PartialShape& shape() const;
  /// "name:index".
  std::string ToString() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// A node of a Graph, which owns it. Edges are changed through the Graph.
class HR_EXPORT Node {
 public:
  int id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& op() const { return definition_->name(); }
  const OpDefinition& definition() const { return *definition_; }
  const AttrMap& attrs() const { return attrs_; }
  AttrMap& mutable_attrs() { return attrs_; }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  const std::vector<Endpoint>& inputs() const { return inputs_; }
  const Endpoint& input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  const std::vector<Node*>& control_inputs() const { return control_inputs_; }
  /// The types this node expects; a ref input has a ref type.
  const std::vector<DType>& input_types() const { return input_types_; }
  int num_outputs() const { return static_cast<int>(output_types_.size()); }
  const std::vector<DType>& output_types() const { return output_types_; }

  /// What the program asked for, and where the placer put the node (empty before).
  const std::string& requested_device() const { return requested_device_; }
  void set_requested_device(std::string device) { requested_device_ = std::move(device); }
  const std::string& assigned_device() const { return assigned_device_; }
  void set_assigned_device(std::string device) { assigned_device_ = std::move(device); }

  /// One for each output; of unknown rank until inferred.
  const std::vector<PartialShape>& output_shapes() const { return output_shapes_; }
  void set_output_shapes(std::vector<PartialShape> shapes) { output_shapes_ = std::move(shapes); }

  template <typename T> Status GetAttr(std::string_view name, T* value) const {
    return headrace::GetAttr(attrs_, name, value);
  }

  /// "node 'name' (Op)".
  std::string ToString() const { return StrCat("node '", name_, "' (", op(), ")"); }

 private:
  friend class Graph;
  int id_ = 0;
  std::string name_;
  const OpDefinition* definition_ = nullptr;
  AttrMap attrs_;
  std::vector<Endpoint> inputs_;
  std::vector<Node*> control_inputs_;
  std::vector<DType> input_types_;
  std::vector<DType> output_types_;
  std::string requested_device_;
  std::string assigned_device_;
  std::vector<PartialShape> output_shapes_;
};

/// Who consumes a node's outputs; made by Graph::Consumers and valid until the graph changes.
struct Consumer {
  Node* node;
  int input;         // of `node`; -1 for a control edge
  int output_index;  // of the producer; -1 for a control edge
};

/// Options of Graph::AddNode.
struct NodeSpec {
  std::string name;
  const OpDefinition* definition = nullptr;
  AttrMap attrs;
  std::vector<Endpoint> inputs;  // an Endpoint without node is filled in later by SetInput (loops, forward references)
  std::vector<Node*> control_inputs;
  std::string device;
};

class HR_EXPORT Graph {
 public:
  Graph() = default;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;

  /// Adds a node; completes its attributes and checks its inputs' number and types.
  /// Errors: kInvalidArgument for a taken name, a missing or ill-typed attribute, or inputs that do not fit the signature.
  Result<Node*> AddNode(NodeSpec spec);
  /// Removes the node. REQUIRES: no other node uses it.
  void RemoveNode(Node* node);
  /// Errors: kInvalidArgument when the types differ.
  Status SetInput(Node* node, int input, Endpoint source);
  /// Gives the node other attributes and inputs, and so further outputs behind those it has. The caller infers its shapes.
  /// Errors: as AddNode, the node then stays as it was; kInvalidArgument when an output it has would go or change its type.
  Status ChangeNode(Node* node, AttrMap attrs, std::vector<Endpoint> inputs);
  void AddControlInput(Node* node, Node* source);
  void RemoveControlInputs(Node* node);

  /// Returns the node, or nullptr.
  Node* Find(std::string_view name) const;
  /// Returns a name that no node has: `prefix`, or `prefix_1`, `prefix_2`, ...
  std::string UniqueName(std::string_view prefix);
  /// Nodes in the order they were added. Node ids are below num_ids(), and stay as nodes are removed.
  std::vector<Node*> Nodes() const;
  int num_nodes() const { return num_nodes_; }
  int num_ids() const { return static_cast<int>(nodes_.size()); }

  /// For each node id, the edges that leave it. One pass over the graph.
  std::vector<std::vector<Consumer>> Consumers() const;
  /// Nodes so that inputs come first; edges out of NextIteration are left out (loops).
  /// Errors: kInvalidArgument, naming a node on it, when there is another cycle.
  Result<std::vector<Node*>> TopologicalOrder() const;

  /// A deep copy that shares the function library's immutable functions. Node ids are kept.
  Graph Clone() const;

  FunctionLibrary& functions() { return functions_; }
  const FunctionLibrary& functions() const { return functions_; }
  GraphVersions& versions() { return versions_; }
  const GraphVersions& versions() const { return versions_; }

 private:
  /// Completes the attributes and takes the types of inputs and outputs from them.
  static Status SetTypes(Node* node);

  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::string, Node*> by_name_;
  std::unordered_map<std::string, int> name_counters_;
  int num_nodes_ = 0;
  FunctionLibrary functions_;
  GraphVersions versions_;
};

}  // namespace headrace
