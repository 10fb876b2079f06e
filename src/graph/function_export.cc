#include "graph/function_export.h"

#include <algorithm>
#include <set>

namespace headrace {

namespace {

// The function's nodes, inputs first; arguments are left out.
Result<std::vector<Node*>> BodyNodes(const Graph& graph, const std::vector<Endpoint>& results,
                                     FunctionContent content) {
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph.TopologicalOrder());
  std::set<const Node*> needed;
  for (const Endpoint& result : results) needed.insert(result.node);
  std::vector<Node*> body;
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    if ((*node)->op() == "_Arg") continue;
    const bool stateful = content == FunctionContent::kNeededAndStateful && (*node)->definition().signature().stateful;
    if (!needed.contains(*node) && !stateful) continue;
    body.push_back(*node);
    for (const Endpoint& input : (*node)->inputs()) needed.insert(input.node);
    needed.insert((*node)->control_inputs().begin(), (*node)->control_inputs().end());
  }
  std::ranges::reverse(body);
  return body;
}

// How a function's body names an endpoint: an argument, or "node:output_name:k".
Result<std::string> BodyName(const Endpoint& endpoint, const std::vector<Node*>& arguments) {
  if (endpoint.node->op() == "_Arg") {
    if (std::ranges::find(arguments, endpoint.node) != arguments.end()) return endpoint.node->name();
    return InvalidArgument("Function: '", endpoint.node->name(), "' is not one of the arguments");
  }
  const OpSignature& signature = endpoint.node->definition().signature();
  HR_ASSIGN_OR_RETURN(const std::vector<int> offsets, ArgOffsets(signature.outputs, endpoint.node->attrs()));
  size_t output = 0;
  while (offsets[output + 1] <= endpoint.index) ++output;
  return StrCat(endpoint.node->name(), ":", signature.outputs[output].name, ":", endpoint.index - offsets[output]);
}

Result<NodeDef> ExportBodyNode(const Node& node, const std::vector<Node*>& arguments) {
  NodeDef def;
  def.name = node.name();
  def.op = node.op();
  def.device = node.requested_device();
  def.attrs = node.attrs();
  for (const Endpoint& input : node.inputs()) {
    HR_ASSIGN_OR_RETURN(std::string text, BodyName(input, arguments));
    def.inputs.push_back(std::move(text));
  }
  for (const Node* control : node.control_inputs()) def.inputs.push_back("^" + control->name());
  return def;
}

ArgSignature ArgOf(std::string name, DType type) {
  ArgSignature arg;
  arg.name = std::move(name);
  arg.type = RemoveRef(type);
  return arg;
}

}  // namespace

Result<FunctionDef> ExportFunction(const Graph& graph, std::string name, const std::vector<Node*>& arguments,
                                   const std::vector<Endpoint>& results, FunctionContent content) {
  FunctionDef function;
  function.signature.name = std::move(name);
  for (const Node* argument : arguments) {
    function.signature.inputs.push_back(ArgOf(argument->name(), argument->output_types().front()));
  }
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> body, BodyNodes(graph, results, content));
  for (const Node* node : body) {
    function.signature.stateful = function.signature.stateful || node->definition().signature().stateful;
    HR_ASSIGN_OR_RETURN(NodeDef def, ExportBodyNode(*node, arguments));
    function.nodes.push_back(std::move(def));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const std::string output = StrCat("output_", i);
    function.signature.outputs.push_back(ArgOf(output, results[i].dtype()));
    HR_ASSIGN_OR_RETURN(function.returns[output], BodyName(results[i], arguments));
  }
  return function;
}

std::string FreeFunctionName(const FunctionLibrary& library, const std::string& prefix) {
  std::string name = prefix;
  for (int i = 1; library.Find(name) != nullptr; ++i) name = StrCat(prefix, "_", i);
  return name;
}

Status AddFunctions(FunctionLibrary* library, const FunctionLibrary& functions) {
  for (const auto& [name, function] : functions.functions()) {
    if (library->Find(name) != function) HR_RETURN_IF_ERROR(library->Add(*function));
  }
  return OkStatus();
}

Result<FunctionRef> AddFunction(FunctionLibrary* library, const Graph& traced, const std::string& prefix,
                                const std::vector<Node*>& arguments, const std::vector<Endpoint>& results) {
  HR_RETURN_IF_ERROR(AddFunctions(library, traced.functions()));
  FunctionRef reference;
  reference.name = FreeFunctionName(*library, prefix);
  HR_ASSIGN_OR_RETURN(FunctionDef function, ExportFunction(traced, reference.name, arguments, results));
  HR_RETURN_IF_ERROR(library->Add(std::move(function)));
  return reference;
}

}  // namespace headrace
