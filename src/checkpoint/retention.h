// CheckpointRetention: the checkpoints of a directory, the newest of which are kept, and of the older ones one every
// few hours.
#pragma once

#include <string>
#include <string_view>

#include "checkpoint/checkpoint_state.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace {

struct HR_EXPORT RetentionOptions {
  int max_to_keep = 5;                 // 0: keep all
  double keep_every_n_hours = 10'000;  // one checkpoint of each such span is kept for good
};

/// One thread at a time.
class HR_EXPORT CheckpointRetention {
 public:
  /// Reads the directory's `checkpoint` file; a missing one means that there are no checkpoints yet. Errors: kDataLoss.
  static Result<CheckpointRetention> Open(FileSystem& files, Clock& clock, std::string directory,
                                          RetentionOptions options = {});

  /// Takes in the checkpoint `prefix`, which must be wholly written: makes it the newest in the `checkpoint` file, then
  /// deletes those that are too many. A checkpoint that cannot be deleted is logged, and no error.
  Status Record(const std::string& prefix);

  const CheckpointState& state() const { return state_; }

 private:
  CheckpointRetention(FileSystem& files, Clock& clock, std::string directory, RetentionOptions options)
      : files_(&files), clock_(&clock), directory_(std::move(directory)), options_(options) {}

  FileSystem* files_;
  Clock* clock_;
  std::string directory_;
  RetentionOptions options_;
  CheckpointState state_;
};

/// Deletes a bundle, its index first, and its ".meta" file. A part that is not there is no error.
HR_EXPORT Status DeleteCheckpoint(FileSystem& files, const std::string& prefix);

}  // namespace headrace
