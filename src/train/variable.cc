// See variable.h.
#include "train/variable.h"

#include <algorithm>
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
  variable.name = builder.graph().UniqueName(builder.name_prefix() + options.name);
  const std::string plain_name = LastPart(variable.name, builder.name_prefix());
  const GraphBuilder placed = options.colocate_with == nullptr ? builder : builder.ColocatedWith(options.colocate_with);
  NodeOptions handle_options;
  handle_options.name = plain_name;
  if (options.colocate_with == nullptr) handle_options.colocate_with = {variable.name};
  const AttrMap handle_attrs = {{"dtype", options.dtype},
                                {"shape", options.shape},
                                {"shared_name", variable.name},
                                {"container", options.container}};
  variable.handle = {placed.AddNode("VarHandleOp", {}, handle_attrs, std::move(handle_options)), 0};
  if (!builder.status().ok()) return {};
  const GraphBuilder below = builder.WithNamePrefix(plain_name);
  variable.initial_value =
      options.initial_value(below.WithNamePrefix("Initializer").ColocatedWith(variable.handle.node));
  variable.is_initialized = {below.AddNode("VarIsInitializedOp", {variable.handle}, {},
                                           OnDeviceOf(variable, "IsInitialized/VarIsInitializedOp")),
                             0};
  if (!builder.status().ok()) return {};
  if (RemoveRef(variable.initial_value.dtype()) != options.dtype) {
    builder.Fail(InvalidArgument("Variable ", variable.name, ": the initial value is of another type: variable=",
                                 options.dtype, " value=", variable.initial_value.dtype()));
    return {};
  }
  variable.initializer = below.AddNode("AssignVariableOp", {variable.handle, variable.initial_value},
                                       {{"dtype", options.dtype}}, OnDeviceOf(variable, "Assign"));
  variable.snapshot = ReadVariable(below, variable, "Read/ReadVariableOp");
  if (!builder.status().ok()) return {};
  collection->push_back(variable);
  return variable;
}

Endpoint ReadVariable(const GraphBuilder& builder, const VariableNodes& variable, const std::string& name) {
  if (variable.handle.node == nullptr) return {};
  return {builder.AddNode("ReadVariableOp", {variable.handle}, {{"dtype", variable.dtype}}, OnDeviceOf(variable, name)),
          0};
}

Node* Group(const GraphBuilder& builder, const std::vector<Node*>& nodes, const std::string& name) {
  NodeOptions options;
  options.name = name;
  options.control_inputs = nodes;
  return builder.AddNode("NoOp", {}, {}, std::move(options));
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
