// Copies a function's body into the graph that calls the function.
#pragma once

#include <string>
#include <vector>

#include "graph/import.h"

namespace headrace {

/// Where a body's copy goes, and what it is connected to.
struct BodyPlace {
  std::string prefix;               // of the nodes' names, and of the frames of loops in the body
  std::string device;               // completes what the nodes ask for
  std::vector<Endpoint> arguments;  // what stands for each; may be empty for one that nothing reads
  std::vector<bool> gating;         // by argument: what reads it runs exactly when the body is to run
  std::vector<Node*> gate;          // what those nodes wait for that no gating argument reaches; may be empty
  bool repeats = false;             // it is the body of a loop
};

struct InlinedBody {
  std::vector<Endpoint> results;
  /// What has to have run besides for the call to be done: nodes with side effects that no result (other than handles, lists and
  /// datasets) waits for. Where the body repeats and does more than read variables, all side effects
  /// and results: the next iteration has to come after them, and a result need not wait for another one's side effects.
  std::vector<Node*> ends;
};

/// A constant stays free of the gate where its readers are gated, so that it is still a constant to other passes. Shapes are inferred
/// anew; a node that does not accept its inputs' shapes is left for the step to report, as it may never run.
/// Errors: those of Graph::AddNode.
Result<InlinedBody> InlineBody(const FunctionBody& body, const BodyPlace& place, Graph* graph);

}  // namespace headrace
