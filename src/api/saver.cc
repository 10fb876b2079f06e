// See train.h: Saver.
#include <map>

#include "api/train.h"
#include "api/variable_access.h"
#include "checkpoint/retention.h"
#include "graph/import.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "train/meta_graph.h"
#include "train/saver.h"

namespace headrace::api::train {
namespace {

using headrace::train::SavedVariable;
using headrace::train::VariableNodes;

Result<std::string> MetaGraphOf(const Scope& scope, const headrace::train::SaverNodes& saver, int max_to_keep) {
  const GraphState& graph = *Access::GraphOf(scope);
  headrace::train::MetaGraph meta_graph;
  meta_graph.graph = ExportGraphDef(graph.graph);
  meta_graph.saver = DescribeSaver(saver);
  meta_graph.saver->max_to_keep = max_to_keep;
  headrace::train::CollectionBytes all, trainable;
  for (const VariableNodes& variable : graph.variables) {
    all.push_back(EncodeVariable(variable));
    if (variable.trainable) trainable.push_back(all.back());
  }
  if (!all.empty()) meta_graph.collections["variables"] = std::move(all);
  if (!trainable.empty()) meta_graph.collections["trainable_variables"] = std::move(trainable);
  return EncodeMetaGraph(meta_graph);
}

}  // namespace

struct Saver::Impl {
  Scope scope;
  headrace::train::SaverNodes nodes;
  int max_to_keep = 0;
  bool write_meta_graph = false;
  std::map<std::string, CheckpointRetention> retention;  // by directory
};

Saver::Saver(const CallScope& scope, const SaverOptions& options) : impl_(std::make_shared<Impl>()) {
  impl_->scope = scope.scope();
  impl_->max_to_keep = options.max_to_keep;
  impl_->write_meta_graph = options.write_meta_graph;
  if (!scope.scope().valid()) return;
  GraphState& graph = *Access::GraphOf(scope.scope());
  BuildAt(graph, scope.where(), [&]() -> Status {
    std::vector<SavedVariable> saved;
    for (const Variable& variable : options.variables) {
      if (variable.valid()) saved.push_back({{}, *VariableAccess::Nodes(variable)});
    }
    for (const auto& [name, variable] : options.renamed) {
      if (variable.valid()) saved.push_back({name, *VariableAccess::Nodes(variable)});
    }
    if (saved.empty()) {
      for (const VariableNodes& nodes : graph.variables) saved.push_back({{}, nodes});
    }
    HR_ASSIGN_OR_RETURN(impl_->nodes, BuildSaver(Access::Builder(scope.scope()), std::move(saved),
                                                 {.sharded = options.sharded, .reshape = options.reshape}));
    return OkStatus();
  });
}

Result<std::string> Saver::Save(Session& session, const std::string& prefix, std::optional<int64_t> step) {
  const std::string path = step ? StrCat(prefix, "-", *step) : prefix;
  const Output filename = Access::MakeOutput(impl_->scope, impl_->nodes.filename);
  const Output save = Access::MakeOutput(impl_->scope, impl_->nodes.save);
  HR_RETURN_IF_ERROR(session.Run(save, {.feeds = {{filename, Tensor::Scalar(path)}}}).status());
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  auto retention = impl_->retention.find(directory);
  if (retention == impl_->retention.end()) {
    HR_ASSIGN_OR_RETURN(CheckpointRetention opened, CheckpointRetention::Open(RealFileSystem(), RealClock(), directory,
                                                                              {.max_to_keep = impl_->max_to_keep}));
    retention = impl_->retention.emplace(directory, std::move(opened)).first;
  }
  if (impl_->write_meta_graph) {
    HR_ASSIGN_OR_RETURN(const std::string meta_graph, MetaGraphOf(impl_->scope, impl_->nodes, impl_->max_to_keep));
    HR_RETURN_IF_ERROR(WriteFileAtomically(RealFileSystem(), path + ".meta", meta_graph));
  }
  HR_RETURN_IF_ERROR(retention->second.Record(path));
  return path;
}

Status Saver::Restore(Session& session, const std::string& path) {
  const Output filename = Access::MakeOutput(impl_->scope, impl_->nodes.filename);
  const Operation restore = Access::MakeOperation(impl_->scope, impl_->nodes.restore_all);
  return session.Run(restore, {.feeds = {{filename, Tensor::Scalar(path)}}});
}

}  // namespace headrace::api::train
