// See inline_body.h. Nodes are copied inputs first; edges out of NextIteration are connected at the end.
#include "passes/inline_body.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "graph/device_name.h"
#include "graph/function_ops.h"
#include "graph/loop_frames.h"
#include "graph/shape_context.h"
#include "passes/condition_depth.h"

namespace headrace {
namespace {

bool IsEnd(const Node& node) { return node.op() == "_Arg" || node.op() == "_Retval"; }

/// Whether the node's running may be noticed by others, or depends on when it runs.
bool HasEffects(const Node& node) {
  return node.definition().signature().stateful || std::ranges::any_of(node.input_types(), IsRef);
}

bool OnlyReads(const Node& node) {
  static constexpr std::array<std::string_view, 5> kReads = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd",
                                                             "VarHandleOp", "VariableShape"};
  return std::ranges::find(kReads, node.op()) != kReads.end();
}

class Inliner {
 public:
  Inliner(const FunctionBody& body, const BodyPlace& place, Graph* graph)
      : body_(body),
        place_(place),
        graph_(graph),
        consumers_(body.graph.Consumers()),
        copies_(static_cast<size_t>(body.graph.num_ids())),
        argument_of_(copies_.size(), -1),
        is_free_(copies_.size(), false) {
    for (size_t i = 0; i < body.args.size(); ++i) {
      argument_of_[static_cast<size_t>(body.args[i]->id())] = static_cast<int>(i);
    }
  }

  Result<InlinedBody> Run() {
    HR_ASSIGN_OR_RETURN(order_, body_.graph.TopologicalOrder());
    for (const Node* node : order_) {
      if (!IsEnd(*node)) HR_RETURN_IF_ERROR(Copy(*node));
    }
    for (const Node* node : order_) {
      if (IsEnd(*node)) continue;
      HR_RETURN_IF_ERROR(CloseLoops(*node));
      RenameColocation(CopyOf(*node));
    }
    InlinedBody inlined;
    for (const Node* result : body_.results) inlined.results.push_back(Moved(result->input(0)));
    inlined.ends = FindEnds();
    return inlined;
  }

 private:
  Node*& CopyOf(const Node& node) { return copies_[static_cast<size_t>(node.id())]; }
  int ArgumentOf(const Node& node) const { return argument_of_[static_cast<size_t>(node.id())]; }
  /// Empty for the back edge of a loop whose NextIteration is not copied yet.
  Endpoint Moved(const Endpoint& source) {
    const int argument = ArgumentOf(*source.node);
    if (argument >= 0) return place_.arguments[static_cast<size_t>(argument)];
    return CopyOf(*source.node) == nullptr ? Endpoint{} : Endpoint{CopyOf(*source.node), source.index};
  }
  /// Whether a node that waits for this one runs only when the body does.
  bool Gates(const Node& source) {
    const int argument = ArgumentOf(source);
    if (argument >= 0) return place_.gating[static_cast<size_t>(argument)];
    return CopyOf(source) != nullptr && !is_free_[static_cast<size_t>(source.id())];
  }

  Status Copy(const Node& node);
  Status CloseLoops(const Node& node);
  void RenameColocation(Node* copy);
  bool MayStayFree(const Node& node) const;
  std::vector<Node*> FindEnds();

  const FunctionBody& body_;
  const BodyPlace& place_;
  Graph* const graph_;
  const std::vector<std::vector<Consumer>> consumers_;
  std::vector<Node*> order_;
  std::vector<Node*> copies_;                                  // by node id of the body
  std::vector<int> argument_of_;                               // by node id of the body; -1: none
  std::vector<bool> is_free_;                                  // by node id of the body: a constant without a gate
  std::unordered_map<std::string, const std::string*> names_;  // of the body: in the graph
};

// Not where a constant's being there says that something ran.
bool Inliner::MayStayFree(const Node& node) const {
  if (!IsFreeConstant(node)) return false;
  return std::ranges::none_of(consumers_[static_cast<size_t>(node.id())], [](const Consumer& consumer) {
    return IsEnd(*consumer.node) || IsMerge(*consumer.node) || IsEnter(*consumer.node) ||
           TakesFunctions(consumer.node->definition().signature());
  });
}

Status Inliner::Copy(const Node& node) {
  NodeSpec spec;
  spec.name = graph_->UniqueName(place_.prefix + node.name());
  spec.definition = &node.definition();
  spec.attrs = node.attrs();
  HR_ASSIGN_OR_RETURN(const DeviceName outer, DeviceName::Parse(place_.device));
  HR_ASSIGN_OR_RETURN(const DeviceName inner, DeviceName::Parse(node.requested_device()));
  spec.device = outer.MergedWith(inner).ToString();
  if (IsEnter(node)) spec.attrs["frame_name"] = place_.prefix + GetAttrOr<std::string>(node.attrs(), "frame_name", "");
  bool gated = false;
  for (const Endpoint& input : node.inputs()) {
    spec.inputs.push_back(Moved(input));
    gated = gated || Gates(*input.node);
  }
  for (const Node* source : node.control_inputs()) {
    if (ArgumentOf(*source) >= 0) {  // the gate waits for what the arguments wait for
      const Endpoint& argument = place_.arguments[static_cast<size_t>(ArgumentOf(*source))];
      if (place_.gate.empty() && argument) spec.control_inputs.push_back(argument.node);
    } else if (CopyOf(*source) != nullptr) {
      spec.control_inputs.push_back(CopyOf(*source));
      gated = gated || Gates(*source);
    }
  }
  if (!gated && MayStayFree(node)) {
    is_free_[static_cast<size_t>(node.id())] = true;
  } else if (!gated) {
    spec.control_inputs.insert(spec.control_inputs.end(), place_.gate.begin(), place_.gate.end());
  }
  HR_ASSIGN_OR_RETURN(Node * copy, graph_->AddNode(std::move(spec)));
  CopyOf(node) = copy;
  names_.emplace(node.name(), &copy->name());
  if (!InferShapes(copy).ok()) copy->set_output_shapes(std::vector<PartialShape>(copy->output_types().size()));
  return OkStatus();
}

Status Inliner::CloseLoops(const Node& node) {
  Node* copy = CopyOf(node);
  for (int i = 0; i < node.num_inputs(); ++i) {
    if (!copy->input(i)) HR_RETURN_IF_ERROR(graph_->SetInput(copy, i, Moved(node.input(i))));
  }
  for (Node* source : node.control_inputs()) {
    if (CopyOf(*source) != nullptr) graph_->AddControlInput(copy, CopyOf(*source));
  }
  return OkStatus();
}

// In a body `_class` names nodes of the body, and arguments in the place of what is passed.
void Inliner::RenameColocation(Node* copy) {
  constexpr std::string_view kPrefix = "loc:@";
  const auto found = copy->attrs().find("_class");
  if (found == copy->attrs().end()) return;
  auto classes = GetAttrOr<std::vector<std::string>>(copy->attrs(), "_class", {});
  for (std::string& entry : classes) {
    if (!entry.starts_with(kPrefix)) continue;
    const std::string name = entry.substr(kPrefix.size());
    const auto renamed = names_.find(name);
    const Node* named = body_.graph.Find(name);
    const int argument = named == nullptr ? -1 : ArgumentOf(*named);
    if (renamed != names_.end()) {
      entry = StrCat(kPrefix, *renamed->second);
    } else if (argument >= 0 && place_.arguments[static_cast<size_t>(argument)]) {
      entry = StrCat(kPrefix, place_.arguments[static_cast<size_t>(argument)].node->name());
    }
  }
  copy->mutable_attrs()["_class"] = std::move(classes);
}

// From the last node to the first. That a Merge is done says nothing of what it did not wait for; what is inside of a condition or a
// loop of the body cannot be waited for outside of it.
std::vector<Node*> Inliner::FindEnds() {
  const auto writes = [](const Node* node) { return !IsEnd(*node) && HasEffects(*node) && !OnlyReads(*node); };
  if (place_.repeats && std::ranges::none_of(order_, writes)) return {};
  std::vector<bool> awaited(copies_.size(), false);
  const auto wait_for = [&](const Node* node) { awaited[static_cast<size_t>(node->id())] = true; };
  std::vector<bool> must_run(copies_.size(), false);
  for (const Node* node : body_.control_results) must_run[static_cast<size_t>(node->id())] = true;
  for (const Node* result : body_.results) {
    const Node* source = result->input(0).node;
    if (place_.repeats) {
      must_run[static_cast<size_t>(source->id())] = true;
    } else if (!IsHandle(result->input_types()[0])) {
      wait_for(source);
    }
  }
  const std::vector<int> depths = ConditionDepths(body_.graph, order_);
  std::vector<Node*> ends;
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    const Node& node = **it;
    const auto id = static_cast<size_t>(node.id());
    if (IsEnd(node)) continue;
    if (!awaited[id] && depths[id] == 0 && (must_run[id] || HasEffects(node))) {
      ends.push_back(CopyOf(node));
      wait_for(&node);
    }
    if (!awaited[id] || IsMerge(node)) continue;
    for (const Endpoint& input : node.inputs()) wait_for(input.node);
    for (const Node* source : node.control_inputs()) wait_for(source);
  }
  return ends;
}

}  // namespace

Result<InlinedBody> InlineBody(const FunctionBody& body, const BodyPlace& place, Graph* graph) {
  return Inliner(body, place, graph).Run();
}

}  // namespace headrace
