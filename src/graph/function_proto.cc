// The part of the GraphDef codec (graph_proto.h) about signatures and functions.
#include "graph/graph_proto.h"

#include "headrace/proto/graph.pb.h"

namespace headrace {

namespace {

template <typename Map> Result<AttrMap> AttrsFromProto(const Map& map, const std::shared_ptr<MemoryAccount>& account) {
  AttrMap attrs;
  for (const auto& [name, value] : map) {
    HR_ASSIGN_OR_RETURN(AttrValue attr, AttrFromProto(value, account));
    attrs.emplace(name, std::move(attr));
  }
  return attrs;
}

template <typename Map> Status AttrsToProto(const AttrMap& attrs, Map* map) {
  for (const auto& [name, value] : attrs) HR_RETURN_IF_ERROR(AttrToProto(value, &(*map)[name]));
  return OkStatus();
}

Result<ArgSignature> ArgFromProto(const proto::OpDef::ArgDef& proto) {
  ArgSignature arg;
  arg.name = proto.name();
  arg.type = static_cast<DType>(proto.type());
  arg.type_attr = proto.type_attr();
  arg.number_attr = proto.number_attr();
  arg.type_list_attr = proto.type_list_attr();
  arg.is_ref = proto.is_ref();
  const int types = (arg.type != DType::kInvalid) + !arg.type_attr.empty() + !arg.type_list_attr.empty();
  if (types != 1) return InvalidArgument("argument '", arg.name, "' has ", types, " types, wanted is one");
  if (arg.type != DType::kInvalid && DTypeSize(arg.type) == 0) {
    return InvalidArgument("argument '", arg.name, "' has the unknown dtype ", static_cast<int>(arg.type));
  }
  return arg;
}

void ArgToProto(const ArgSignature& arg, proto::OpDef::ArgDef* proto) {
  proto->set_name(arg.name);
  proto->set_type(static_cast<proto::DataType>(arg.type));
  proto->set_type_attr(arg.type_attr);
  proto->set_number_attr(arg.number_attr);
  proto->set_type_list_attr(arg.type_list_attr);
  proto->set_is_ref(arg.is_ref);
}

Result<AttrSignature> AttrSignatureFromProto(const proto::OpDef::AttrDef& proto) {
  AttrSignature attr;
  attr.name = proto.name();
  attr.kind = proto.type();
  if (proto.has_default_value()) {
    HR_ASSIGN_OR_RETURN(attr.default_value, AttrFromProto(proto.default_value()));
  }
  if (proto.has_minimum()) attr.minimum = proto.minimum();
  for (const int type : proto.allowed_values().list().type()) attr.allowed_types.push_back(static_cast<DType>(type));
  const auto& texts = proto.allowed_values().list().s();
  attr.allowed_strings.assign(texts.begin(), texts.end());
  return attr;
}

Status AttrSignatureToProto(const AttrSignature& attr, proto::OpDef::AttrDef* proto) {
  proto->set_name(attr.name);
  proto->set_type(attr.kind);
  if (attr.default_value) HR_RETURN_IF_ERROR(AttrToProto(*attr.default_value, proto->mutable_default_value()));
  proto->set_has_minimum(attr.minimum.has_value());
  proto->set_minimum(attr.minimum.value_or(0));
  for (const DType type : attr.allowed_types) {
    proto->mutable_allowed_values()->mutable_list()->add_type(static_cast<proto::DataType>(type));
  }
  for (const std::string& text : attr.allowed_strings) proto->mutable_allowed_values()->mutable_list()->add_s(text);
  return OkStatus();
}

Result<FunctionDef> DecodeFunction(const proto::FunctionDef& proto, const std::shared_ptr<MemoryAccount>& account) {
  FunctionDef function;
  HR_ASSIGN_OR_RETURN(function.signature, SignatureFromProto(proto.signature()));
  for (const auto& node : proto.node_def()) {
    HR_ASSIGN_OR_RETURN(function.nodes.emplace_back(), NodeFromProto(node, account));
  }
  function.returns.insert(proto.ret().begin(), proto.ret().end());
  function.control_returns.insert(proto.control_ret().begin(), proto.control_ret().end());
  HR_ASSIGN_OR_RETURN(function.attrs, AttrsFromProto(proto.attr(), account));
  for (const auto& [index, attrs] : proto.arg_attr()) {
    HR_ASSIGN_OR_RETURN(function.arg_attrs[static_cast<int>(index)], AttrsFromProto(attrs.attr(), account));
  }
  return function;
}

}  // namespace

Result<OpSignature> SignatureFromProto(const proto::OpDef& proto) {
  OpSignature signature;
  signature.name = proto.name();
  for (const auto& arg : proto.input_arg()) {
    HR_ASSIGN_OR_RETURN(signature.inputs.emplace_back(), ArgFromProto(arg));
  }
  for (const auto& arg : proto.output_arg()) {
    HR_ASSIGN_OR_RETURN(signature.outputs.emplace_back(), ArgFromProto(arg));
  }
  for (const auto& attr : proto.attr()) {
    HR_ASSIGN_OR_RETURN(signature.attrs.emplace_back(), AttrSignatureFromProto(attr));
  }
  signature.stateful = proto.is_stateful();
  signature.commutative = proto.is_commutative();
  signature.aggregate = proto.is_aggregate();
  signature.allows_uninitialized_input = proto.allows_uninitialized_input();
  return signature;
}

Status SignatureToProto(const OpSignature& signature, proto::OpDef* proto) {
  proto->Clear();
  proto->set_name(signature.name);
  for (const ArgSignature& arg : signature.inputs) ArgToProto(arg, proto->add_input_arg());
  for (const ArgSignature& arg : signature.outputs) ArgToProto(arg, proto->add_output_arg());
  for (const AttrSignature& attr : signature.attrs) HR_RETURN_IF_ERROR(AttrSignatureToProto(attr, proto->add_attr()));
  proto->set_is_stateful(signature.stateful);
  proto->set_is_commutative(signature.commutative);
  proto->set_is_aggregate(signature.aggregate);
  proto->set_allows_uninitialized_input(signature.allows_uninitialized_input);
  return OkStatus();
}

Result<FunctionDef> FunctionFromProto(const proto::FunctionDef& proto, const std::shared_ptr<MemoryAccount>& account) {
  Result<FunctionDef> function = DecodeFunction(proto, account);
  if (function.ok()) return function;
  return Status(function.status().code(),
                StrCat("Function '", proto.signature().name(), "': ", function.status().message()));
}

Status FunctionToProto(const FunctionDef& function, proto::FunctionDef* proto) {
  proto->Clear();
  HR_RETURN_IF_ERROR(SignatureToProto(function.signature, proto->mutable_signature()));
  for (const NodeDef& node : function.nodes) HR_RETURN_IF_ERROR(NodeToProto(node, proto->add_node_def()));
  proto->mutable_ret()->insert(function.returns.begin(), function.returns.end());
  for (const auto& [name, node] : function.control_returns) {
    (*proto->mutable_control_ret())[name] = node;
    proto->mutable_signature()->add_control_output(name);
  }
  HR_RETURN_IF_ERROR(AttrsToProto(function.attrs, proto->mutable_attr()));
  for (const auto& [index, attrs] : function.arg_attrs) {
    auto& out = (*proto->mutable_arg_attr())[static_cast<uint32_t>(index)];
    HR_RETURN_IF_ERROR(AttrsToProto(attrs, out.mutable_attr()));
  }
  return OkStatus();
}

}  // namespace headrace
