// PyGraph: a graph as Python builds it. Each call either adds everything it should or raises and adds nothing that counts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert.h"
#include "graph/builder.h"

namespace headrace::python {

struct PyGraph {
  Graph graph;
  /// Of native code that runs on behalf of the program: where its nodes go.
  GraphBuilder Root() { return GraphBuilder(&graph, &status); }
  /// Runs `build(builder)` and throws what went wrong, as a mistake in the program.
  template <typename Build> auto Run(const Build& build) {
    status = OkStatus();
    return build(Root());
  }
  Status status;
};

/// Where nodes made by native code go: names, devices, control inputs, as they stand in the Python program.
struct Context {
  std::string prefix;
  nb::object device_function;  // (op, requested) -> device, or None
  std::vector<Node*> control_inputs;

  GraphBuilder In(PyGraph& graph) const;
};

void BindGraph(nb::module_& module);
void BindTraining(nb::module_& module);
void BindSession(nb::module_& module);
void BindCluster(nb::module_& module);
void BindFiles(nb::module_& module);
void BindHostFunctions(nb::module_& module);

}  // namespace headrace::python
