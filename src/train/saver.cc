// See saver.h.
#include "train/saver.h"

#include <algorithm>
#include <map>
#include <utility>

#include "graph/device_name.h"

namespace headrace::train {
namespace {

Node* AddNamed(const GraphBuilder& builder, std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs,
               const std::string& name, std::vector<Node*> control = {}) {
  NodeOptions options;
  options.name = name;
  options.control_inputs = std::move(control);
  return builder.AddNode(op, std::move(inputs), std::move(attrs), std::move(options));
}

// "5 2 0,3:0,2": the whole's shape, then the slice; empty for a whole variable.
Result<std::string> SliceText(const SavedVariable& saved) {
  if (!saved.variable.slice) return std::string();
  const VariableSlice& slice = *saved.variable.slice;
  const PartialShape& shape = saved.variable.shape;
  const size_t rank = slice.full_shape.size();
  if (!shape.IsFullyKnown() || static_cast<size_t>(shape.rank()) != rank || slice.offset.size() != rank) {
    return InvalidArgument("Saver: variable ", saved.variable.name, shape, " cannot be a slice of ", slice.full_name,
                           ": [", StrJoin(slice.full_shape, ","), "] at [", StrJoin(slice.offset, ","), "]");
  }
  std::vector<std::string> extents;
  for (size_t i = 0; i < rank; ++i) extents.push_back(StrCat(slice.offset[i], ",", shape.dim(static_cast<int>(i))));
  return StrCat(StrJoin(slice.full_shape, " "), " ", StrJoin(extents, ":"));
}

// Variables that one SaveV2 and one RestoreV2 handle.
struct Shard {
  std::string device;
  std::vector<SavedVariable> variables;
  std::vector<std::string> slices;  // by variable

  // Where files are read and written: always the device's CPU.
  Result<std::string> FileDevice() const {
    HR_ASSIGN_OR_RETURN(DeviceName name, DeviceName::Parse(device));
    name.type = "CPU";
    name.id = 0;
    return name.ToString();
  }
  std::vector<Endpoint> FileInputs(const GraphBuilder& builder, Endpoint filename, const std::string& op) const {
    std::vector<std::string> keys;
    for (const SavedVariable& saved : variables) keys.push_back(saved.key);
    return {filename, builder.Const(Tensor::Vector(keys), op + "/tensor_names"),
            builder.Const(Tensor::Vector(slices), op + "/shape_and_slices")};
  }
  std::vector<DType> DTypes() const {
    std::vector<DType> dtypes;
    for (const SavedVariable& saved : variables) dtypes.push_back(saved.variable.dtype);
    return dtypes;
  }
};

// Writes the shard; the value of the result is the file's name.
Endpoint SaveShard(const GraphBuilder& builder, Endpoint filename, const Shard& shard) {
  const std::string name =
      builder.graph().UniqueName(builder.name_prefix() + "SaveV2").substr(builder.name_prefix().size());
  std::vector<Endpoint> inputs = shard.FileInputs(builder, filename, name);
  for (const SavedVariable& saved : shard.variables) inputs.push_back(saved.variable.snapshot);
  Node* save = AddNamed(builder, "SaveV2", std::move(inputs), {{"dtypes", shard.DTypes()}}, name);
  if (save == nullptr) return {};
  return {AddNamed(builder.ColocatedWith(filename.node), "Identity", {filename}, {}, "control_dependency", {save}), 0};
}

Endpoint SaveSharded(const GraphBuilder& builder, Endpoint prefix, const std::vector<Shard>& shards) {
  // Object stores know no directories, so that the parts stand beside the checkpoint there.
  const GraphBuilder anywhere = builder.WithDevice("/device:CPU:*");
  const Endpoint in_store = anywhere.Op("StaticRegexFullMatch", {prefix}, {{"pattern", "^s3://.*"}});
  const Endpoint beside = anywhere.Const(Tensor::Scalar(".part")), below = anywhere.Const(Tensor::Scalar("_temp/part"));
  const Endpoint suffix = anywhere.Op("Select", {in_store, beside, below});
  const Endpoint parts = anywhere.Op("StringJoin", {prefix, suffix});
  const Endpoint num_shards = builder.Const(Tensor::Scalar(static_cast<int32_t>(shards.size())), "num_shards");
  std::vector<Endpoint> filenames;
  std::vector<Node*> saved;
  std::string device;
  for (size_t i = 0; i < shards.size(); ++i) {
    const Result<std::string> file_device = shards[i].FileDevice();
    if (!file_device.ok()) builder.Fail(file_device.status());
    if (!builder.status().ok()) return {};
    device = *file_device;
    const GraphBuilder on_device = builder.WithDevice(device);
    const std::string name =
        builder.graph().UniqueName(builder.name_prefix() + "ShardedFilename").substr(builder.name_prefix().size());
    const Endpoint shard = on_device.Const(Tensor::Scalar(static_cast<int32_t>(i)), name + "/shard");
    filenames.push_back({AddNamed(on_device, "ShardedFilename", {parts, shard, num_shards}, {}, name), 0});
    saved.push_back(SaveShard(on_device, filenames.back(), shards[i]).node);
  }
  const GraphBuilder last = builder.WithDevice(device).WithControlInputs(saved);
  const Endpoint prefixes{AddNamed(last, "Pack", filenames, {}, "MergeV2Checkpoints/checkpoint_prefixes"), 0};
  Node* merge = last.AddNode("MergeV2Checkpoints", {prefixes, prefix}, {{"delete_old_dirs", true}});
  return {AddNamed(last, "Identity", {prefix}, {}, "Identity", {merge}), 0};
}

// Reads the shard; returns the assignments.
std::vector<Node*> RestoreShard(const GraphBuilder& builder, const std::string& file_device, Endpoint prefix,
                                const Shard& shard, bool reshape) {
  const GraphBuilder reading = builder.WithDevice(file_device);
  const std::string name =
      builder.graph().UniqueName(builder.name_prefix() + "RestoreV2").substr(builder.name_prefix().size());
  Node* restore =
      AddNamed(reading, "RestoreV2", shard.FileInputs(reading, prefix, name), {{"dtypes", shard.DTypes()}}, name);
  std::vector<Node*> assigns;
  for (size_t i = 0; i < shard.variables.size() && restore != nullptr; ++i) {
    const VariableNodes& variable = shard.variables[i].variable;
    const GraphBuilder there = builder.WithDevice(variable.handle.node->requested_device());
    Endpoint value{restore, static_cast<int>(i)};
    if (!variable.is_ref()) value = there.Op("Identity", {value});
    if (reshape && variable.shape.IsFullyKnown()) {
      std::vector<int64_t> dims;
      for (int k = 0; k < variable.shape.rank(); ++k) dims.push_back(variable.shape.dim(k));
      value = there.Op("Reshape", {value, there.Const(Tensor::Vector(dims), "shape")});
    }
    // TensorFlow checks the shape of ref variables alone; a resource variable would take any.
    const AttrMap checked = variable.is_ref() ? AttrMap() : AttrMap{{"validate_shape", true}};
    assigns.push_back(ChangeVariable(there, VariableChange::kAssign, variable.handle, {value}, {}, checked));
  }
  return assigns;
}

Node* RestoreSharded(const GraphBuilder& builder, Endpoint prefix, const std::vector<Shard>& shards, bool reshape) {
  std::vector<Node*> restored;
  for (const Shard& shard : shards) {
    const Result<std::string> file_device = shard.FileDevice();
    if (!file_device.ok()) builder.Fail(file_device.status());
    if (!builder.status().ok()) return nullptr;
    const std::vector<Node*> assigns = RestoreShard(builder, *file_device, prefix, shard, reshape);
    restored.push_back(AddNamed(builder.WithDevice(shard.device), "NoOp", {}, {}, "restore_shard", assigns));
  }
  return Group(builder, restored, "restore_all");
}

// One shard, or one for each device, in the order of the devices' names.
Result<std::vector<Shard>> MakeShards(const std::vector<SavedVariable>& variables, bool sharded) {
  std::map<std::string, Shard> by_device;
  for (const SavedVariable& saved : variables) {
    const std::string device = sharded ? saved.variable.handle.node->requested_device() : std::string();
    Shard& shard = by_device[device];
    shard.device = device;
    shard.variables.push_back(saved);
    HR_ASSIGN_OR_RETURN(std::string slice, SliceText(saved));
    shard.slices.push_back(std::move(slice));
  }
  std::vector<Shard> shards;
  for (auto& [device, shard] : by_device) shards.push_back(std::move(shard));
  return shards;
}

Status CheckKeys(const std::vector<SavedVariable>& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].key != sorted[i - 1].key) continue;
    if (sorted[i].variable.slice && sorted[i - 1].variable.slice) continue;
    return InvalidArgument("At least two variables have the same name: ", sorted[i].key);
  }
  return OkStatus();
}

}  // namespace

Result<SaverNodes> BuildSaver(const GraphBuilder& builder, std::vector<SavedVariable> variables,
                              const SaverOptions& options) {
  if (variables.empty()) return InvalidArgument("Saver: there are no variables to save");
  for (SavedVariable& saved : variables) {
    if (!saved.variable.snapshot) return InvalidArgument("Saver: variable '", saved.variable.name, "' is not built");
    if (!saved.key.empty()) continue;
    saved.key = saved.variable.slice ? saved.variable.slice->full_name : saved.variable.name;
  }
  std::ranges::stable_sort(variables, {}, &SavedVariable::key);
  HR_RETURN_IF_ERROR(CheckKeys(variables));
  HR_ASSIGN_OR_RETURN(const std::vector<Shard> shards, MakeShards(variables, options.sharded));
  std::string scope = options.name;
  for (int i = 1; builder.graph().Find(StrCat(builder.name_prefix(), scope, "/Const")) != nullptr; ++i)
    scope = StrCat(options.name, "_", i);
  const GraphBuilder inner = builder.WithNamePrefix(scope);
  const Endpoint fallback = inner.Const(Tensor::Scalar("model"), "filename/input");
  const AttrMap scalar = {{"shape", PartialShape::Scalar()}};
  const Endpoint filename{AddNamed(inner, "PlaceholderWithDefault", {fallback}, scalar, "filename"), 0};
  SaverNodes nodes;
  nodes.sharded = options.sharded;
  nodes.filename = {AddNamed(inner, "PlaceholderWithDefault", {filename}, scalar, "Const"), 0};
  HR_RETURN_IF_ERROR(builder.status());
  if (options.sharded) {
    nodes.save = SaveSharded(inner, nodes.filename, shards);
    nodes.restore_all = RestoreSharded(inner, nodes.filename, shards, options.reshape);
  } else {
    nodes.save = SaveShard(inner, nodes.filename, shards[0]);
    nodes.restore_all =
        Group(inner, RestoreShard(inner, "/device:CPU:0", nodes.filename, shards[0], options.reshape), "restore_all");
  }
  HR_RETURN_IF_ERROR(builder.status());
  return nodes;
}

Result<SaverNodes> BuildSaver(const GraphBuilder& builder, const std::vector<VariableNodes>& variables,
                              const SaverOptions& options) {
  std::vector<SavedVariable> saved;
  for (const VariableNodes& variable : variables) saved.push_back({{}, variable});
  return BuildSaver(builder, std::move(saved), options);
}

}  // namespace headrace::train
