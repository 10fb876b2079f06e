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
HR_EXPORT Result<GraphDef> GraphFromProto(const proto::GraphDef& proto,
                                          const std::shared_ptr<MemoryAccount>& account = nullptr);
/// Errors: kInvalidArgument for invalid tensors among the attributes; those of VariantObject::Encode.
HR_EXPORT Status GraphToProto(const GraphDef& graph, proto::GraphDef* proto);

HR_EXPORT Result<NodeDef> NodeFromProto(const proto::NodeDef& proto,
                                        const std::shared_ptr<MemoryAccount>& account = nullptr);
HR_EXPORT Status NodeToProto(const NodeDef& node, proto::NodeDef* proto);

HR_EXPORT Result<FunctionDef> FunctionFromProto(const proto::FunctionDef& proto,
                                                const std::shared_ptr<MemoryAccount>& account = nullptr);
HR_EXPORT Status FunctionToProto(const FunctionDef& function, proto::FunctionDef* proto);

HR_EXPORT Result<AttrValue> AttrFromProto(const proto::AttrValue& proto,
                                          const std::shared_ptr<MemoryAccount>& account = nullptr);
HR_EXPORT Status AttrToProto(const AttrValue& value, proto::AttrValue* proto);

/// The signature part of an OpDef. Errors: kInvalidArgument for arguments without a type, and as AttrFromProto.
HR_EXPORT Result<OpSignature> SignatureFromProto(const proto::OpDef& proto);
HR_EXPORT Status SignatureToProto(const OpSignature& signature, proto::OpDef* proto);

}  // namespace headrace
