// The file `checkpoint` of a checkpoint directory: which checkpoints there are, in TensorFlow's text form.
//
//   file  = { "model_checkpoint_path: " text | "all_model_checkpoint_paths: " text | other field }
//   text  = a quoted string with C escapes; a relative path is relative to the directory
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "os/file_system.h"

namespace headrace::train {

/// The newest checkpoint and all that are kept, oldest first. Paths are prefixes, as given to SaveV2.
struct HR_EXPORT CheckpointState {
  std::string latest;
  std::vector<std::string> all;
};

/// Reads `directory`/checkpoint; relative paths are completed. Errors: kNotFound without such a file; kDataLoss for a text that cannot
/// be read.
HR_EXPORT Result<CheckpointState> ReadCheckpointState(FileSystem& files, const std::string& directory);
/// Writes it, atomically; paths inside the directory are stored relative to it.
HR_EXPORT Status WriteCheckpointState(FileSystem& files, const std::string& directory, const CheckpointState& state);

/// The prefix of the newest checkpoint in the directory, or "" when there is none. Errors: kDataLoss as above.
HR_EXPORT Result<std::string> LatestCheckpoint(FileSystem& files, const std::string& directory);

/// Deletes a checkpoint's files: index, data and meta. One that does not exist is fine.
HR_EXPORT Status DeleteCheckpoint(FileSystem& files, const std::string& prefix);

/// Remembers which checkpoints a program wrote and deletes the oldest beyond `max_to_keep` (0: keeps all).
class HR_EXPORT CheckpointRetention {
 public:
  explicit CheckpointRetention(int max_to_keep = 5) : max_to_keep_(max_to_keep) {}

  /// Takes over the ones that the directory knows; for a program that resumes.
  Status Recover(FileSystem& files, const std::string& directory);
  /// To call once `prefix` is complete: updates the state file, then deletes what is too many.
  Status Add(FileSystem& files, const std::string& prefix);
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  int max_to_keep_;
  std::vector<std::string> kept_;  // oldest first
};

}  // namespace headrace::train
