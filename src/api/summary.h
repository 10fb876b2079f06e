// Summaries: values of a run for TensorBoard. Operations that make them, and the event file that keeps them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/output.h"
#include "api/scope.h"
#include "tensor/tensor.h"

namespace headrace {
class EventWriter;
}

namespace headrace::api::summary {

/// A string scalar that holds one value, a number of any real type, under `tag`.
HR_EXPORT Output Scalar(const std::string& tag, const Input& value);
/// How the elements of `values` are spread.
HR_EXPORT Output Histogram(const std::string& tag, const Input& values);
/// The first images of a batch [n, height, width, 1 | 3 | 4], as `tag`/image/0 and so on.
HR_EXPORT Output Image(const std::string& tag, const Input& images, int max_images = 3);
/// One summary of several.
HR_EXPORT Output Merge(const std::vector<Output>& summaries);
/// One of all that Scalar, Histogram and Image made in the scope's graph so far; empty when there are none.
HR_EXPORT Output MergeAll(const CallScope& scope);

enum class SessionStatus { kStart = 1, kStop = 2, kCheckpoint = 3 };

struct WriterOptions {
  std::string suffix = {};     // of the file's name
  double flush_seconds = 120;  // what was added is in the file at most so much later
};

/// Appends to an event file of its own in a directory. Thread-safe, cheap to copy; the last copy closes the file. Adding does
/// not wait for the disk. Errors of all but Open: those of the file, also of what was added before.
class HR_EXPORT SummaryWriter {
 public:
  /// Makes the directory where it is missing. Errors: the file system's.
  static Result<SummaryWriter> Open(const std::string& directory, const WriterOptions& options = {});

  /// `summary` is what the functions above computed: a string scalar.
  Status AddSummary(const Tensor& summary, int64_t step);
  /// The same in wire form.
  Status AddSummary(const std::string& summary, int64_t step);
  /// The scope's whole graph.
  Status AddGraph(const Scope& scope, int64_t step = 0);
  /// A GraphDef in wire form.
  Status AddGraph(const std::string& graph_def, int64_t step = 0);
  /// A MetaGraphDef in wire form.
  Status AddMetaGraph(const std::string& meta_graph_def, int64_t step = 0);
  /// `checkpoint_path` only with kCheckpoint.
  Status AddSessionLog(SessionStatus status, int64_t step, const std::string& checkpoint_path = {});
  /// RunMetadata in wire form, under a tag of its own.
  Status AddRunMetadata(const std::string& run_metadata, const std::string& tag, int64_t step);

  /// Waits until all is in the file, and durable.
  Status Flush();
  Status Close();
  const std::string& path() const;

 private:
  explicit SummaryWriter(std::shared_ptr<EventWriter> writer) : writer_(std::move(writer)) {}
  std::shared_ptr<EventWriter> writer_;
};

}  // namespace headrace::api::summary
