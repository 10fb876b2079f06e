// InstantiateFunction (import.h): a function's body becomes a GraphDef, by giving its attributes their values, its arguments and
// results nodes, and its references "argument", "node:output:k" the form that graphs have; then it is imported as any graph.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "graph/import.h"
#include "graph/node_error.h"

namespace headrace {

namespace {

constexpr int kMaxDepth = 100;

// Puts the function's attributes in the place of placeholders, in functions passed as attributes too.
Result<AttrValue> Substitute(const AttrValue& value, const AttrMap& attrs, int depth);

Result<AttrMap> SubstituteAll(const AttrMap& values, const AttrMap& attrs, int depth) {
  AttrMap out;
  for (const auto& [name, value] : values) {
    HR_ASSIGN_OR_RETURN(AttrValue substituted, Substitute(value, attrs, depth));
    out.emplace(name, std::move(substituted));
  }
  return out;
}

Result<FunctionRef> SubstituteIn(const FunctionRef& function, const AttrMap& attrs, int depth) {
  if (function.attrs == nullptr) return function;
  if (depth >= kMaxDepth) return InvalidArgument("functions in attributes nest more than ", kMaxDepth, " deep");
  HR_ASSIGN_OR_RETURN(AttrMap inner, SubstituteAll(*function.attrs, attrs, depth + 1));
  return FunctionRef{.name = function.name, .attrs = std::make_shared<const AttrMap>(std::move(inner))};
}

Result<AttrValue> Substitute(const AttrValue& value, const AttrMap& attrs, int depth) {
  if (const auto* placeholder = value.As<AttrPlaceholder>()) {
    const auto found = attrs.find(placeholder->name);
    if (found != attrs.end()) return found->second;
    return InvalidArgument("attribute '", placeholder->name, "' has no value");
  }
  if (const auto* function = value.As<FunctionRef>()) {
    HR_ASSIGN_OR_RETURN(FunctionRef substituted, SubstituteIn(*function, attrs, depth));
    return AttrValue(std::move(substituted));
  }
  if (const auto* functions = value.As<std::vector<FunctionRef>>()) {
    std::vector<FunctionRef> out;
    for (const FunctionRef& function : *functions) {
      HR_ASSIGN_OR_RETURN(out.emplace_back(), SubstituteIn(function, attrs, depth));
    }
    return AttrValue(std::move(out));
  }
  return value;
}

// What "argument" or "node:output" stands for: `count` tensors, each of a node of its own or all of one node.
struct Item {
  std::vector<std::string> arg_nodes;
  std::string node;
  int begin = 0;
  int count = 0;

  std::string Tensor(int i) const {
    if (!arg_nodes.empty()) return arg_nodes[static_cast<size_t>(i)];
    return begin + i == 0 ? node : StrCat(node, ":", begin + i);
  }
};

class BodyBuilder {
 public:
  BodyBuilder(const FunctionLibrary& library, const FunctionDef& function) : library_(library), function_(function) {}

  Result<FunctionBody> Run(const AttrMap* given) {
    HR_RETURN_IF_ERROR(BindAttrs(given));
    for (const NodeDef& node : function_.nodes) names_.insert(node.name);
    HR_RETURN_IF_ERROR(AddArgs());
    for (const NodeDef& node : function_.nodes) {
      if (Status status = NameOutputs(node); !status.ok()) return AtNode(status, node.name);
    }
    for (size_t i = 0; i < function_.nodes.size(); ++i) {
      if (Status status = AddInputs(i); !status.ok()) return AtNode(status, function_.nodes[i].name);
    }
    HR_RETURN_IF_ERROR(AddResults());
    return Import();
  }

 private:
  Status BindAttrs(const AttrMap* given);
  Status AddArgs();
  Status NameOutputs(const NodeDef& node);
  Status AddInputs(size_t body_index);
  Status AddResults();
  Result<FunctionBody> Import();

  // The item that a reference names, and which of its tensors.
  Result<std::pair<const Item*, int>> Find(const std::string& reference) const;
  Result<const OpSignature*> SignatureOf(const std::string& op) const;
  std::string FreeName(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 1; !names_.insert(name).second; ++i) name = StrCat(wanted, "_", i);
    return name;
  }

  const FunctionLibrary& library_;
  const FunctionDef& function_;
  AttrMap attrs_;
  GraphDef def_;
  std::set<std::string> names_;
  std::unordered_map<std::string, Item> items_;
  std::vector<std::string> args_;
  std::vector<std::string> results_;
  std::vector<DType> arg_types_;
  std::vector<DType> result_types_;
};

Status BodyBuilder::BindAttrs(const AttrMap* given) {
  if (given != nullptr) attrs_ = *given;
  for (const AttrSignature& attr : function_.signature.attrs) {
    if (attrs_.contains(attr.name)) continue;
    if (!attr.default_value) return InvalidArgument("attribute '", attr.name, "' (", attr.kind, ") has no value");
    attrs_.emplace(attr.name, *attr.default_value);
  }
  return OkStatus();
}

Status BodyBuilder::AddArgs() {
  HR_ASSIGN_OR_RETURN(arg_types_, ArgTypes(function_.signature.inputs, attrs_));
  HR_ASSIGN_OR_RETURN(const std::vector<int> offsets, ArgOffsets(function_.signature.inputs, attrs_));
  for (size_t i = 0; i < function_.signature.inputs.size(); ++i) {
    const ArgSignature& arg = function_.signature.inputs[i];
    Item item;
    item.count = offsets[i + 1] - offsets[i];
    const bool repeated = !arg.number_attr.empty() || !arg.type_list_attr.empty();
    const auto extra = function_.arg_attrs.find(static_cast<int>(i));
    for (int k = 0; k < item.count; ++k) {
      NodeDef node{.name = FreeName(repeated ? StrCat(arg.name, "_", k) : arg.name),
                   .op = "_Arg",
                   .device = "",
                   .inputs = {},
                   .attrs = {}};
      node.attrs = {{"T", arg_types_[static_cast<size_t>(offsets[i] + k)]}, {"index", offsets[i] + k}};
      if (extra != function_.arg_attrs.end()) {
        for (const auto& [name, value] : extra->second) {
          if (name.starts_with("_")) node.attrs.emplace(name, value);
        }
      }
      item.arg_nodes.push_back(node.name);
      args_.push_back(node.name);
      def_.nodes.push_back(std::move(node));
    }
    if (!items_.emplace(arg.name, std::move(item)).second)
      return InvalidArgument("argument '", arg.name, "' occurs twice");
  }
  return OkStatus();
}

Result<const OpSignature*> BodyBuilder::SignatureOf(const std::string& op) const {
  if (const OpDefinition* definition = OpRegistry::Global().Find(op)) return &definition->signature();
  if (const auto function = library_.Find(op)) return &function->signature;
  return OpRegistry::Global().Lookup(op).status();
}

// Adds the node without inputs, and an item for each of its outputs.
Status BodyBuilder::NameOutputs(const NodeDef& node) {
  HR_ASSIGN_OR_RETURN(const OpSignature* signature, SignatureOf(node.op));
  NodeDef copy{.name = node.name, .op = node.op, .device = node.device, .inputs = {}, .attrs = {}};
  HR_ASSIGN_OR_RETURN(copy.attrs, SubstituteAll(node.attrs, attrs_, 0));
  HR_RETURN_IF_ERROR(CompleteAttrs(*signature, &copy.attrs));
  HR_ASSIGN_OR_RETURN(const std::vector<int> offsets, ArgOffsets(signature->outputs, copy.attrs));
  for (size_t i = 0; i < signature->outputs.size(); ++i) {
    Item item;
    item.node = node.name;
    item.begin = offsets[i];
    item.count = offsets[i + 1] - offsets[i];
    if (!items_.emplace(StrCat(node.name, ":", signature->outputs[i].name), std::move(item)).second) {
      return InvalidArgument("node name '", node.name, "' occurs twice");
    }
  }
  def_.nodes.push_back(std::move(copy));
  return OkStatus();
}

Result<std::pair<const Item*, int>> BodyBuilder::Find(const std::string& reference) const {
  if (const auto whole = items_.find(reference); whole != items_.end() && whole->second.count > 0) {
    return std::pair<const Item*, int>(&whole->second, 0);
  }
  const size_t colon = reference.rfind(':');
  int64_t index = 0;
  if (colon != std::string::npos && ParseInt64(std::string_view(reference).substr(colon + 1), &index)) {
    const auto found = items_.find(reference.substr(0, colon));
    if (found != items_.end() && index >= 0 && index < found->second.count) {
      return std::pair<const Item*, int>(&found->second, static_cast<int>(index));
    }
  }
  return InvalidArgument("reference '", reference, "' names no argument and no output of the body's nodes");
}

Status BodyBuilder::AddInputs(size_t body_index) {
  NodeDef& node = def_.nodes[args_.size() + body_index];
  for (const std::string& text : function_.nodes[body_index].inputs) {
    if (text.starts_with('^')) {
      const auto arg = items_.find(text.substr(1));
      const bool is_arg = arg != items_.end() && !arg->second.arg_nodes.empty();
      node.inputs.push_back(is_arg ? StrCat("^", arg->second.arg_nodes[0]) : text);
      continue;
    }
    HR_ASSIGN_OR_RETURN(const auto found, Find(text));
    node.inputs.push_back(found.first->Tensor(found.second));
  }
  return OkStatus();
}

Status BodyBuilder::AddResults() {
  HR_ASSIGN_OR_RETURN(result_types_, ArgTypes(function_.signature.outputs, attrs_));
  HR_ASSIGN_OR_RETURN(const std::vector<int> offsets, ArgOffsets(function_.signature.outputs, attrs_));
  for (size_t i = 0; i < function_.signature.outputs.size(); ++i) {
    const std::string& name = function_.signature.outputs[i].name;
    const auto source = function_.returns.find(name);
    if (source == function_.returns.end()) return InvalidArgument("result '", name, "' is not returned");
    const int count = offsets[i + 1] - offsets[i];
    if (count == 0) continue;
    HR_ASSIGN_OR_RETURN(const auto found, Find(source->second));
    if (found.second + count > found.first->count) {
      return InvalidArgument("result '", name, "' has ", count, " tensors, '", source->second, "' does not");
    }
    for (int k = 0; k < count; ++k) {
      NodeDef node{.name = FreeName(StrCat(name, "_RetVal")), .op = "_Retval", .device = "", .inputs = {}, .attrs = {}};
      node.inputs = {found.first->Tensor(found.second + k)};
      node.attrs = {{"T", result_types_[static_cast<size_t>(offsets[i] + k)]}, {"index", offsets[i] + k}};
      results_.push_back(node.name);
      def_.nodes.push_back(std::move(node));
    }
  }
  return OkStatus();
}

Result<FunctionBody> BodyBuilder::Import() {
  FunctionBody body;
  body.graph.functions() = library_;
  HR_RETURN_IF_ERROR(ImportGraphDef(def_, &body.graph));
  for (const std::string& name : args_) body.args.push_back(body.graph.Find(name));
  for (const std::string& name : results_) body.results.push_back(body.graph.Find(name));
  for (const auto& [name, node_name] : function_.control_returns) {
    Node* node = body.graph.Find(node_name);
    if (node == nullptr) return InvalidArgument("control result '", name, "' names the unknown node '", node_name, "'");
    if (std::ranges::find(body.control_results, node) == body.control_results.end())
      body.control_results.push_back(node);
  }
  body.arg_types = std::move(arg_types_);
  body.result_types = std::move(result_types_);
  return body;
}

}  // namespace

Result<FunctionBody> InstantiateFunction(const FunctionLibrary& library, const FunctionRef& function) {
  const auto definition = library.Find(function.name);
  if (definition == nullptr) return NotFound("Function ", function.name, " is not defined.");
  Result<FunctionBody> body = BodyBuilder(library, *definition).Run(function.attrs.get());
  if (body.ok()) return body;
  return Status(body.status().code(), StrCat("Function '", function.name, "': ", body.status().message()));
}

}  // namespace headrace
