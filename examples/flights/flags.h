// The demo's command line, and its place in the cluster (from TF_CONFIG; without it, one process does everything).
#pragma once

#include <headrace/headrace.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace flights {

namespace hr = headrace::api;

struct Flags {
  std::string data, checkpoint_directory, result_file;
  bool resume = false;
  double save_seconds = 1;
  int64_t max_steps = 0;  // of this worker; 0: until the data ends

  hr::ClusterSpec cluster;  // empty: no cluster
  int worker = 0, num_workers = 1;

  bool is_chief() const { return worker == 0; }
  bool is_distributed() const { return !cluster.empty(); }
  std::string WorkerDevice() const { return is_distributed() ? "/job:worker/task:" + std::to_string(worker) : ""; }
  std::string SaverDevice() const { return is_distributed() ? "/job:ps/task:0" : ""; }

  /// The files data/PREFIX-*.tfrecord, sorted.
  std::vector<std::string> Files(const std::string& prefix) const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(data)) {
      const std::string name = entry.path().filename();
      if (name.starts_with(prefix + "-") && name.ends_with(".tfrecord")) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
};

inline void AddFlags(CLI::App& app, Flags* flags) {
  app.add_option("--data", flags->data, "Directory with schema.json, train-*.tfrecord and test-*.tfrecord")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--checkpoints", flags->checkpoint_directory, "Directory for checkpoints")->required();
  app.add_option("--result", flags->result_file, "Where the chief writes its result as JSON");
  app.add_flag("--resume", flags->resume, "Go on from the newest checkpoint");
  app.add_option("--save-seconds", flags->save_seconds, "Time between checkpoints");
  app.add_option("--max-steps", flags->max_steps, "Steps of each worker at most; 0: until the data ends");
}

/// Reads TF_CONFIG into the flags. Errors: for a task that is no worker of a cluster with parameter servers.
inline hr::Status ReadTask(Flags* flags) {
  HR_ASSIGN_OR_RETURN(const std::optional<hr::TaskConfig> config, hr::TaskConfig::FromEnvironment());
  if (!config) return hr::OkStatus();
  if (config->job != "worker" || !config->cluster.jobs().contains("ps")) {
    return hr::Status(hr::Code::kInvalidArgument,
                      "TF_CONFIG: this program is a worker of a cluster with the jobs ps and worker, not job '" +
                          config->job + "' of " + config->cluster.ToString());
  }
  flags->cluster = config->cluster;
  flags->worker = config->task;
  flags->num_workers = static_cast<int>(config->cluster.jobs().at("worker").size());
  return hr::OkStatus();
}

}  // namespace flights
