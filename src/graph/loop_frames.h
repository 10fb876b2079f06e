// LoopFrames: which frame of a v1 loop (Enter ... Exit) each node of a graph runs in. It is known without running: a frame is
// an Enter's `frame_name` inside the frame that the Enter itself runs in.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

inline bool IsEnter(const Node& node) { return node.op() == "Enter" || node.op() == "RefEnter"; }
inline bool IsExit(const Node& node) { return node.op() == "Exit" || node.op() == "RefExit"; }
inline bool IsNextIteration(const Node& node) {
  return node.op() == "NextIteration" || node.op() == "RefNextIteration";
}
inline bool IsMerge(const Node& node) { return node.op() == "Merge" || node.op() == "RefMerge"; }
inline bool IsSwitch(const Node& node) {
  return node.op() == "Switch" || node.op() == "RefSwitch" || node.op() == "_SwitchN";
}
/// A constant that waits for nothing is there in every frame.
inline bool IsFreeConstant(const Node& node) { return node.op() == "Const" && node.control_inputs().empty(); }

struct HR_EXPORT LoopFrames {
  struct Frame {
    int parent = -1;
    int depth = 0;
    std::string name;
    int64_t parallel_iterations = 0;
    int num_enters = 0;
    std::vector<int> children = {};
  };
  static constexpr int kMaxDepth = 64;

  std::vector<Frame> frames;      // parents first; 0 is the graph outside of loops
  std::vector<int> frame_of;      // by node id: where the node runs (an Enter outside, an Exit inside)
  std::vector<int> output_frame;  // by node id: where its outputs go (of an Enter inside, of an Exit outside)

  bool has_loops() const { return frames.size() > 1; }
  int FrameOf(const Node& node) const { return frame_of[static_cast<size_t>(node.id())]; }
  int OutputFrameOf(const Node& node) const { return output_frame[static_cast<size_t>(node.id())]; }
};

/// Errors: kInvalidArgument for a node whose inputs are of different frames, an Exit or NextIteration outside of loops, frames
/// nested deeper than kMaxDepth, Enters of one frame that disagree about `parallel_iterations`, and cycles.
HR_EXPORT Result<LoopFrames> FindLoopFrames(const Graph& graph);

}  // namespace headrace
