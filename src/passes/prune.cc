// See prune.h. The wording of errors is TensorFlow's, which clients and tests match.
#include "passes/prune.h"

#include <set>
#include <utility>

#include "passes/tensor_name.h"

namespace headrace {
namespace {

bool IsPlaceholder(const Node& node) { return node.op() == "Placeholder" || node.op() == "PlaceholderV2"; }

Status CheckNoOverlap(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches) {
  std::set<std::string> fed;
  for (const std::string& feed : feeds) {
    const std::optional<TensorName> name = TensorName::Parse(feed);
    if (!fed.insert(name ? name->ToString() : feed).second)
      return InvalidArgument("Endpoint \"", feed, "\" fed more than once.");
  }
  for (const std::string& fetch : fetches) {
    const std::optional<TensorName> name = TensorName::Parse(fetch);
    if (fed.contains(name ? name->ToString() : fetch)) return InvalidArgument(fetch, " is both fed and fetched.");
  }
  return OkStatus();
}

class Pruner {
 public:
  Pruner(Graph* graph, const ClientEnds& ends) : graph_(graph), ends_(ends), consumers_(graph->Consumers()) {}

  Status Feed(const std::string& feed, int index);
  Status Fetch(const std::string& fetch, int index);
  void Target(const std::string& target, std::vector<std::string>* missing);
  void RemoveUnneeded();

 private:
  Result<Node*> AddEnd(const std::string& what, const std::string& kind, const Endpoint& endpoint, int index);
  AttrMap ClientAttrs(const std::string& tensor_name) const;

  Graph* graph_;
  const ClientEnds& ends_;
  const std::vector<std::vector<Consumer>> consumers_;  // of the graph as it was
  std::vector<Node*> roots_;
  std::set<std::string> sent_;
};

AttrMap Pruner::ClientAttrs(const std::string& tensor_name) const {
  return {{"tensor_name", tensor_name},
          {"send_device", ends_.client_device},
          {"send_device_incarnation", static_cast<int64_t>(ends_.client_incarnation)},
          {"recv_device", ends_.client_device},
          {"client_terminated", true}};
}

// Adds the end for `endpoint`; `kind` is "recv" or "send".
Result<Node*> Pruner::AddEnd(const std::string& what, const std::string& kind, const Endpoint& endpoint, int index) {
  const bool enters = kind == "recv";
  NodeSpec spec;
  if (ends_.local) {
    spec.attrs = {{"index", index}};
  } else {
    spec.attrs = ClientAttrs(what);
  }
  const std::string_view op = ends_.local ? (enters ? "_Arg" : "_Retval") : (enters ? "_Recv" : "_Send");
  spec.attrs[enters && !ends_.local ? "tensor_type" : "T"] = RemoveRef(endpoint.dtype());
  HR_ASSIGN_OR_RETURN(spec.definition, OpRegistry::Global().Lookup(op));
  const std::string prefix = ends_.local ? (enters ? "_arg_" : "_retval_") : StrCat("_", kind, "_");
  spec.name = graph_->UniqueName(StrCat(prefix, endpoint.node->name(), "_", endpoint.index));
  spec.device = ends_.client_device;
  if (!enters) spec.inputs = {endpoint};
  HR_ASSIGN_OR_RETURN(Node * node, graph_->AddNode(std::move(spec)));
  node->set_assigned_device(ends_.client_device);
  return node;
}

Status Pruner::Feed(const std::string& feed, int index) {
  const std::optional<TensorName> name = TensorName::Parse(feed);
  Node* node = name ? graph_->Find(name->node) : nullptr;
  const bool is_end = node != nullptr && static_cast<size_t>(node->id()) >= consumers_.size();  // added by this pass
  if (node == nullptr || is_end) return NotFound("FeedInputs: unable to find feed output ", feed);
  if (name->index >= node->num_outputs()) {
    return InvalidArgument("FeedInputs: ", feed, " should have output index < ", node->num_outputs());
  }
  const Endpoint fed{node, name->index};
  HR_ASSIGN_OR_RETURN(Node * replacement, AddEnd(feed, "recv", fed, index));
  for (const Consumer& consumer : consumers_[static_cast<size_t>(node->id())]) {
    if (consumer.input >= 0 && consumer.output_index == name->index) {
      HR_RETURN_IF_ERROR(graph_->SetInput(consumer.node, consumer.input, Endpoint{replacement, 0}));
    } else if (consumer.input < 0 && IsPlaceholder(*node)) {
      const std::vector<Node*> before = consumer.node->control_inputs();
      graph_->RemoveControlInputs(consumer.node);
      for (Node* source : before) graph_->AddControlInput(consumer.node, source == node ? replacement : source);
    }
  }
  return OkStatus();
}

Status Pruner::Fetch(const std::string& fetch, int index) {
  const std::optional<TensorName> name = TensorName::Parse(fetch);
  Node* node = name ? graph_->Find(name->node) : nullptr;
  if (node == nullptr) return NotFound("FetchOutputs node ", fetch, ": not found");
  if (node->num_outputs() == 0) {
    return InvalidArgument("Tried to fetch data for '", fetch,
                           "', which produces no output.  To run to a node but not fetch any ", "data, pass '", fetch,
                           "' as an argument to the 'target_node_names' argument of the Session::Run API.");
  }
  if (name->index >= node->num_outputs()) {
    return InvalidArgument("FetchOutputs ", fetch, ": output index too large, must be < ", node->num_outputs());
  }
  // One send serves a text fetched twice.
  if (!ends_.local && !sent_.insert(fetch).second) return OkStatus();
  HR_ASSIGN_OR_RETURN(Node * end, AddEnd(fetch, "send", Endpoint{node, name->index}, index));
  roots_.push_back(end);
  return OkStatus();
}

void Pruner::Target(const std::string& target, std::vector<std::string>* missing) {
  Node* node = graph_->Find(target);
  if (node == nullptr) {
    missing->push_back(target);
  } else {
    roots_.push_back(node);
  }
}

void Pruner::RemoveUnneeded() {
  std::vector<bool> needed(static_cast<size_t>(graph_->num_ids()), false);
  std::vector<Node*> pending;
  const auto need = [&](Node* node) {
    if (node == nullptr || needed[static_cast<size_t>(node->id())]) return;
    needed[static_cast<size_t>(node->id())] = true;
    pending.push_back(node);
  };
  for (Node* root : roots_) need(root);
  while (!pending.empty()) {
    Node* node = pending.back();
    pending.pop_back();
    for (const Endpoint& input : node->inputs()) need(input.node);
    for (Node* source : node->control_inputs()) need(source);
  }
  const std::vector<Node*> nodes = graph_->Nodes();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    if (!needed[static_cast<size_t>((*it)->id())]) graph_->RemoveNode(*it);
  }
}

}  // namespace

Status PruneToFetches(Graph* graph, const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                      const std::vector<std::string>& targets, const ClientEnds& ends) {
  if (fetches.empty() && targets.empty())
    return InvalidArgument("Must specify at least one target to fetch or execute.");
  HR_RETURN_IF_ERROR(CheckNoOverlap(feeds, fetches));
  Pruner pruner(graph, ends);
  for (size_t i = 0; i < feeds.size(); ++i) HR_RETURN_IF_ERROR(pruner.Feed(feeds[i], static_cast<int>(i)));
  for (size_t i = 0; i < fetches.size(); ++i) HR_RETURN_IF_ERROR(pruner.Fetch(fetches[i], static_cast<int>(i)));
  std::vector<std::string> missing;
  for (const std::string& target : targets) pruner.Target(target, &missing);
  if (!missing.empty()) return NotFound("PruneForTargets: Some target nodes not found: ", StrJoin(missing, " "));
  pruner.RemoveUnneeded();
  return OkStatus();
}

}  // namespace headrace
