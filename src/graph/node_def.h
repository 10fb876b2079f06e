// The graph as data: nodes that name their inputs, functions, and the whole with its library. TensorFlow's NodeDef,
// FunctionDef and GraphDef without protobuf; graph_proto.h converts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/attr_value.h"
#include "graph/op_signature.h"

namespace headrace {

/// One node. An input is "name", "name:k" or "^name" (control, last). In a function body it is "argument",
/// "node:output_name:k" or "^node".
struct HR_EXPORT NodeDef {
  std::string name;
  std::string op;
  std::string device;
  std::vector<std::string> inputs;
  AttrMap attrs;
};

/// A function: a signature and a body. `returns` maps each output's name to an input-like text of the body.
struct HR_EXPORT FunctionDef {
  OpSignature signature;
  std::vector<NodeDef> nodes;
  std::map<std::string, std::string> returns;
  std::map<std::string, std::string> control_returns;
  AttrMap attrs;
  std::map<int, AttrMap> arg_attrs;
};

struct HR_EXPORT GradientDef {
  std::string function_name;
  std::string gradient_function;
};

/// Version stamps of a graph. `producer` is what wrote it; a reader needs at least `min_consumer`.
struct HR_EXPORT GraphVersions {
  int producer = 2377;  // of TensorFlow 2.21, whose op semantics are followed
  int min_consumer = 0;
  std::vector<int> bad_consumers;
};

struct HR_EXPORT GraphDef {
  std::vector<NodeDef> nodes;
  std::vector<FunctionDef> functions;
  std::vector<GradientDef> gradients;
  GraphVersions versions;
};

}  // namespace headrace
