// Lowering: replaces calls of functions whose work lies on several tasks by the nodes of the functions, which can be placed one by one.
//
// A call that stays is one node: the executor runs its function natively, within one task, which is faster than frames and switches.
// A call goes where one task cannot do it all: where the call itself, the state and lists that it is given (variables, queues, tables,
// iterators), and the devices that nodes of its functions ask for, in the functions that they call too, are not all in one task.
// A call that asks for no task counts as the local task's. TensorFlow's `_lower_using_switch_merge` is no reason: a client sets it
// on every call, and nothing but speed depends on it here. Functions of datasets and RemoteCall stay calls always.
#pragma once

#include "passes/place.h"

namespace headrace {

/// Replaces such calls among the nodes that are not placed yet, and those inside of them where they have to, before Place.
/// What takes a call's place has its name and its outputs (Identity, IdentityN, NoOp), so that it may be fetched, fed, waited for and
/// used by a later extension of the graph; it is done when all of the call is. Resources and variants pass it by: their consumers
/// read what is behind, and of the outputs there nothing but an empty handle can be fetched.
/// What has side effects runs when the call would have run it: after the call's inputs, in the taken branch only, one iteration after
/// the other. Of functions without side effects every node runs as soon as it can.
/// Errors: those of Place for devices and colocation; of InstantiateFunction; kInvalidArgument for functions that call each other
/// without end, or become more than a million nodes.
HR_EXPORT Status LowerFunctions(Graph* graph, const PlacementOptions& options);

}  // namespace headrace
