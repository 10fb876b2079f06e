// The wire form of MetaGraph, and of variables in its collections.
#include "graph/graph_proto.h"
#include "headrace/proto/checkpoint.pb.h"
#include "train/meta_graph.h"

namespace headrace::train {
namespace {

void ToProto(const SaverDescription& saver, proto::SaverDef* out) {
  out->set_filename_tensor_name(saver.filename_tensor);
  out->set_save_tensor_name(saver.save_tensor);
  out->set_restore_op_name(saver.restore_operation);
  out->set_max_to_keep(saver.max_to_keep);
  out->set_sharded(saver.sharded);
  out->set_keep_checkpoint_every_n_hours(static_cast<float>(saver.keep_checkpoint_every_n_hours));
  out->set_version(proto::SaverDef::V2);
}

Result<SaverDescription> FromProto(const proto::SaverDef& saver) {
  if (saver.version() != proto::SaverDef::V2) {
    return Unimplemented("MetaGraph: its saver writes checkpoints of format ", static_cast<int>(saver.version()),
                         ", only 2 is known");
  }
  return SaverDescription{.filename_tensor = saver.filename_tensor_name(),
                          .save_tensor = saver.save_tensor_name(),
                          .restore_operation = saver.restore_op_name(),
                          .max_to_keep = saver.max_to_keep(),
                          .sharded = saver.sharded(),
                          .keep_checkpoint_every_n_hours = saver.keep_checkpoint_every_n_hours()};
}

void ToProto(const CollectionValues& values, proto::CollectionDef* out) {
  if (const auto* nodes = std::get_if<CollectionNames>(&values)) {
    for (const std::string& name : nodes->names) out->mutable_node_list()->add_value(name);
  } else if (const auto* bytes = std::get_if<CollectionBytes>(&values)) {
    for (const std::string& value : *bytes) out->mutable_bytes_list()->add_value(value);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&values)) {
    for (const int64_t value : *ints) out->mutable_int64_list()->add_value(value);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&values)) {
    for (const float value : *floats) out->mutable_float_list()->add_value(value);
  }
}

template <typename Message> Result<std::string> Serialize(const Message& message) {
  if (message.ByteSizeLong() > INT32_MAX) {
    return InvalidArgument("Graph: ", message.ByteSizeLong(), " bytes are over protobuf's limit of 2 GB");
  }
  return message.SerializeAsString();
}

template <typename To, typename From> To ListOf(const From& list) {
  return To(list.value().begin(), list.value().end());
}

std::optional<CollectionValues> FromProto(const proto::CollectionDef& in) {
  switch (in.kind_case()) {
    case proto::CollectionDef::kNodeList:
      return CollectionNames{ListOf<std::vector<std::string>>(in.node_list())};
    case proto::CollectionDef::kBytesList:
      return ListOf<CollectionBytes>(in.bytes_list());
    case proto::CollectionDef::kInt64List:
      return ListOf<std::vector<int64_t>>(in.int64_list());
    case proto::CollectionDef::kFloatList:
      return ListOf<std::vector<float>>(in.float_list());
    default:
      return std::nullopt;
  }
}

// "scope/name:0" to the endpoint; an empty name is no endpoint.
Result<Endpoint> FindEndpoint(const Graph& graph, const std::string& scope, const std::string& tensor) {
  if (tensor.empty()) return Endpoint{};
  const std::string name = scope.empty() ? tensor : StrCat(scope, "/", tensor);
  const size_t colon = name.rfind(':');
  Node* node = graph.Find(name.substr(0, colon));
  if (node == nullptr) return InvalidArgument("Variable: the graph has no node for '", name, "'");
  if (colon != std::string::npos && name.substr(colon) != ":0") {
    return InvalidArgument("Variable: '", name, "' is no first output");
  }
  return Endpoint{node, 0};
}

}  // namespace

SaverDescription DescribeSaver(const SaverNodes& nodes) {
  return {.filename_tensor = nodes.filename.ToString(),
          .save_tensor = nodes.save.ToString(),
          .restore_operation = nodes.restore_all->name(),
          .sharded = nodes.sharded};
}

Result<std::string> EncodeMetaGraph(const MetaGraph& meta_graph) {
  proto::MetaGraphDef out;
  HR_RETURN_IF_ERROR(GraphToProto(meta_graph.graph, out.mutable_graph_def()));
  for (const std::string& tag : meta_graph.tags) out.mutable_meta_info_def()->add_tags(tag);
  if (meta_graph.saver) ToProto(*meta_graph.saver, out.mutable_saver_def());
  for (const auto& [name, values] : meta_graph.collections) ToProto(values, &(*out.mutable_collection_def())[name]);
  return Serialize(out);
}

Result<MetaGraph> DecodeMetaGraph(std::string_view bytes, const std::shared_ptr<MemoryAccount>& account) {
  proto::MetaGraphDef in;
  if (bytes.size() > INT32_MAX || !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidArgument("MetaGraph: its ", bytes.size(), " bytes are no MetaGraphDef");
  }
  MetaGraph meta_graph;
  HR_ASSIGN_OR_RETURN(meta_graph.graph, GraphFromProto(in.graph_def(), account));
  if (in.has_saver_def()) {
    HR_ASSIGN_OR_RETURN(meta_graph.saver, FromProto(in.saver_def()));
  }
  for (const auto& [name, values] : in.collection_def()) {
    if (std::optional<CollectionValues> known = FromProto(values))
      meta_graph.collections.emplace(name, *std::move(known));
  }
  meta_graph.tags.assign(in.meta_info_def().tags().begin(), in.meta_info_def().tags().end());
  return meta_graph;
}

std::string EncodeVariable(const VariableNodes& variable) {
  proto::VariableDef out;
  out.set_variable_name(variable.handle.ToString());
  out.set_initializer_name(variable.initializer->name());
  out.set_snapshot_name(variable.snapshot.ToString());
  out.set_is_resource(!variable.is_ref());
  out.set_initial_value_name(variable.initial_value.ToString());
  out.set_trainable(variable.trainable);
  if (variable.slice) {
    proto::SaveSliceInfoDef* slice = out.mutable_save_slice_info_def();
    slice->set_full_name(variable.slice->full_name);
    for (const int64_t dim : variable.slice->full_shape) slice->add_full_shape(dim);
    for (const int64_t offset : variable.slice->offset) slice->add_var_offset(offset);
    for (int i = 0; i < variable.shape.rank(); ++i) slice->add_var_shape(variable.shape.dim(i));
  }
  return out.SerializeAsString();
}

Result<VariableNodes> DecodeVariable(std::string_view bytes, const Graph& graph, const std::string& import_scope) {
  proto::VariableDef in;
  if (bytes.size() > INT32_MAX || !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidArgument("Variable: its ", bytes.size(), " bytes are no VariableDef");
  }
  VariableNodes variable;
  HR_ASSIGN_OR_RETURN(variable.handle, FindEndpoint(graph, import_scope, in.variable_name()));
  HR_ASSIGN_OR_RETURN(const Endpoint initializer, FindEndpoint(graph, import_scope, in.initializer_name()));
  HR_ASSIGN_OR_RETURN(variable.initial_value, FindEndpoint(graph, import_scope, in.initial_value_name()));
  HR_ASSIGN_OR_RETURN(variable.snapshot, FindEndpoint(graph, import_scope, in.snapshot_name()));
  if (!variable.handle || !initializer || !variable.snapshot) {
    return InvalidArgument("Variable: '", in.variable_name(), "' does not say its nodes");
  }
  const Node& node = *variable.handle.node;
  variable.name = node.name();
  variable.initializer = initializer.node;
  variable.trainable = in.trainable();
  HR_RETURN_IF_ERROR(node.GetAttr("dtype", &variable.dtype));
  HR_RETURN_IF_ERROR(node.GetAttr("shape", &variable.shape));
  if (in.has_save_slice_info_def()) {
    const proto::SaveSliceInfoDef& slice = in.save_slice_info_def();
    variable.slice = VariableSlice{.full_name = slice.full_name(),
                                   .full_shape = {slice.full_shape().begin(), slice.full_shape().end()},
                                   .offset = {slice.var_offset().begin(), slice.var_offset().end()}};
  }
  return variable;
}

}  // namespace headrace::train
