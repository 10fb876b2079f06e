// See saver.h.
#include "train/saver.h"

#include <algorithm>
#include <utility>

namespace headrace::train {
namespace {

Node* AddNamed(const GraphBuilder& builder, std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs,
               const std::string& name, std::vector<Node*> control = {}, const std::string& device = {}) {
  NodeOptions options;
  options.name = name;
  options.control_inputs = std::move(control);
  options.device = device;
  return builder.AddNode(op, std::move(inputs), std::move(attrs), std::move(options));
}

struct NameTensors {
  Tensor names;
  Tensor slices;  // whole variables: empty texts
};

NameTensors NamesOf(const std::vector<VariableNodes>& variables) {
  std::vector<std::string> names;
  for (const VariableNodes& variable : variables) names.push_back(variable.name);
  return {Tensor::Vector(names), Tensor::Vector(std::vector<std::string>(names.size()))};
}

Endpoint BuildSave(const GraphBuilder& builder, Endpoint filename, const std::vector<VariableNodes>& variables) {
  const NameTensors names = NamesOf(variables);
  std::vector<Endpoint> inputs = {filename, builder.Const(names.names, "SaveV2/tensor_names"),
                                  builder.Const(names.slices, "SaveV2/shape_and_slices")};
  std::vector<DType> dtypes;
  for (const VariableNodes& variable : variables) {
    inputs.push_back(variable.snapshot);
    dtypes.push_back(variable.dtype);
  }
  Node* save = AddNamed(builder, "SaveV2", std::move(inputs), {{"dtypes", dtypes}}, "SaveV2");
  return {AddNamed(builder, "Identity", {filename}, {}, "control_dependency", {save}), 0};
}

Node* BuildRestore(const GraphBuilder& builder, Endpoint filename, const std::vector<VariableNodes>& variables) {
  const NameTensors names = NamesOf(variables);
  std::vector<DType> dtypes;
  for (const VariableNodes& variable : variables) dtypes.push_back(variable.dtype);
  const std::vector<Endpoint> inputs = {filename, builder.Const(names.names, "RestoreV2/tensor_names"),
                                        builder.Const(names.slices, "RestoreV2/shape_and_slices")};
  Node* restore = AddNamed(builder, "RestoreV2", inputs, {{"dtypes", dtypes}}, "RestoreV2");
  if (restore == nullptr) return nullptr;
  std::vector<Node*> assigns;
  for (size_t i = 0; i < variables.size(); ++i) {
    const std::string& device = variables[i].handle.node->requested_device();
    const Endpoint read{restore, static_cast<int>(i)};
    const Endpoint value{AddNamed(builder, "Identity", {read}, {}, "Identity", {}, device), 0};
    assigns.push_back(AddNamed(builder, "AssignVariableOp", {variables[i].handle, value},
                               {{"dtype", variables[i].dtype}}, "AssignVariableOp", {}, device));
  }
  return Group(builder, assigns, "restore_all");
}

}  // namespace

Result<SaverNodes> BuildSaver(const GraphBuilder& builder, std::vector<VariableNodes> variables,
                              const std::string& name) {
  if (variables.empty()) return InvalidArgument("Saver: there are no variables to save");
  std::ranges::sort(variables, {}, &VariableNodes::name);
  std::string scope = name;
  for (int i = 1; builder.graph().Find(StrCat(builder.name_prefix(), scope, "/Const")) != nullptr; ++i)
    scope = StrCat(name, "_", i);
  const GraphBuilder inner = builder.WithNamePrefix(scope);
  const Endpoint fallback = inner.Const(Tensor::Scalar("model"), "filename/input");
  const AttrMap scalar = {{"shape", PartialShape::Scalar()}};
  const Endpoint filename{AddNamed(inner, "PlaceholderWithDefault", {fallback}, scalar, "filename"), 0};
  SaverNodes nodes;
  nodes.filename = {AddNamed(inner, "PlaceholderWithDefault", {filename}, scalar, "Const"), 0};
  nodes.save = BuildSave(inner, nodes.filename, variables);
  nodes.restore_all = BuildRestore(inner, nodes.filename, variables);
  HR_RETURN_IF_ERROR(builder.status());
  return nodes;
}

}  // namespace headrace::train
