// Frames go along the edges: nodes are visited inputs first, and the edges out of NextIteration, which close the loops, are
// checked at the end.
#include "graph/loop_frames.h"

#include <algorithm>
#include <map>
#include <utility>

namespace headrace {
namespace {

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph) {
    found_.frames.push_back({});
    found_.frame_of.assign(static_cast<size_t>(graph.num_ids()), 0);
    found_.output_frame.assign(static_cast<size_t>(graph.num_ids()), 0);
  }

  Result<LoopFrames> Run() {
    const std::vector<Node*> nodes = graph_.Nodes();
    const auto is_of_loops = [](const Node* node) { return IsEnter(*node) || IsExit(*node) || IsNextIteration(*node); };
    if (std::ranges::none_of(nodes, is_of_loops)) return std::move(found_);
    HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_.TopologicalOrder());
    for (const Node* node : order) HR_RETURN_IF_ERROR(Visit(*node));
    for (const Node* node : order) HR_RETURN_IF_ERROR(CheckBackEdges(*node));
    return std::move(found_);
  }

 private:
  Status Differ(const Node& node, const Node& a, const Node& b) const {
    const auto name = [this](const Node& source) -> const std::string& {
      return found_.frames[static_cast<size_t>(found_.OutputFrameOf(source))].name;
    };
    return InvalidArgument("{{node ", node.name(), "}} has inputs from different frames. The input {{node ", a.name(),
                           "}} is in frame '", name(a), "'. The input {{node ", b.name(), "}} is in frame '", name(b),
                           "'.");
  }

  Status Visit(const Node& node) {
    const Node* decides = nullptr;  // the input whose frame this node's is
    const auto meet = [&](const Node& source) -> Status {
      if (IsNextIteration(source) || IsFreeConstant(source)) return OkStatus();
      if (decides == nullptr) decides = &source;
      if (found_.OutputFrameOf(source) == found_.OutputFrameOf(*decides)) return OkStatus();
      return Differ(node, *decides, source);
    };
    for (const Endpoint& input : node.inputs()) HR_RETURN_IF_ERROR(meet(*input.node));
    for (const Node* source : node.control_inputs()) HR_RETURN_IF_ERROR(meet(*source));
    const int frame = decides == nullptr ? 0 : found_.OutputFrameOf(*decides);
    const auto id = static_cast<size_t>(node.id());
    found_.frame_of[id] = found_.output_frame[id] = frame;
    if (IsEnter(node)) return Enter(node, frame);
    if (frame == 0 && (IsExit(node) || IsNextIteration(node))) {
      return InvalidArgument(node.op(), ": {{node ", node.name(), "}} is outside of any loop");
    }
    if (IsExit(node)) found_.output_frame[id] = found_.frames[static_cast<size_t>(frame)].parent;
    return OkStatus();
  }

  Status Enter(const Node& node, int parent) {
    std::string name;
    HR_RETURN_IF_ERROR(node.GetAttr("frame_name", &name));
    const auto parallel = GetAttrOr<int64_t>(node.attrs(), "parallel_iterations", 10);
    if (parallel < 1) {
      return InvalidArgument(node.op(), ": parallel_iterations of {{node ", node.name(), "}} must be positive, it is ",
                             parallel);
    }
    const auto [entry, is_new] = by_name_.try_emplace({parent, name}, static_cast<int>(found_.frames.size()));
    if (is_new) {
      const int depth = found_.frames[static_cast<size_t>(parent)].depth + 1;
      if (depth > LoopFrames::kMaxDepth) {
        return InvalidArgument(node.op(), ": loops are nested over ", LoopFrames::kMaxDepth, " deep at {{node ",
                               node.name(), "}}");
      }
      found_.frames[static_cast<size_t>(parent)].children.push_back(entry->second);
      found_.frames.push_back({.parent = parent, .depth = depth, .name = name, .parallel_iterations = parallel});
    }
    LoopFrames::Frame& frame = found_.frames[static_cast<size_t>(entry->second)];
    if (frame.parallel_iterations != parallel) {
      return InvalidArgument(node.op(), ": {{node ", node.name(), "}} has parallel_iterations ", parallel,
                             ", another Enter of frame '", name, "' has ", frame.parallel_iterations);
    }
    ++frame.num_enters;
    found_.output_frame[static_cast<size_t>(node.id())] = entry->second;
    return OkStatus();
  }

  Status CheckBackEdges(const Node& node) const {
    const auto check = [&](const Node& source) -> Status {
      if (!IsNextIteration(source) || found_.OutputFrameOf(source) == found_.FrameOf(node)) return OkStatus();
      const auto is_other = [](const Endpoint& input) { return !IsNextIteration(*input.node); };
      const auto other = std::ranges::find_if(node.inputs(), is_other);
      return Differ(node, other == node.inputs().end() ? node : *other->node, source);
    };
    for (const Endpoint& input : node.inputs()) HR_RETURN_IF_ERROR(check(*input.node));
    for (const Node* source : node.control_inputs()) HR_RETURN_IF_ERROR(check(*source));
    return OkStatus();
  }

  const Graph& graph_;
  LoopFrames found_;
  std::map<std::pair<int, std::string>, int> by_name_;  // (parent, frame_name): the frame
};

}  // namespace

Result<LoopFrames> FindLoopFrames(const Graph& graph) { return Finder(graph).Run(); }

}  // namespace headrace
