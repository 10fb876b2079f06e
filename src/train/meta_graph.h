// MetaGraph: a graph together with its saver and its collections, as the file that stands beside a checkpoint holds it
// (TensorFlow's MetaGraphDef, "<prefix>-<step>.meta").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/node_def.h"
#include "train/saver.h"

namespace headrace::train {

/// How a session saves and restores: names of a tensor, a tensor and an operation.
struct HR_EXPORT SaverDescription {
  std::string filename_tensor;
  std::string save_tensor;
  std::string restore_operation;
  int max_to_keep = 5;
  bool sharded = false;
  double keep_checkpoint_every_n_hours = 10000;
};

HR_EXPORT SaverDescription DescribeSaver(const SaverNodes& nodes);

/// One collection: names of nodes or tensors, messages in wire form, or numbers.
struct HR_EXPORT CollectionNames {
  std::vector<std::string> names;
};
using CollectionBytes = std::vector<std::string>;
using CollectionValues = std::variant<CollectionNames, CollectionBytes, std::vector<int64_t>, std::vector<float>>;

struct HR_EXPORT MetaGraph {
  GraphDef graph = {};
  std::optional<SaverDescription> saver = {};
  std::map<std::string, CollectionValues> collections = {};
  std::vector<std::string> tags = {};
};

/// Errors: those of the graph's codec (graph/graph_proto.h); kInvalidArgument over protobuf's limit of 2 GB.
HR_EXPORT Result<std::string> EncodeMetaGraph(const MetaGraph& meta_graph);
/// Collections of kinds that it does not know are left out. Errors: kInvalidArgument for bytes that are no MetaGraphDef;
/// those of the graph's codec; kUnimplemented for a saver of the first checkpoint format.
HR_EXPORT Result<MetaGraph> DecodeMetaGraph(std::string_view bytes,
                                            const std::shared_ptr<MemoryAccount>& account = nullptr);

/// A variable as collections hold it ("variables", "trainable_variables"): TensorFlow's VariableDef in wire form.
HR_EXPORT std::string EncodeVariable(const VariableNodes& variable);
/// Finds the variable's nodes in `graph`, below the name scope `import_scope` where that is not empty. Errors:
/// kInvalidArgument for bytes that are no VariableDef, or names that the graph does not have.
HR_EXPORT Result<VariableNodes> DecodeVariable(std::string_view bytes, const Graph& graph,
                                               const std::string& import_scope = {});

}  // namespace headrace::train
