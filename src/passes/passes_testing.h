// A few ops for the tests of this room: what passes look at is names, types, state and kernels, not what an op
// computes.
#pragma once

#include <string>
#include <vector>

#include "graph/builder.h"

namespace headrace {

/// Adds Const, Placeholder, Identity, IdentityN, AddV2, Shape, VariableV2, Assign, VarHandleOp, ReadVariableOp, GpuOnly, TestSum,
/// TestFail and the runtime's own ops to the global registry, once. CPU kernels exist for all but GpuOnly, GPU kernels
/// for AddV2, Const and GpuOnly; only those of TestSum (of f32 scalars) and TestFail are ever run.
void RegisterPassTestOps();

/// A graph with a builder, for a test.
struct PassTestGraph {
  PassTestGraph();
  /// A placeholder of type f32.
  Endpoint Input(const std::string& name, const std::string& device = "");
  Endpoint Add(const std::string& name, Endpoint x, Endpoint y, const std::string& device = "");
  /// Any op, fully specified.
  Node* AddNode(const std::string& op, const std::string& name, std::vector<Endpoint> inputs = {}, AttrMap attrs = {},
                const std::string& device = "", std::vector<Node*> control = {});

  Graph graph;
  Status status;
  GraphBuilder builder{&graph, &status};
};

}  // namespace headrace
