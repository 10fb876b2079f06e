// Where the nodes of v1 loops run when a graph is cut, and what says whether a loop goes on.
#pragma once

#include <string>
#include <vector>

#include "graph/loop_frames.h"

namespace headrace {

/// The nodes' assigned devices by node id, but that a loop's machinery stays with its values, so that a turn of the loop crosses
/// no border of its own: a Switch and an Exit go with their data input, an Enter and a NextIteration with their first consumer.
std::vector<std::string> DevicesWithLoopsTogether(const Graph& graph, const LoopFrames& loops);

/// By frame: the bool that is true as long as the loop goes on, which is what a switch of one of its merges reads (a LoopCond, where it
/// reads one); nothing where a frame has no such switch.
std::vector<Endpoint> LoopConditions(const Graph& graph, const LoopFrames& loops);

/// True for a merge that a value enters the loop by and comes back to.
bool IsLoopMerge(const Node& node);

}  // namespace headrace
