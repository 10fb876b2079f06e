// The graph and its nodes, functions, and GraphDefs.
#include "graph.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>

#include "autodiff/gradients.h"
#include "graph/function_export.h"
#include "graph/graph_bytes.h"
#include "graph/import.h"

namespace headrace::python {
namespace {

const OpDefinition& LookupOp(const std::string& name) { return *Unwrap(OpRegistry::Global().Lookup(name)); }

Node* AddOp(PyGraph& graph, const std::string& op, const std::string& name, const std::vector<PyEndpoint>& inputs,
            const nb::dict& attrs, const std::string& device, const std::vector<Node*>& control_inputs,
            const std::vector<std::string>& colocate) {
  NodeOptions options{.name = name, .device = device, .control_inputs = control_inputs, .colocate_with = colocate};
  Node* node = graph.Run([&](const GraphBuilder& builder) {
    return builder.AddNode(op, EndpointsFromPython(inputs), AttrsFromPython(LookupOp(op), attrs), std::move(options));
  });
  ThrowIfError(graph.status, true);
  return node;
}

void SetShape(Node& node, int index, nb::handle shape) {
  std::vector<PartialShape> shapes = node.output_shapes();
  PartialShape& known = shapes.at(static_cast<size_t>(index));
  known = Unwrap(known.MergeWith(ShapeFromPython(shape)), true);
  node.set_output_shapes(std::move(shapes));
}

std::vector<Node*> NodesFrom(const PyGraph& graph, int first_id) {
  std::vector<Node*> nodes;
  if (first_id >= graph.graph.num_ids()) return nodes;
  for (Node* node : graph.graph.Nodes()) {
    if (node->id() >= first_id) nodes.push_back(node);
  }
  return nodes;
}

nb::bytes Serialize(const PyGraph& graph) {
  const std::string bytes = Unwrap(SerializeGraphDef(ExportGraphDef(graph.graph)));
  return nb::bytes(bytes.data(), bytes.size());
}

// "^a", "a:1" or "a" after renaming: an input that the program maps elsewhere, or one below the prefix.
std::string Renamed(const std::string& input, const std::string& prefix,
                    const std::map<std::string, std::string>& replaced) {
  const bool control = input.starts_with('^');
  const std::string plain = control ? input.substr(1) : input;
  const auto exact = replaced.find(input);
  if (exact != replaced.end()) return exact->second;
  if (!control && plain.find(':') == std::string::npos) {
    const auto first = replaced.find(plain + ":0");
    if (first != replaced.end()) return first->second;
  }
  return (control ? "^" : "") + prefix + plain;
}

void Import(PyGraph& graph, const nb::bytes& bytes, const std::string& prefix,
            const std::map<std::string, std::string>& input_map) {
  GraphDef def = Unwrap(ParseGraphDef({static_cast<const char*>(bytes.data()), bytes.size()}));
  for (NodeDef& node : def.nodes) {
    node.name = prefix + node.name;
    for (std::string& input : node.inputs) input = Renamed(input, prefix, input_map);
    const auto found = node.attrs.find("_class");
    if (found == node.attrs.end() || prefix.empty()) continue;
    std::vector<std::string> groups;
    for (const std::string& group : *found->second.As<std::vector<std::string>>())
      groups.push_back(group.starts_with("loc:@") ? "loc:@" + prefix + group.substr(5) : group);
    found->second = groups;
  }
  ThrowIfError(ImportGraphDef(def, &graph.graph), true);
}

void DefineFunction(PyGraph& graph, const std::string& name, const PyGraph& body, const std::vector<Node*>& arguments,
                    const std::vector<PyEndpoint>& results) {
  FunctionLibrary& library = graph.graph.functions();
  for (const auto& [called_name, called] : body.graph.functions().functions()) ThrowIfError(library.Add(*called), true);
  ThrowIfError(library.Add(Unwrap(ExportFunction(body.graph, name, arguments, EndpointsFromPython(results)), true)),
               true);
}

nb::object GradientToPython(const Gradient& gradient, nb::handle graph) {
  if (!gradient.exists()) return nb::none();
  if (const Endpoint* dense = gradient.dense()) return EndpointToPython(*dense, graph);
  const IndexedSlices& slices = *gradient.slices();
  return nb::make_tuple(EndpointToPython(slices.indices, graph), EndpointToPython(slices.values, graph),
                        EndpointToPython(slices.dense_shape, graph));
}

nb::list Gradients(nb::handle self, const std::vector<PyEndpoint>& ys, const std::vector<PyEndpoint>& xs,
                   const std::vector<PyEndpoint>& grad_ys, const Context& context,
                   const std::vector<PyEndpoint>& stops) {
  auto& graph = nb::cast<PyGraph&>(self);
  const std::vector<Gradient> gradients = graph.Run([&](const GraphBuilder&) {
    return Unwrap(AddGradients(context.In(graph), EndpointsFromPython(ys), EndpointsFromPython(xs),
                               EndpointsFromPython(grad_ys), EndpointsFromPython(stops)),
                  true);
  });
  nb::list result;
  for (const Gradient& gradient : gradients) result.append(GradientToPython(gradient, self));
  return result;
}

nb::list Inputs(nb::handle self) {
  nb::list inputs;
  for (const Endpoint& input : nb::cast<Node&>(self).inputs()) inputs.append(EndpointToPython(input, self));
  return inputs;
}

nb::object Attr(const Node& node, const std::string& name) {
  const auto found = node.attrs().find(name);
  if (found == node.attrs().end())
    throw StatusError(InvalidArgument("Operation '", node.name(), "' has no attr named '", name, "'."), true);
  return AttrToPython(found->second);
}

nb::object SignatureToPython(const OpSignature& signature) {
  const auto args = [](const std::vector<ArgSignature>& list) {
    nb::list result;
    for (const ArgSignature& arg : list) {
      result.append(nb::make_tuple(arg.name, static_cast<int>(arg.type), arg.type_attr, arg.number_attr,
                                   arg.type_list_attr, arg.is_ref));
    }
    return result;
  };
  nb::list attrs;
  for (const AttrSignature& attr : signature.attrs) {
    nb::object value = nb::none();
    if (attr.default_value) value = AttrToPython(*attr.default_value);
    nb::list types;
    for (const DType type : attr.allowed_types) types.append(static_cast<int>(type));
    attrs.append(nb::make_tuple(attr.name, attr.kind, attr.default_value.has_value(), value, types,
                                nb::cast(attr.allowed_strings)));
  }
  return nb::make_tuple(signature.name, args(signature.inputs), args(signature.outputs), attrs, signature.stateful);
}

std::vector<std::string> OpNames() {
  std::vector<std::string> names;
  for (const OpDefinition* definition : OpRegistry::Global().All()) names.push_back(definition->name());
  return names;
}

void BindNode(nb::module_& module) {
  nb::class_<Node>(module, "Node")
      .def_prop_ro("id", &Node::id)
      .def_prop_ro("name", &Node::name)
      .def_prop_ro("op", &Node::op)
      .def_prop_ro("device", [](const Node& node) { return node.requested_device(); })
      .def("set_device", [](Node& node, std::string device) { node.set_requested_device(std::move(device)); })
      .def_prop_ro("num_outputs", &Node::num_outputs)
      .def("output_type", [](const Node& node, int i) { return static_cast<int>(node.output_types().at(i)); })
      .def("output_shape", [](const Node& node, int i) { return ShapeToPython(node.output_shapes().at(i)); })
      .def("set_shape", SetShape, nb::arg("index"), nb::arg("shape").none())
      .def_prop_ro("inputs", Inputs)
      .def_prop_ro("control_inputs",
                   [](nb::handle self) {
                     nb::list nodes;
                     for (Node* node : nb::cast<Node&>(self).control_inputs())
                       nodes.append(nb::cast(node, nb::rv_policy::reference_internal, self));
                     return nodes;
                   })
      .def_prop_ro("attr_names",
                   [](const Node& node) {
                     std::vector<std::string> names;
                     for (const auto& [name, value] : node.attrs()) names.push_back(name);
                     return names;
                   })
      .def("attr", Attr);
}

}  // namespace

GraphBuilder Context::In(PyGraph& graph) const {
  GraphBuilder builder = graph.Root().WithNamePrefix(prefix).WithControlInputs(control_inputs);
  if (device_function.is_none()) return builder;
  return builder.WithDeviceFunction([function = device_function](const std::string& op, const std::string& requested) {
    return nb::cast<std::string>(function(op, requested));
  });
}

void BindGraph(nb::module_& module) {
  BindNode(module);
  nb::class_<Tensor>(module, "Tensor")
      .def_static("make",
                  [](nb::handle value, int dtype) {
                    return TensorFromPython(value, static_cast<DType>(dtype), Borrowing::kNever);
                  })
      .def("value", [](const Tensor& tensor) { return TensorToPython(tensor); })
      .def_prop_ro("dtype", [](const Tensor& tensor) { return static_cast<int>(tensor.dtype()); })
      .def_prop_ro("shape", [](const Tensor& tensor) { return ShapeToPython(tensor.shape()); })
      .def("__repr__", [](const Tensor& tensor) { return tensor.Summary(); });
  nb::class_<Context>(module, "Context")
      .def(
          "__init__",
          [](Context* self, std::string prefix, nb::object device_function, std::vector<Node*> control_inputs) {
            new (self) Context{std::move(prefix), std::move(device_function), std::move(control_inputs)};
          },
          nb::arg("prefix"), nb::arg("device_function").none(), nb::arg("control_inputs"));
  nb::class_<PyGraph>(module, "Graph")
      .def(nb::init<>())
      .def("add_op", AddOp, nb::rv_policy::reference_internal)
      .def(
          "find", [](PyGraph& graph, const std::string& name) { return graph.graph.Find(name); },
          nb::rv_policy::reference_internal)
      .def("nodes", NodesFrom, nb::rv_policy::reference_internal)
      .def_prop_ro("num_ids", [](const PyGraph& graph) { return graph.graph.num_ids(); })
      .def("serialize", Serialize)
      .def("import_graph_def", Import)
      .def("define_function", DefineFunction)
      .def("function_names",
           [](const PyGraph& graph) {
             std::vector<std::string> names;
             for (const auto& [name, function] : graph.graph.functions().functions()) names.push_back(name);
             return names;
           })
      .def("gradients", Gradients);
  module.def("op_names", OpNames);
  module.def("op_signature", [](const std::string& name) { return SignatureToPython(LookupOp(name).signature()); });
  module.def("has_op", [](const std::string& name) { return OpRegistry::Global().Find(name) != nullptr; });
}

}  // namespace headrace::python
