// See colocation.h.
#include "passes/colocation.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "graph/function_ops.h"

namespace headrace {
namespace {

// Ops whose resource inputs are arguments of a function: the function's body finds its own way to the resource.
constexpr std::array<std::string_view, 12> kFreeResourceInputs = {
    "FilterDataset", "FlatMapDataset",       "GeneratorDataset", "InterleaveDataset",
    "MapDataset",    "OneShotIterator",      "ReduceDataset",    "RemoteCall",
    "ScanDataset",   "ParallelMapDatasetV2", "TakeWhileDataset", "ParallelInterleaveDatasetV4"};

bool HasFreeResourceInputs(const Node& node) {
  return std::ranges::find(kFreeResourceInputs, std::string_view(node.op())) != kFreeResourceInputs.end();
}

// Whether the node makes the state that its output is a reference or a handle to.
bool HoldsState(const Node& node) {
  const auto refers = [](DType type) { return IsRef(type) || type == DType::kResource; };
  return std::ranges::any_of(node.output_types(), refers) && std::ranges::none_of(node.input_types(), refers);
}

template <typename T> std::string Text(const std::optional<T>& value, std::string_view prefix) {
  if (!value) return std::string(prefix);
  return StrCat(prefix, *value);
}

Status Incompatible(std::string_view field, const std::string& a, const std::string& b) {
  return InvalidArgument("Cannot merge devices with incompatible ", field, ": '", a, "' and '", b, "'");
}

// What both ask for. With `relax_type`, a contradiction about type or number leaves that open.
Result<DeviceName> MergeWishes(const DeviceName& a, const DeviceName& b, bool relax_type) {
  if (a.job && b.job && a.job != b.job) return Incompatible("jobs", Text(a.job, "/job:"), Text(b.job, "/job:"));
  if (a.replica && b.replica && a.replica != b.replica) {
    return Incompatible("replicas", Text(a.replica, "/replica:"), Text(b.replica, "/replica:"));
  }
  if (a.task && b.task && a.task != b.task)
    return Incompatible("tasks", Text(a.task, "/task:"), Text(b.task, "/task:"));
  DeviceName merged = a.MergedWith(b);
  if (a.type && b.type && a.type != b.type) {
    if (!relax_type) return Incompatible("types", Text(a.type, "/device:"), Text(b.type, "/device:"));
    merged.type.reset();
    merged.id.reset();
  } else if (a.id && b.id && a.id != b.id) {
    if (!relax_type) return Incompatible("ids", Text(a.id, "id "), Text(b.id, "id "));
    merged.id.reset();
  }
  return merged;
}

}  // namespace

ColocationGroups::ColocationGroups(const Graph& graph)
    : graph_(graph), nodes_(graph.Nodes()), groups_(static_cast<size_t>(graph.num_ids())) {
  for (size_t i = 0; i < groups_.size(); ++i) groups_[i].parent = static_cast<int>(i);
}

int ColocationGroups::RootOf(int node_id) const {
  int id = node_id;
  while (groups_[static_cast<size_t>(id)].parent != id) {
    Group& group = groups_[static_cast<size_t>(id)];
    group.parent = groups_[static_cast<size_t>(group.parent)].parent;
    id = group.parent;
  }
  return id;
}

Status ColocationGroups::Build(bool allow_soft_placement, CallEdges call_edges) {
  HR_RETURN_IF_ERROR(ReadWishes());
  HR_RETURN_IF_ERROR(JoinEdges(allow_soft_placement, call_edges));
  return JoinClasses(allow_soft_placement);
}

Status ColocationGroups::ReadWishes() {
  for (const Node* node : nodes_) {
    const bool assigned = !node->assigned_device().empty();
    const std::string& text = assigned ? node->assigned_device() : node->requested_device();
    Result<DeviceName> wish = DeviceName::Parse(text);
    if (!wish.ok()) return InvalidArgument("Malformed device specification '", text, "' in node: ", node->name());
    Group& group = groups_[static_cast<size_t>(node->id())];
    group.wish = *std::move(wish);
    if (HoldsState(*node)) group.state_wish = group.wish;
  }
  return OkStatus();
}

Status ColocationGroups::JoinEdges(bool allow_soft_placement, CallEdges call_edges) {
  const auto is_free = [&](const Node& node) { return call_edges == CallEdges::kFree && IsFunctionCall(node.op()); };
  for (const Node* node : nodes_) {
    if (is_free(*node)) continue;
    const bool free_resources = HasFreeResourceInputs(*node);
    for (int i = 0; i < node->num_inputs(); ++i) {
      const Node* source = node->input(i).node;
      if (source == nullptr || is_free(*source)) continue;
      const DType type = node->input_types()[static_cast<size_t>(i)];
      const bool resource = type == DType::kResource && !free_resources;
      const bool variant = type == DType::kVariant;  // datasets and lists do not leave their process
      if (!IsRef(type) && !resource && !variant) continue;
      if (!variant) OverruleByState(source->id(), node->id());
      const Status joined = Join(source->id(), node->id(), allow_soft_placement);
      if (joined.ok()) continue;
      return InvalidArgument(
          "Nodes were connected by a reference or resource connection (requiring them to be on the same device), ",
          "but the two nodes were assigned two different devices: Cannot colocate nodes {{colocation_node ",
          source->name(), "}} and {{colocation_node ", node->name(), "}}: ", joined.message(), " [[{{node ",
          node->name(), "}}]]");
    }
  }
  return OkStatus();
}

Status ColocationGroups::JoinClasses(bool allow_soft_placement) {
  constexpr std::string_view kPrefix = "loc:@";
  std::unordered_map<std::string, const Node*> first_member;
  for (const Node* node : nodes_) {
    const auto found = node->attrs().find("_class");
    if (found == node->attrs().end()) continue;
    const auto* classes = found->second.As<std::vector<std::string>>();
    if (classes == nullptr)
      return InvalidArgument("Node ", node->name(), ": attribute _class is not a list of strings");
    for (const std::string& entry : *classes) {
      if (!entry.starts_with(kPrefix)) continue;
      const std::string name = entry.substr(kPrefix.size());
      const Node* named =
          graph_.Find(name);  // a node is in the group of its own name; one that does not exist is only a name
      const Node* member = first_member.try_emplace(name, named != nullptr ? named : node).first->second;
      const Status joined = Join(member->id(), node->id(), /*relax_type=*/false);
      if (joined.ok() || allow_soft_placement) continue;
      return InvalidArgument("Cannot colocate nodes {{colocation_node ", node->name(), "}} and {{colocation_node ",
                             member->name(), "}}: ", joined.message(), " [[{{node ", node->name(), "}}]]");
    }
  }
  return OkStatus();
}

void ColocationGroups::OverruleByState(int source, int user) {
  const DeviceName& place = groups_[static_cast<size_t>(RootOf(source))].state_wish;
  Group& group = groups_[static_cast<size_t>(RootOf(user))];
  if (!place.IsCompatibleWith(group.wish) && place.IsCompatibleWith(group.state_wish)) group.wish = place;
}

Status ColocationGroups::Join(int a, int b, bool relax_type) {
  int root = RootOf(a), other = RootOf(b);
  if (root == other) return OkStatus();
  if (groups_[static_cast<size_t>(root)].size < groups_[static_cast<size_t>(other)].size) std::swap(root, other);
  Group& kept = groups_[static_cast<size_t>(root)];
  Group& joined = groups_[static_cast<size_t>(other)];
  HR_ASSIGN_OR_RETURN(kept.wish, MergeWishes(kept.wish, joined.wish, relax_type));
  HR_ASSIGN_OR_RETURN(kept.state_wish, MergeWishes(kept.state_wish, joined.state_wish, relax_type));
  joined.parent = root;
  kept.size += joined.size;
  return OkStatus();
}

}  // namespace headrace
