#include "graph/graph.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_set>

#include "base/check.h"
#include "graph/loop_frames.h"
#include "graph/node_error.h"

namespace headrace {

namespace {

// A ref output may feed a plain input, which then reads the variable; a ref input needs the variable itself.
bool MayFeed(DType output, DType input) { return output == input || (!IsRef(input) && RemoveRef(output) == input); }

Status CheckInput(const Node& node, int input, DType expected, const Endpoint& source) {
  if (source.index < 0 || source.index >= source.node->num_outputs()) {
    return InvalidArgument(node.op(), ": input ", input, " is output ", source.index, " of ", *source.node,
                           ", which has ", source.node->num_outputs(), " outputs");
  }
  if (MayFeed(source.dtype(), expected)) return OkStatus();
  return InvalidArgument(node.op(), ": input ", input, " was passed ", source.dtype(), " from ", source,
                         " incompatible with expected ", expected);
}

Status CheckInputs(const Node& node, const std::vector<Endpoint>& inputs) {
  const std::vector<DType>& types = node.input_types();
  if (types.size() != inputs.size()) {
    return InvalidArgument(node.op(), " expects ", types.size(), " inputs, got ", inputs.size(), ": ",
                           node.definition().signature());
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]) HR_RETURN_IF_ERROR(CheckInput(node, static_cast<int>(i), types[i], inputs[i]));
  }
  return OkStatus();
}

// Node `from` takes part in or depends on a cycle within `unfinished`: goes back along the edges until one comes again.
const Node* FindNodeOnCycle(const Node* from, const std::vector<int>& unfinished) {
  std::unordered_set<const Node*> seen;
  const auto blocks = [&unfinished](const Node* node) {
    return node != nullptr && !IsNextIteration(*node) && unfinished[static_cast<size_t>(node->id())] > 0;
  };
  while (seen.insert(from).second) {
    const Node* next = nullptr;
    for (const Endpoint& input : from->inputs()) {
      if (blocks(input.node)) next = input.node;
    }
    for (const Node* input : from->control_inputs()) {
      if (blocks(input)) next = input;
    }
    HR_CHECK(next != nullptr);
    from = next;
  }
  return from;
}

}  // namespace

DType Endpoint::dtype() const { return node->output_types()[static_cast<size_t>(index)]; }

const PartialShape& Endpoint::shape() const { return node->output_shapes()[static_cast<size_t>(index)]; }

std::string Endpoint::ToString() const { return node == nullptr ? "(nothing)" : StrCat(node->name(), ":", index); }

Status Graph::SetTypes(Node* node) {
  const OpSignature& signature = node->definition_->signature();
  HR_RETURN_IF_ERROR(CompleteAttrs(signature, &node->attrs_));
  HR_ASSIGN_OR_RETURN(node->input_types_, ArgTypes(signature.inputs, node->attrs_));
  HR_ASSIGN_OR_RETURN(node->output_types_, ArgTypes(signature.outputs, node->attrs_));
  node->output_shapes_.resize(node->output_types_.size());
  return OkStatus();
}

Result<Node*> Graph::AddNode(NodeSpec spec) {
  HR_CHECK(spec.definition != nullptr);
  if (spec.name.empty()) return InvalidArgument("A node of op ", spec.definition->name(), " has no name");
  const auto at = [&spec](const Status& status) { return AtNode(status, spec.name); };
  if (by_name_.contains(spec.name)) {
    return at(InvalidArgument("Node '", spec.name, "' (", spec.definition->name(), ") is already in the graph"));
  }
  auto node = std::make_unique<Node>();
  node->name_ = spec.name;
  node->definition_ = spec.definition;
  node->attrs_ = std::move(spec.attrs);
  if (Status status = SetTypes(node.get()); !status.ok()) return at(status);
  if (Status status = CheckInputs(*node, spec.inputs); !status.ok()) return at(status);
  node->inputs_ = std::move(spec.inputs);
  node->requested_device_ = std::move(spec.device);
  node->id_ = num_ids();
  Node* added = node.get();
  by_name_.emplace(node->name_, added);
  nodes_.push_back(std::move(node));
  ++num_nodes_;
  std::unordered_set<const Node*> seen;
  for (Node* control : spec.control_inputs) {
    if (seen.insert(control).second) added->control_inputs_.push_back(control);
  }
  return added;
}

void Graph::RemoveNode(Node* node) {
  by_name_.erase(node->name_);
  --num_nodes_;
  nodes_[static_cast<size_t>(node->id_)].reset();
}

Status Graph::SetInput(Node* node, int input, Endpoint source) {
  HR_CHECK(source && input >= 0 && input < node->num_inputs());
  const Status status = CheckInput(*node, input, node->input_types_[static_cast<size_t>(input)], source);
  if (!status.ok()) return AtNode(status, node->name());
  node->inputs_[static_cast<size_t>(input)] = source;
  return OkStatus();
}

Status Graph::ChangeNode(Node* node, AttrMap attrs, std::vector<Endpoint> inputs) {
  Node changed = *node;
  changed.attrs_ = std::move(attrs);
  if (Status status = SetTypes(&changed); !status.ok()) return AtNode(status, node->name());
  if (Status status = CheckInputs(changed, inputs); !status.ok()) return AtNode(status, node->name());
  const std::vector<DType>& before = node->output_types_;
  if (changed.output_types_.size() < before.size() ||
      !std::equal(before.begin(), before.end(), changed.output_types_.begin())) {
    return AtNode(InvalidArgument(*node, " cannot lose an output or change its type"), node->name());
  }
  changed.inputs_ = std::move(inputs);
  *node = std::move(changed);
  return OkStatus();
}

void Graph::AddControlInput(Node* node, Node* source) {
  auto& controls = node->control_inputs_;
  if (std::ranges::find(controls, source) == controls.end()) controls.push_back(source);
}

void Graph::RemoveControlInputs(Node* node) { node->control_inputs_.clear(); }

Node* Graph::Find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : found->second;
}

std::string Graph::UniqueName(std::string_view prefix) {
  std::string name(prefix);
  if (!by_name_.contains(name)) return name;
  int& counter = name_counters_[name];
  std::string candidate;
  do {
    candidate = StrCat(name, "_", ++counter);
  } while (by_name_.contains(candidate));
  return candidate;
}

std::vector<Node*> Graph::Nodes() const {
  std::vector<Node*> nodes;
  nodes.reserve(static_cast<size_t>(num_nodes_));
  for (const auto& node : nodes_) {
    if (node != nullptr) nodes.push_back(node.get());
  }
  return nodes;
}

std::vector<std::vector<Consumer>> Graph::Consumers() const {
  std::vector<std::vector<Consumer>> consumers(nodes_.size());
  for (const auto& node : nodes_) {
    if (node == nullptr) continue;
    for (int i = 0; i < node->num_inputs(); ++i) {
      const Endpoint& source = node->input(i);
      if (source) consumers[static_cast<size_t>(source.node->id())].push_back({node.get(), i, source.index});
    }
    for (const Node* control : node->control_inputs_) {
      consumers[static_cast<size_t>(control->id())].push_back({node.get(), -1, -1});
    }
  }
  return consumers;
}

// Of the nodes that are ready the one added first comes next: a graph that was built in order keeps its order.
Result<std::vector<Node*>> Graph::TopologicalOrder() const {
  std::vector<int> waiting(nodes_.size(), 0);
  const auto consumers = Consumers();
  for (const auto& node : nodes_) {
    if (node == nullptr || IsNextIteration(*node)) continue;
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      ++waiting[static_cast<size_t>(consumer.node->id())];
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (const auto& node : nodes_) {
    if (node != nullptr && waiting[static_cast<size_t>(node->id())] == 0) ready.push(node->id());
  }
  std::vector<Node*> order;
  order.reserve(static_cast<size_t>(num_nodes_));
  while (!ready.empty()) {
    Node* node = nodes_[static_cast<size_t>(ready.top())].get();
    ready.pop();
    order.push_back(node);
    if (IsNextIteration(*node)) continue;
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      if (--waiting[static_cast<size_t>(consumer.node->id())] == 0) ready.push(consumer.node->id());
    }
  }
  if (std::ssize(order) == num_nodes_) return order;
  const auto blocked = std::ranges::find_if(
      nodes_, [&waiting](const auto& node) { return node != nullptr && waiting[static_cast<size_t>(node->id())] > 0; });
  const Node* culprit = FindNodeOnCycle(blocked->get(), waiting);
  return AtNode(InvalidArgument("The graph has a cycle through ", *culprit), culprit->name());
}

Graph Graph::Clone() const {
  Graph copy;
  copy.nodes_.resize(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i] != nullptr) copy.nodes_[i] = std::make_unique<Node>(*nodes_[i]);
  }
  const auto moved = [&copy](const Node* node) {
    return node == nullptr ? nullptr : copy.nodes_[static_cast<size_t>(node->id())].get();
  };
  for (const auto& node : copy.nodes_) {
    if (node == nullptr) continue;
    for (Endpoint& input : node->inputs_) input.node = moved(input.node);
    for (Node*& control : node->control_inputs_) control = moved(control);
    copy.by_name_.emplace(node->name_, node.get());
  }
  copy.name_counters_ = name_counters_;
  copy.num_nodes_ = num_nodes_;
  copy.functions_ = functions_;
  copy.versions_ = versions_;
  return copy;
}

}  // namespace headrace
