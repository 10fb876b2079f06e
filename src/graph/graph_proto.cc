// A list without items does not say its kind on the wire: it is read as a list of ints, and CompleteAttrs gives it the kind that
// the op declares.
#include "graph/graph_proto.h"

#include <algorithm>

#include "graph/node_error.h"
#include "headrace/proto/graph.pb.h"
#include "tensor/tensor_proto.h"

namespace headrace {

namespace {

constexpr int kMaxDepth = 100;

// What decoding carries along: the account for tensors, and how deep in functions' attributes it is.
struct Decoder {
  const std::shared_ptr<MemoryAccount>& account;
  int depth = 0;

  Result<AttrValue> Attr(const proto::AttrValue& proto) const;
  Result<AttrValue> List(const proto::AttrValue::ListValue& list) const;
  Result<FunctionRef> Function(const proto::NameAttrList& proto) const;
  template <typename Map> Result<AttrMap> Attrs(const Map& map) const;
};

template <typename Map> Result<AttrMap> Decoder::Attrs(const Map& map) const {
  AttrMap attrs;
  for (const auto& [name, value] : map) {
    Result<AttrValue> attr = Attr(value);
    if (!attr.ok()) return Status(attr.status().code(), StrCat("Attribute '", name, "': ", attr.status().message()));
    attrs.emplace(name, *std::move(attr));
  }
  return attrs;
}

Result<FunctionRef> Decoder::Function(const proto::NameAttrList& proto) const {
  if (depth >= kMaxDepth) return InvalidArgument("functions in attributes nest more than ", kMaxDepth, " deep");
  FunctionRef function{.name = proto.name(), .attrs = nullptr};
  if (proto.attr().empty()) return function;
  const Decoder inner{account, depth + 1};
  HR_ASSIGN_OR_RETURN(AttrMap attrs, inner.Attrs(proto.attr()));
  function.attrs = std::make_shared<const AttrMap>(std::move(attrs));
  return function;
}

template <typename T, typename List, typename Convert>
Result<AttrValue> ConvertList(const List& list, Convert convert) {
  std::vector<T> values;
  values.reserve(static_cast<size_t>(list.size()));
  for (const auto& item : list) {
    Result<T> value = convert(item);
    if (!value.ok()) return value.status();
    values.push_back(*std::move(value));
  }
  return AttrValue(std::move(values));
}

Result<AttrValue> Decoder::List(const proto::AttrValue::ListValue& list) const {
  const int kinds = !list.s().empty() + !list.i().empty() + !list.f().empty() + !list.b().empty() +
                    !list.type().empty() + !list.shape().empty() + !list.tensor().empty() + !list.func().empty();
  if (kinds > 1) return InvalidArgument("a list has items of ", kinds, " kinds");
  if (!list.s().empty()) return AttrValue(std::vector<std::string>(list.s().begin(), list.s().end()));
  if (!list.f().empty()) return AttrValue(std::vector<float>(list.f().begin(), list.f().end()));
  if (!list.b().empty()) return AttrValue(std::vector<bool>(list.b().begin(), list.b().end()));
  if (!list.type().empty()) {
    return ConvertList<DType>(list.type(), [](int type) -> Result<DType> { return static_cast<DType>(type); });
  }
  if (!list.shape().empty()) return ConvertList<PartialShape>(list.shape(), ShapeFromProto);
  if (!list.tensor().empty()) {
    return ConvertList<Tensor>(list.tensor(), [this](const auto& tensor) { return TensorFromProto(tensor, account); });
  }
  if (!list.func().empty()) {
    return ConvertList<FunctionRef>(list.func(), [this](const auto& function) { return Function(function); });
  }
  return AttrValue(std::vector<int64_t>(list.i().begin(), list.i().end()));
}

template <typename T> Result<AttrValue> AsAttr(Result<T> result) {
  if (!result.ok()) return result.status();
  return AttrValue(*std::move(result));
}

Result<AttrValue> Decoder::Attr(const proto::AttrValue& proto) const {
  switch (proto.value_case()) {
    case proto::AttrValue::kList:
      return List(proto.list());
    case proto::AttrValue::kS:
      return AttrValue(proto.s());
    case proto::AttrValue::kI:
      return AttrValue(static_cast<int64_t>(proto.i()));
    case proto::AttrValue::kF:
      return AttrValue(proto.f());
    case proto::AttrValue::kB:
      return AttrValue(proto.b());
    case proto::AttrValue::kType:
      return AttrValue(static_cast<DType>(proto.type()));
    case proto::AttrValue::kShape:
      return AsAttr(ShapeFromProto(proto.shape()));
    case proto::AttrValue::kTensor:
      return AsAttr(TensorFromProto(proto.tensor(), account));
    case proto::AttrValue::kFunc:
      return AsAttr(Function(proto.func()));
    case proto::AttrValue::kPlaceholder:
      return AttrValue(AttrPlaceholder{proto.placeholder()});
    case proto::AttrValue::VALUE_NOT_SET:
      return AttrValue();
  }
  return InvalidArgument("a value of unknown kind");
}

template <typename Map> Status AttrsToProto(const AttrMap& attrs, Map* map) {
  for (const auto& [name, value] : attrs) {
    const Status status = AttrToProto(value, &(*map)[name]);
    if (!status.ok()) return Status(status.code(), StrCat("Attribute '", name, "': ", status.message()));
  }
  return OkStatus();
}

Status FunctionRefToProto(const FunctionRef& function, proto::NameAttrList* proto) {
  proto->set_name(function.name);
  return function.attrs == nullptr ? OkStatus() : AttrsToProto(*function.attrs, proto->mutable_attr());
}

// Writes the value's alternative into the message; overloads for all of AttrValue::Value's.
struct Encoder {
  proto::AttrValue* out;

  Status operator()(std::monostate) const { return OkStatus(); }
  Status operator()(bool value) const { return out->set_b(value), OkStatus(); }
  Status operator()(int64_t value) const { return out->set_i(value), OkStatus(); }
  Status operator()(float value) const { return out->set_f(value), OkStatus(); }
  Status operator()(const std::string& value) const { return out->set_s(value), OkStatus(); }
  Status operator()(DType value) const { return out->set_type(static_cast<proto::DataType>(value)), OkStatus(); }
  Status operator()(const PartialShape& value) const { return ShapeToProto(value, out->mutable_shape()), OkStatus(); }
  Status operator()(const Tensor& value) const { return TensorToProto(value, out->mutable_tensor()); }
  Status operator()(const FunctionRef& value) const { return FunctionRefToProto(value, out->mutable_func()); }
  Status operator()(const AttrPlaceholder& value) const { return out->set_placeholder(value.name), OkStatus(); }
  template <typename T> Status operator()(const std::vector<T>& values) const {
    auto* list = out->mutable_list();
    for (const auto& value : values) HR_RETURN_IF_ERROR(AddItem(list, static_cast<const T&>(value)));
    return OkStatus();
  }

  using List = proto::AttrValue::ListValue;
  static Status AddItem(List* list, bool value) { return list->add_b(value), OkStatus(); }
  static Status AddItem(List* list, int64_t value) { return list->add_i(value), OkStatus(); }
  static Status AddItem(List* list, float value) { return list->add_f(value), OkStatus(); }
  static Status AddItem(List* list, const std::string& value) { return list->add_s(value), OkStatus(); }
  static Status AddItem(List* list, DType value) {
    return list->add_type(static_cast<proto::DataType>(value)), OkStatus();
  }
  static Status AddItem(List* list, const PartialShape& value) {
    return ShapeToProto(value, list->add_shape()), OkStatus();
  }
  static Status AddItem(List* list, const Tensor& value) { return TensorToProto(value, list->add_tensor()); }
  static Status AddItem(List* list, const FunctionRef& value) { return FunctionRefToProto(value, list->add_func()); }
};

}  // namespace

Result<AttrValue> AttrFromProto(const proto::AttrValue& proto, const std::shared_ptr<MemoryAccount>& account) {
  return Decoder{account}.Attr(proto);
}

Status AttrToProto(const AttrValue& value, proto::AttrValue* proto) {
  proto->Clear();
  return std::visit(Encoder{proto}, value.value());
}

Result<NodeDef> NodeFromProto(const proto::NodeDef& proto, const std::shared_ptr<MemoryAccount>& account) {
  NodeDef node;
  node.name = proto.name();
  node.op = proto.op();
  node.device = proto.device();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  Result<AttrMap> attrs = Decoder{account}.Attrs(proto.attr());
  if (!attrs.ok()) return AtNode(attrs.status(), proto.name());
  node.attrs = *std::move(attrs);
  return node;
}

Status NodeToProto(const NodeDef& node, proto::NodeDef* proto) {
  proto->Clear();
  proto->set_name(node.name);
  proto->set_op(node.op);
  proto->set_device(node.device);
  proto->mutable_input()->Add(node.inputs.begin(), node.inputs.end());
  return AtNode(AttrsToProto(node.attrs, proto->mutable_attr()), node.name);
}

Result<GraphDef> GraphFromProto(const proto::GraphDef& proto, const std::shared_ptr<MemoryAccount>& account) {
  GraphDef graph;
  graph.nodes.reserve(static_cast<size_t>(proto.node_size()));
  for (const auto& node : proto.node()) {
    HR_ASSIGN_OR_RETURN(graph.nodes.emplace_back(), NodeFromProto(node, account));
  }
  for (const auto& function : proto.library().function()) {
    HR_ASSIGN_OR_RETURN(graph.functions.emplace_back(), FunctionFromProto(function, account));
  }
  for (const auto& gradient : proto.library().gradient()) {
    graph.gradients.push_back({gradient.function_name(), gradient.gradient_func()});
  }
  const auto& versions = proto.versions();
  graph.versions.producer = proto.has_versions() ? versions.producer() : proto.version();
  graph.versions.min_consumer = versions.min_consumer();
  graph.versions.bad_consumers.assign(versions.bad_consumers().begin(), versions.bad_consumers().end());
  return graph;
}

Status GraphToProto(const GraphDef& graph, proto::GraphDef* proto) {
  proto->Clear();
  for (const NodeDef& node : graph.nodes) HR_RETURN_IF_ERROR(NodeToProto(node, proto->add_node()));
  for (const FunctionDef& function : graph.functions) {
    HR_RETURN_IF_ERROR(FunctionToProto(function, proto->mutable_library()->add_function()));
  }
  for (const GradientDef& gradient : graph.gradients) {
    auto* out = proto->mutable_library()->add_gradient();
    out->set_function_name(gradient.function_name);
    out->set_gradient_func(gradient.gradient_function);
  }
  auto* versions = proto->mutable_versions();
  versions->set_producer(graph.versions.producer);
  versions->set_min_consumer(graph.versions.min_consumer);
  for (const int consumer : graph.versions.bad_consumers) versions->add_bad_consumers(consumer);
  return OkStatus();
}

}  // namespace headrace
