// The `checkpoint` file of a directory: which checkpoints there are, and which is the newest. Protobuf's text form of
//
//   model_checkpoint_path: "model.ckpt-20"             prefix of the newest
//   all_model_checkpoint_paths: "model.ckpt-10"        oldest first; one line each
//   all_model_checkpoint_timestamps: 1700000000.5      seconds since 1970, one line each
//   last_preserved_timestamp: 1700000000.5             of the newest that is kept for good
//
// Relative paths count from the directory.
#pragma once

#include <string>
#include <vector>

#include "os/file_system.h"

namespace headrace {

struct HR_EXPORT CheckpointState {
  std::string newest;              // empty when there is none
  std::vector<std::string> all;    // oldest first
  std::vector<double> timestamps;  // of `all`; or empty
  double last_preserved_timestamp = 0;
};

inline constexpr char kCheckpointStateFile[] = "checkpoint";

/// Paths in it begin with `directory`, unless they are absolute. `name`: where the file is called otherwise. Errors: kNotFound
/// when there is no such file; kDataLoss when it cannot be read.
HR_EXPORT Result<CheckpointState> ReadCheckpointState(FileSystem& files, const std::string& directory,
                                                      const std::string& name = kCheckpointStateFile);

/// Replaces the file at once. Paths below `directory` are written relative to it, so that it may be moved. Call it
/// after the checkpoints that it names are written.
HR_EXPORT Status WriteCheckpointState(FileSystem& files, const std::string& directory, const CheckpointState& state,
                                      const std::string& name = kCheckpointStateFile);

/// The prefix of the newest checkpoint of a directory. Errors: kNotFound when there is none, or its index is missing;
/// kDataLoss.
HR_EXPORT Result<std::string> LatestCheckpoint(FileSystem& files, const std::string& directory);

}  // namespace headrace
