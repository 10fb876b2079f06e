// See variable.h.
#include "train/variable.h"

#include <algorithm>
#include <map>
#include <utility>

namespace headrace::train {
namespace {

constexpr int64_t kMaxConstantElements = 1000;  // as TensorFlow's zeros()

// A tensor with `value` in every element.
Result<Tensor> FilledTensor(DType dtype, const Shape& shape, double value) {
  HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, shape));
  const Status filled =
      ForDType<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
          dtype, "constant", [&]<typename T>() {
            std::ranges::fill(tensor.mutable_data<T>(), static_cast<T>(value));
            return OkStatus();
          });
  if (!filled.ok()) return filled;
  return tensor;
}

NodeOptions OnDeviceOf(const VariableNodes& variable, std::string name) {
  NodeOptions options;
  options.name = std::move(name);
  options.device = variable.handle.node->requested_device();
  return options;
}

// What is added to `builder` from here on has plain names, without its prefix.
std::string LastPart(const std::string& name, const std::string& prefix) { return name.substr(prefix.size()); }

Endpoint AddHandle(const GraphBuilder& builder, const VariableOptions& options, const std::string& name,
                   const std::string& plain_name) {
  const GraphBuilder placed = options.colocate_with == nullptr ? builder : builder.ColocatedWith(options.colocate_with);
  NodeOptions node_options;
  node_options.name = plain_name;
  // A resource variable may be shared by its name; a ref variable is its node.
  if (options.colocate_with == nullptr && options.use_resource) node_options.colocate_with = {name};
  const AttrMap attrs = {{"dtype", options.dtype},
                         {"shape", options.shape},
                         {"shared_name", options.use_resource ? name : std::string()},
                         {"container", options.container}};
  return {placed.AddNode(options.use_resource ? "VarHandleOp" : "VariableV2", {}, attrs, std::move(node_options)), 0};
}

}  // namespace

Endpoint Filled(const GraphBuilder& builder, DType dtype, const Shape& shape, double value, const std::string& name) {
  if (shape.num_elements() < kMaxConstantElements) {
    const Result<Tensor> tensor = FilledTensor(dtype, shape, value);
    if (tensor.ok()) return builder.Const(*tensor, name);
    builder.Fail(tensor.status());
    return {};
  }
  const GraphBuilder inner = builder.WithNamePrefix(name);
  const Endpoint dims =
      inner.Const(Tensor::FromValues<int64_t>(shape.dims(), Shape({shape.rank()})), "shape_as_tensor");
  const Endpoint scalar = inner.ScalarOf(dtype, value);
  NodeOptions options;
  options.name = name;
  return Endpoint{builder.AddNode("Fill", {dims, scalar}, {}, std::move(options)), 0};
}

VariableNodes BuildVariable(const GraphBuilder& builder, const VariableOptions& options,
                            VariableCollection* collection) {
  VariableNodes variable;
  variable.dtype = options.dtype;
  variable.shape = options.shape;
  variable.trainable = options.trainable;
  variable.slice = options.slice;
  variable.name = builder.graph().UniqueName(builder.name_prefix() + options.name);
  const std::string plain_name = LastPart(variable.name, builder.name_prefix());
  variable.handle = AddHandle(builder, options, variable.name, plain_name);
  if (!builder.status().ok()) return {};
  const GraphBuilder below = builder.WithNamePrefix(plain_name);
  variable.initial_value =
      options.initial_value(below.WithNamePrefix("Initializer").ColocatedWith(variable.handle.node));
  if (options.use_resource) {
    variable.is_initialized = {below.AddNode("VarIsInitializedOp", {variable.handle}, {},
                                             OnDeviceOf(variable, "IsInitialized/VarIsInitializedOp")),
                               0};
  }
  if (!builder.status().ok()) return {};
  if (RemoveRef(variable.initial_value.dtype()) != options.dtype) {
    builder.Fail(InvalidArgument("Variable ", variable.name, ": the initial value is of another type: variable=",
                                 options.dtype, " value=", variable.initial_value.dtype()));
    return {};
  }
  variable.initializer = ChangeVariable(below, VariableChange::kAssign, variable.handle, {variable.initial_value},
                                        OnDeviceOf(variable, "Assign"));
  variable.snapshot = ReadVariable(below, variable, options.use_resource ? "Read/ReadVariableOp" : "read");
  if (!builder.status().ok()) return {};
  collection->push_back(variable);
  return variable;
}

Endpoint ReadVariable(const GraphBuilder& builder, const VariableNodes& variable, const std::string& name) {
  return ReadHandle(builder, variable.handle, variable.dtype, OnDeviceOf(variable, name));
}

Endpoint ReadHandle(const GraphBuilder& builder, Endpoint handle, DType dtype, NodeOptions options) {
  if (!handle) return {};
  if (VariableNodes::IsRefVariable(handle)) {
    return {builder.ColocatedWith(handle.node).AddNode("Identity", {handle}, {}, std::move(options)), 0};
  }
  return {builder.AddNode("ReadVariableOp", {handle}, {{"dtype", dtype}}, std::move(options)), 0};
}

Node* ChangeVariable(const GraphBuilder& builder, VariableChange change, Endpoint handle,
                     const std::vector<Endpoint>& inputs, NodeOptions options, AttrMap attrs) {
  // In the order of VariableChange.
  constexpr const char* kResourceOps[] = {"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp",
                                          "ResourceScatterAdd", "ResourceScatterSub"};
  constexpr const char* kRefOps[] = {"Assign", "AssignAdd", "AssignSub", "ScatterAdd", "ScatterSub"};
  if (!handle || inputs.empty()) return nullptr;
  const bool is_ref = VariableNodes::IsRefVariable(handle);
  std::vector<Endpoint> all = {handle};
  all.insert(all.end(), inputs.begin(), inputs.end());
  const auto index = static_cast<size_t>(change);
  if (!is_ref && inputs.back()) attrs["dtype"] = RemoveRef(inputs.back().dtype());
  return builder.AddNode(is_ref ? kRefOps[index] : kResourceOps[index], std::move(all), std::move(attrs),
                         std::move(options));
}

Node* Group(const GraphBuilder& builder, const std::vector<Node*>& nodes, const std::string& name) {
  std::map<std::string, std::vector<Node*>> by_device;
  for (Node* node : nodes) {
    if (node != nullptr) by_device[node->requested_device()].push_back(node);
  }
  const auto add = [](const GraphBuilder& where, const std::string& what, std::vector<Node*> after) {
    NodeOptions options;
    options.name = what;
    options.control_inputs = std::move(after);
    return where.AddNode("NoOp", {}, {}, std::move(options));
  };
  if (by_device.size() <= 1) {
    return add(by_device.empty() ? builder : builder.WithDevice(by_device.begin()->first), name, nodes);
  }
  std::vector<Node*> groups;
  for (const auto& [device, members] : by_device) {
    groups.push_back(add(builder.WithNamePrefix(name).WithDevice(device), "NoOp", members));
  }
  return add(builder, name, groups);
}

Node* InitializeAll(const GraphBuilder& builder, const VariableCollection& variables, const std::string& name) {
  std::vector<Node*> initializers;
  for (const VariableNodes& variable : variables) initializers.push_back(variable.initializer);
  return Group(builder, initializers, name);
}

VariableNodes GetOrCreateGlobalStep(const GraphBuilder& builder, VariableCollection* collection) {
  for (const VariableNodes& variable : *collection) {
    if (variable.name == "global_step") return variable;
  }
  VariableOptions options;
  options.name = "global_step";
  options.dtype = DType::kInt64;
  options.shape = PartialShape::Scalar();
  options.trainable = false;
  options.initial_value = [](const GraphBuilder& initializer) {
    return Filled(initializer, DType::kInt64, Shape(), 0, "zeros");
  };
  return BuildVariable(builder, options, collection);
}

}  // namespace headrace::train
