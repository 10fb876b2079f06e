// See summary.h.
#include "api/summary.h"

#include "api/emit.h"
#include "format/event.h"
#include "graph/graph_bytes.h"
#include "graph/import.h"

namespace headrace::api::summary {
namespace {

// Remembers the summary for MergeAll.
Output Collect(const Output& summary) {
  if (summary.valid()) Access::GraphOf(summary.scope())->summaries.push_back(Access::EndpointOf(summary));
  return summary;
}

}  // namespace

Output Scalar(const std::string& tag, const Input& value) {
  return Collect(Emit("ScalarSummary", {Tensor::Scalar(tag), value}));
}

Output Histogram(const std::string& tag, const Input& values) {
  return Collect(Emit("HistogramSummary", {Tensor::Scalar(tag), values}));
}

Output Image(const std::string& tag, const Input& images, int max_images) {
  return Collect(Emit("ImageSummary", {Tensor::Scalar(tag), images}, {{"max_images", int64_t{max_images}}}));
}

Output Merge(const std::vector<Output>& summaries) {
  return Emit("MergeSummary", {summaries.begin(), summaries.end()});
}

Output MergeAll(const CallScope& scope) {
  const std::shared_ptr<GraphState> graph = Access::GraphOf(scope.scope());
  if (graph == nullptr || graph->summaries.empty()) return {};
  std::vector<Output> outputs;
  for (const Endpoint summary : graph->summaries) outputs.push_back(Access::MakeOutput(scope.scope(), summary));
  return Merge(outputs);
}

Result<SummaryWriter> SummaryWriter::Open(const std::string& directory, const WriterOptions& options) {
  HR_ASSIGN_OR_RETURN(
      std::unique_ptr<EventWriter> writer,
      EventWriter::Create(directory, {.suffix = options.suffix, .flush_seconds = options.flush_seconds}));
  return SummaryWriter(std::move(writer));
}

Status SummaryWriter::AddSummary(const Tensor& summary, int64_t step) {
  if (summary.dtype() != DType::kString || summary.rank() != 0) {
    return InvalidArgument("SummaryWriter: a summary is a string scalar, got ", summary);
  }
  return AddSummary(summary.scalar<std::string>(), step);
}

Status SummaryWriter::AddSummary(const std::string& summary, int64_t step) {
  return writer_->Add(EventKind::kSummary, summary, step);
}

Status SummaryWriter::AddGraph(const Scope& scope, int64_t step) {
  if (!scope.valid()) return InvalidArgument("SummaryWriter: the scope has no graph");
  HR_ASSIGN_OR_RETURN(const std::string graph, SerializeGraphDef(ExportGraphDef(Access::GraphOf(scope)->graph)));
  return AddGraph(graph, step);
}

Status SummaryWriter::AddGraph(const std::string& graph_def, int64_t step) {
  return writer_->Add(EventKind::kGraphDef, graph_def, step);
}

Status SummaryWriter::AddMetaGraph(const std::string& meta_graph_def, int64_t step) {
  return writer_->Add(EventKind::kMetaGraphDef, meta_graph_def, step);
}

Status SummaryWriter::AddSessionLog(SessionStatus status, int64_t step, const std::string& checkpoint_path) {
  return writer_->Add(EventKind::kSessionLog,
                      EncodeSessionLog(static_cast<headrace::SessionStatus>(status), checkpoint_path, ""), step);
}

Status SummaryWriter::AddRunMetadata(const std::string& run_metadata, const std::string& tag, int64_t step) {
  return writer_->Add(EventKind::kTaggedRunMetadata, EncodeTaggedRunMetadata(tag, run_metadata), step);
}

Status SummaryWriter::Flush() { return writer_->Flush(); }
Status SummaryWriter::Close() { return writer_->Close(); }
const std::string& SummaryWriter::path() const { return writer_->path(); }

}  // namespace headrace::api::summary
