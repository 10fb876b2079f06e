#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "checkpoint/bundle_entry.h"
#include "checkpoint/checkpoint_state.h"
#include "headrace/proto/checkpoint.pb.h"

namespace headrace {

namespace {

/// Keeps the first complaint.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty()) text = StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  std::string text;
};

std::string RelativeTo(const std::string& directory, const std::string& path) {
  const std::string prefix = directory.empty() || directory.ends_with('/') ? directory : directory + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

}  // namespace

Result<CheckpointState> ReadCheckpointState(FileSystem& files, const std::string& directory, const std::string& name) {
  const std::string path = JoinPath(directory, name);
  HR_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(files, path));
  proto::CheckpointState in;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.AllowUnknownField(true);
  if (!parser.ParseFromString(text, &in)) return DataLoss(path, ": ", error.text);
  CheckpointState state;
  if (!in.model_checkpoint_path().empty()) state.newest = JoinPath(directory, in.model_checkpoint_path());
  for (const std::string& prefix : in.all_model_checkpoint_paths()) state.all.push_back(JoinPath(directory, prefix));
  state.timestamps.assign(in.all_model_checkpoint_timestamps().begin(), in.all_model_checkpoint_timestamps().end());
  if (!state.timestamps.empty() && state.timestamps.size() != state.all.size()) {
    return DataLoss(path, ": it has ", state.all.size(), " checkpoints and ", state.timestamps.size(), " timestamps");
  }
  state.last_preserved_timestamp = in.last_preserved_timestamp();
  return state;
}

Status WriteCheckpointState(FileSystem& files, const std::string& directory, const CheckpointState& state,
                            const std::string& name) {
  const std::string path = JoinPath(directory, name);
  proto::CheckpointState out;
  out.set_model_checkpoint_path(RelativeTo(directory, state.newest));
  for (const std::string& prefix : state.all) out.add_all_model_checkpoint_paths(RelativeTo(directory, prefix));
  for (const double timestamp : state.timestamps) out.add_all_model_checkpoint_timestamps(timestamp);
  if (state.last_preserved_timestamp != 0) out.set_last_preserved_timestamp(state.last_preserved_timestamp);
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(out, &text)) return Internal(path, ": cannot be put in words");
  return WriteFileAtomically(files, path, text);
}

Result<std::string> LatestCheckpoint(FileSystem& files, const std::string& directory) {
  HR_ASSIGN_OR_RETURN(const CheckpointState state, ReadCheckpointState(files, directory));
  const std::string path = JoinPath(directory, kCheckpointStateFile);
  if (state.newest.empty()) return NotFound(path, ": it names no checkpoint");
  const std::string index = BundleIndexPath(state.newest);
  if (!files.Exists(index)) return NotFound(path, ": it names a checkpoint that is not there: ", index);
  return state.newest;
}

}  // namespace headrace
