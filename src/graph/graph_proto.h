// GraphDef codec: graphs, nodes, functions and attributes to and from TensorFlow's wire form. What a graph means is checked by
// ImportGraphDef (import.h), not here.
#pragma once

#include <memory>

#include "graph/node_def.h"

namespace headrace {

namespace proto {
class AttrValue;
class FunctionDef;
class GraphDef;
class NodeDef;
class OpDef;
}  // namespace proto

/// Errors: kInvalidArgument for values that cannot be read and nesting over 100 deep; kResourceExhausted for tensors over the
/// account's limit. A message about a node ends with its name.
Result<GraphDef> GraphFromProto(const proto::GraphDef& proto, const std::shared_ptr<MemoryAccount>& account = nullptr);
/// Errors: kInvalidArgument for invalid tensors among the attributes; those of VariantObject::Encode.
Status GraphToProto(const GraphDef& graph, proto::GraphDef* proto);

Result<NodeDef> NodeFromProto(const proto::NodeDef& proto, const std::shared_ptr<MemoryAccount>& account = nullptr);
Status NodeToProto(const NodeDef& node, proto::NodeDef* proto);

Result<FunctionDef> FunctionFromProto(const proto::FunctionDef& proto,
                                      const std::shared_ptr<MemoryAccount>& account = nullptr);
Status FunctionToProto(const FunctionDef& function, proto::FunctionDef* proto);

Result<AttrValue> AttrFromProto(const proto::AttrValue& proto, const std::shared_ptr<MemoryAccount>& account = nullptr);
Status AttrToProto(const AttrValue& value, proto::AttrValue* proto);

/// The signature part of an OpDef. Errors: kInvalidArgument for arguments without a type, and as AttrFromProto.
Result<OpSignature> SignatureFromProto(const proto::OpDef& proto);
Status SignatureToProto(const OpSignature& signature, proto::OpDef* proto);

}  // namespace headrace
