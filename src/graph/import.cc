// Import goes in three steps: names and references of the whole GraphDef are resolved, its nodes are ordered so that inputs come
// first, then each is added to the graph (which checks attributes, counts and types) and gets its shapes.
#include "graph/import.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <queue>
#include <unordered_map>

#include "base/checked_math.h"
#include "graph/device_name.h"
#include "graph/input_reference.h"
#include "graph/node_error.h"
#include "graph/shape_context.h"

namespace headrace {

namespace {

constexpr int kVersion = GraphVersions().producer;
constexpr int64_t kLargestElementBytes = 16;

bool IsNodeName(std::string_view name) {
  const auto legal = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_.-/>\\", c) != nullptr;
  };
  return !name.empty() && std::ranges::all_of(name, legal) && std::strchr("-/>\\", name[0]) == nullptr;
}

// Sizes in attributes may be unknown, never negative or such that a tensor of them could not exist.
Status CheckShape(std::string_view attr, const PartialShape& shape) {
  int64_t bytes = kLargestElementBytes;
  bool empty = false;
  for (const int64_t extent : shape.dims()) {
    if (extent < PartialShape::kUnknownDim) {
      return InvalidArgument("Attribute '", attr, "' has a negative extent: ", extent, " in ", shape);
    }
    empty |= extent == 0;
    if (extent <= 0) continue;
    const auto product = CheckedMultiply(bytes, extent);
    if (!product && !empty)
      return InvalidArgument("Attribute '", attr, "' has extents whose product overflows: ", shape);
    bytes = product.value_or(bytes);
  }
  return OkStatus();
}

Status CheckShapes(const AttrMap& attrs) {
  for (const auto& [name, value] : attrs) {
    if (const auto* shape = value.As<PartialShape>()) HR_RETURN_IF_ERROR(CheckShape(name, *shape));
    if (const auto* shapes = value.As<std::vector<PartialShape>>()) {
      for (const PartialShape& shape : *shapes) HR_RETURN_IF_ERROR(CheckShape(name, shape));
    }
  }
  return OkStatus();
}

Status CheckConst(const Node& node) {
  if (node.op() != "Const") return OkStatus();
  Tensor value;
  HR_RETURN_IF_ERROR(node.GetAttr("value", &value));
  if (value.dtype() == node.output_types()[0]) return OkStatus();
  return InvalidArgument("Const: the value ", value, " is not of dtype ", node.output_types()[0]);
}

Status CheckVersions(const GraphVersions& versions) {
  if (versions.producer < 0) return InvalidArgument("GraphDef producer version ", versions.producer, " is below 0");
  if (versions.min_consumer > kVersion) {
    return InvalidArgument("GraphDef min consumer version ", versions.min_consumer, " above current version ",
                           kVersion);
  }
  if (std::ranges::find(versions.bad_consumers, kVersion) != versions.bad_consumers.end()) {
    return InvalidArgument("GraphDef disallows consumer version ", kVersion);
  }
  return OkStatus();
}

// An input of a node of the GraphDef: another of its nodes, or one that the graph had before.
struct Source {
  int def = -1;
  Node* node = nullptr;
  int index = 0;
};

class Importer {
 public:
  Importer(const GraphDef& def, Graph* graph) : def_(def), graph_(*graph) {}

  Status Run() {
    HR_RETURN_IF_ERROR(ResolveNames());
    HR_RETURN_IF_ERROR(ResolveInputs());
    HR_ASSIGN_OR_RETURN(const std::vector<int> order, Order());
    added_.assign(def_.nodes.size(), nullptr);
    for (const int i : order) {
      const Status status = Add(i);
      if (!status.ok()) return AtNode(status, def_.nodes[static_cast<size_t>(i)].name);
    }
    return CloseLoops();
  }

  void Undo() {
    for (Node* node : added_) {
      if (node != nullptr) graph_.RemoveNode(node);
    }
  }

 private:
  const NodeDef& Def(int i) const { return def_.nodes[static_cast<size_t>(i)]; }

  Status ResolveNames();
  Status ResolveInputs();
  Result<Source> Resolve(const NodeDef& node, const InputReference& reference) const;
  Result<std::vector<int>> Order() const;
  Status CycleError(const std::vector<int>& waiting) const;
  Status Add(int i);
  Status CloseLoops();
  Node* NodeOf(const Source& source) const {
    return source.def < 0 ? source.node : added_[static_cast<size_t>(source.def)];
  }

  const GraphDef& def_;
  Graph& graph_;
  std::unordered_map<std::string_view, int> by_name_;
  std::vector<std::vector<Source>> inputs_;  // of each node of the GraphDef
  std::vector<std::vector<Source>> controls_;
  std::vector<Node*> added_;  // by index in the GraphDef; null until added
};

Status Importer::ResolveNames() {
  by_name_.reserve(def_.nodes.size());
  for (int i = 0; i < std::ssize(def_.nodes); ++i) {
    const std::string& name = Def(i).name;
    if (!IsNodeName(name))
      return AtNode(InvalidArgument("'", name, "' (", Def(i).op, ") is not a legal name of a node"), name);
    if (!by_name_.emplace(name, i).second)
      return AtNode(InvalidArgument("Node name '", name, "' occurs twice in the graph"), name);
    if (graph_.Find(name) != nullptr) return AtNode(InvalidArgument("Node '", name, "' is already in the graph"), name);
  }
  return OkStatus();
}

Result<Source> Importer::Resolve(const NodeDef& node, const InputReference& reference) const {
  if (const auto found = by_name_.find(reference.node); found != by_name_.end()) {
    return Source{.def = found->second, .node = nullptr, .index = reference.index};
  }
  if (Node* existing = graph_.Find(reference.node))
    return Source{.def = -1, .node = existing, .index = reference.index};
  return InvalidArgument("Node '", node.name, "' has an unknown input node '", reference.node, "'");
}

Status Importer::ResolveInputs() {
  inputs_.resize(def_.nodes.size());
  controls_.resize(def_.nodes.size());
  for (size_t i = 0; i < def_.nodes.size(); ++i) {
    const NodeDef& node = def_.nodes[i];
    for (const std::string& text : node.inputs) {
      Result<InputReference> reference = InputReference::Parse(text);
      if (!reference.ok()) return AtNode(reference.status(), node.name);
      if (!reference->control && !controls_[i].empty()) {
        return AtNode(InvalidArgument("Node '", node.name, "' has the data input '", text, "' after a control input"),
                      node.name);
      }
      Result<Source> source = Resolve(node, *reference);
      if (!source.ok()) return AtNode(source.status(), node.name);
      (reference->control ? controls_ : inputs_)[i].push_back(*source);
    }
  }
  return OkStatus();
}

// An edge out of it closes a loop.
bool IsBackEdge(const NodeDef& source) { return source.op == "NextIteration" || source.op == "RefNextIteration"; }

// Inputs first, else in the GraphDef's order; edges out of NextIteration close loops and do not count.
Result<std::vector<int>> Importer::Order() const {
  std::vector<std::vector<int>> consumers(def_.nodes.size());
  std::vector<int> waiting(def_.nodes.size(), 0);
  const auto count = [&](const std::vector<Source>& sources, size_t consumer) {
    for (const Source& source : sources) {
      if (source.def < 0 || IsBackEdge(Def(source.def))) continue;
      consumers[static_cast<size_t>(source.def)].push_back(static_cast<int>(consumer));
      ++waiting[consumer];
    }
  };
  for (size_t i = 0; i < def_.nodes.size(); ++i) {
    count(inputs_[i], i);
    count(controls_[i], i);
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  order.reserve(def_.nodes.size());
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const int consumer : consumers[static_cast<size_t>(order.back())]) {
      if (--waiting[static_cast<size_t>(consumer)] == 0) ready.push(consumer);
    }
  }
  if (order.size() == def_.nodes.size()) return order;
  return CycleError(waiting);
}

// Goes back from a node that waits along nodes that wait, until one comes again: that one is on a cycle.
Status Importer::CycleError(const std::vector<int>& waiting) const {
  std::vector<bool> seen(waiting.size(), false);
  auto at = std::ranges::find_if(waiting, [](int count) { return count > 0; }) - waiting.begin();
  while (!seen[static_cast<size_t>(at)]) {
    seen[static_cast<size_t>(at)] = true;
    for (const auto* sources : {&inputs_[static_cast<size_t>(at)], &controls_[static_cast<size_t>(at)]}) {
      const auto blocker = std::ranges::find_if(*sources, [&](const Source& source) {
        return source.def >= 0 && waiting[static_cast<size_t>(source.def)] > 0 && !IsBackEdge(Def(source.def));
      });
      if (blocker == sources->end()) continue;
      at = blocker->def;
      break;
    }
  }
  const NodeDef& node = Def(static_cast<int>(at));
  return AtNode(InvalidArgument("The graph has a cycle through node '", node.name, "' (", node.op, ")"), node.name);
}

// The op that a node names, or for the name of a function the op that calls it.
Result<const OpDefinition*> FindOp(const NodeDef& node, const FunctionLibrary& functions, AttrMap* attrs) {
  const OpRegistry& registry = OpRegistry::Global();
  if (const OpDefinition* definition = registry.Find(node.op)) return definition;
  const auto function = functions.Find(node.op);
  if (function == nullptr) return registry.Lookup(node.op);
  HR_RETURN_IF_ERROR(CompleteAttrs(function->signature, attrs));
  HR_ASSIGN_OR_RETURN(std::vector<DType> inputs, ArgTypes(function->signature.inputs, *attrs));
  HR_ASSIGN_OR_RETURN(std::vector<DType> outputs, ArgTypes(function->signature.outputs, *attrs));
  FunctionRef call{.name = node.op, .attrs = std::make_shared<const AttrMap>(std::move(*attrs))};
  *attrs = {{"f", std::move(call)}, {"Tin", std::move(inputs)}, {"Tout", std::move(outputs)}};
  return registry.Lookup(function->signature.stateful ? "StatefulPartitionedCall" : "PartitionedCall");
}

Status Importer::Add(int i) {
  const NodeDef& node = Def(i);
  HR_RETURN_IF_ERROR(CheckShapes(node.attrs));
  if (!node.device.empty()) HR_RETURN_IF_ERROR(DeviceName::Parse(node.device).status());
  NodeSpec spec;
  spec.name = node.name;
  spec.attrs = node.attrs;
  spec.device = node.device;
  HR_ASSIGN_OR_RETURN(spec.definition, FindOp(node, graph_.functions(), &spec.attrs));
  for (const Source& source : inputs_[static_cast<size_t>(i)]) spec.inputs.push_back({NodeOf(source), source.index});
  for (const Source& source : controls_[static_cast<size_t>(i)]) {
    if (Node* control = NodeOf(source)) spec.control_inputs.push_back(control);
  }
  HR_ASSIGN_OR_RETURN(Node * added, graph_.AddNode(std::move(spec)));
  added_[static_cast<size_t>(i)] = added;
  HR_RETURN_IF_ERROR(CheckConst(*added));
  return InferShapes(added);
}

// Connects the edges out of NextIteration, whose source came later than their consumer.
Status Importer::CloseLoops() {
  for (size_t i = 0; i < def_.nodes.size(); ++i) {
    for (size_t k = 0; k < inputs_[i].size(); ++k) {
      const Source& source = inputs_[i][k];
      if (added_[i]->input(static_cast<int>(k))) continue;
      HR_RETURN_IF_ERROR(graph_.SetInput(added_[i], static_cast<int>(k), {NodeOf(source), source.index}));
    }
    for (const Source& source : controls_[i]) {
      if (source.def >= 0 && IsBackEdge(Def(source.def))) graph_.AddControlInput(added_[i], NodeOf(source));
    }
  }
  return OkStatus();
}

Status AddFunctions(const GraphDef& def, FunctionLibrary* library) {
  for (const FunctionDef& function : def.functions) HR_RETURN_IF_ERROR(library->Add(function));
  for (const GradientDef& gradient : def.gradients)
    library->AddGradient(gradient.function_name, gradient.gradient_function);
  return OkStatus();
}

}  // namespace

Status ImportGraphDef(const GraphDef& def, Graph* graph) {
  HR_RETURN_IF_ERROR(CheckVersions(def.versions));
  FunctionLibrary before = graph->functions();
  const bool first = graph->num_nodes() == 0;
  Importer importer(def, graph);
  Status status = AddFunctions(def, &graph->functions());
  if (status.ok()) status = importer.Run();
  if (!status.ok()) {
    importer.Undo();
    graph->functions() = std::move(before);
    return status;
  }
  GraphVersions& versions = graph->versions();
  versions.producer = first ? def.versions.producer : std::min(versions.producer, def.versions.producer);
  versions.min_consumer =
      first ? def.versions.min_consumer : std::max(versions.min_consumer, def.versions.min_consumer);
  versions.bad_consumers.insert(versions.bad_consumers.end(), def.versions.bad_consumers.begin(),
                                def.versions.bad_consumers.end());
  return OkStatus();
}

}  // namespace headrace
