// Rewrites one node that calls functions into nodes that do the same without a call. lower_functions.h decides which and puts the
// outcome in the call's place.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace headrace {

struct LoweredCall {
  std::vector<Endpoint> outputs;  // what stands for each output of the call
  std::vector<Node*> ends;        // the call is done when these have run, too
};

/// Adds, named under the call and on its device where nothing else is asked for:
/// - for PartitionedCall the body;
/// - for If and Case a Switch of each operand, the branches, and a Merge of each result;
/// - for While a frame: Enter, Merge, `cond`, LoopCond, Switch, `body`, NextIteration and Exit for each variable; a variable that the
///   body returns unchanged only a constant Enter. Where the body has side effects an iteration begins when the one before is done.
/// Nothing of it runs before `gate`; all of it is dead where that is. The call stays, with nobody's reading changed.
/// Errors: kNotFound for an unknown function, kInvalidArgument for one that does not fit the call; after an error the graph is in an
/// unspecified state.
Result<LoweredCall> LowerCall(Graph* graph, const Node& call, const std::vector<Node*>& gate);

}  // namespace headrace
