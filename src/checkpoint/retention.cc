#include "checkpoint/retention.h"

#include <algorithm>

#include "checkpoint/bundle_index.h"
#include "os/log.h"

namespace headrace {

Status DeleteCheckpoint(FileSystem& files, const std::string& prefix) {
  Status kept;
  const auto remove = [&](const std::string& path) {
    const Status status = files.Delete(path);
    if (!status.ok() && status.code() != Code::kNotFound) KeepRootCause(&kept, status);
  };
  remove(BundleIndexPath(prefix));
  const std::string directory = DirectoryOf(prefix);
  const std::string data_name = StrCat(prefix.substr(prefix.rfind('/') + 1), ".data-");
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) {
    if (name.starts_with(data_name)) remove(JoinPath(directory, name));
  }
  remove(prefix + ".meta");
  return kept;
}

Result<CheckpointRetention> CheckpointRetention::Open(FileSystem& files, Clock& clock, std::string directory,
                                                      RetentionOptions options) {
  CheckpointRetention retention(files, clock, std::move(directory), options);
  Result<CheckpointState> state = ReadCheckpointState(files, retention.directory_);
  if (!state.ok() && state.status().code() != Code::kNotFound) return state.status();
  const double now = static_cast<double>(clock.WallMicros()) * 1e-6;
  if (state.ok()) retention.state_ = *std::move(state);
  if (retention.state_.timestamps.empty()) retention.state_.timestamps.assign(retention.state_.all.size(), now);
  if (retention.state_.last_preserved_timestamp == 0) retention.state_.last_preserved_timestamp = now;
  return retention;
}

Status CheckpointRetention::Record(const std::string& prefix) {
  const auto same = std::ranges::find(state_.all, prefix);
  if (same != state_.all.end()) {
    state_.timestamps.erase(state_.timestamps.begin() + (same - state_.all.begin()));
    state_.all.erase(same);
  }
  state_.newest = prefix;
  state_.all.push_back(prefix);
  state_.timestamps.push_back(static_cast<double>(clock_->WallMicros()) * 1e-6);
  std::vector<std::string> too_many;
  while (options_.max_to_keep > 0 && std::ssize(state_.all) > options_.max_to_keep) {
    if (state_.timestamps[0] >= state_.last_preserved_timestamp + options_.keep_every_n_hours * 3600) {
      state_.last_preserved_timestamp = state_.timestamps[0];  // it stays, though no longer in the list
    } else {
      too_many.push_back(state_.all[0]);
    }
    state_.all.erase(state_.all.begin());
    state_.timestamps.erase(state_.timestamps.begin());
  }
  HR_RETURN_IF_ERROR(WriteCheckpointState(*files_, directory_, state_));
  for (const std::string& old : too_many) {
    const Status status = DeleteCheckpoint(*files_, old);
    if (!status.ok()) LogWarning("checkpoint", "an old checkpoint stays: ", status);
  }
  return OkStatus();
}

}  // namespace headrace
