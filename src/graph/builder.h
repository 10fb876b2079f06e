// GraphBuilder: adds nodes to a graph with types inferred and shapes checked, and remembers the first mistake, so that
// code which builds stays free of checks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// Decides a new node's device from its op and what the program asked for so far (the inner choice, may be empty).
using DeviceFunction = std::function<std::string(const std::string& op, const std::string& requested)>;

/// How the nodes of one call are named and placed.
struct HR_EXPORT NodeOptions {
  std::string name;  // empty: the op's name
  std::string device;
  std::vector<Node*> control_inputs;
  std::vector<std::string> colocate_with;  // node names: become the attribute `_class`
};

/// Copyable view of a graph with a name prefix, a device and control inputs. Not thread-safe. Once an error is stored in
/// `*status`, calls add nothing and return empty endpoints.
class HR_EXPORT GraphBuilder {
 public:
  /// Both outlive the builder.
  GraphBuilder(Graph* graph, Status* status) : graph_(graph), status_(status) {}

  Graph& graph() const { return *graph_; }
  const Status& status() const { return *status_; }
  void Fail(const Status& status) const { KeepRootCause(status_, status); }

  /// Adds a node; `inputs` are all its tensors in order. Types, counts and type lists are taken from the inputs, other missing
  /// attributes from their defaults. A node that uses a resource or ref asks for the device of that, whatever the scope says.
  /// Returns nullptr after an error.
  Node* AddNode(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs = {}, NodeOptions options = {}) const;
  /// The same, for the node's output `index`.
  Endpoint Op(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs = {}, int index = 0) const;
  Endpoint Const(const Tensor& value, std::string name = "Const") const;
  template <typename T> Endpoint Scalar(T value) const { return Const(Tensor::Scalar<T>(value)); }
  /// A scalar constant of the given (numeric) type.
  Endpoint ScalarOf(DType type, double value) const;

  GraphBuilder WithNamePrefix(std::string_view prefix) const;  // "a" then "b" gives "a/b/"
  GraphBuilder WithDevice(std::string device) const;           // merged with the outer one, the inner wins
  GraphBuilder WithDeviceFunction(DeviceFunction function) const;
  GraphBuilder WithControlInputs(std::vector<Node*> nodes) const;
  GraphBuilder ColocatedWith(const Node* node) const;
  /// The same graph without prefix, device, control inputs and colocation.
  GraphBuilder AtRoot() const { return GraphBuilder(graph_, status_); }
  const std::string& name_prefix() const { return prefix_; }

 private:
  Graph* graph_;
  Status* status_;
  std::string prefix_;
  std::string device_;
  std::vector<DeviceFunction> device_functions_;  // outermost first
  std::vector<Node*> control_inputs_;
  std::vector<std::string> colocate_with_;
};

}  // namespace headrace
