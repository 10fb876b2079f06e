// ClusterSpec: which tasks a cluster has, and at which addresses.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace headrace {

struct TaskConfig;

/// Jobs with numbered tasks; the numbers may have gaps. Immutable once made, and then valid: job names are legal, addresses are
/// "host:port", and no two tasks share one.
class HR_EXPORT ClusterSpec {
 public:
  using Tasks = std::map<int, std::string>;  // address by index
  using Jobs = std::map<std::string, Tasks>;

  /// The empty cluster.
  ClusterSpec() = default;

  /// Tasks are numbered from 0. Errors: kInvalidArgument, naming the job, the task and what is wrong.
  static Result<ClusterSpec> FromJobs(const std::map<std::string, std::vector<std::string>>& jobs);
  static Result<ClusterSpec> FromSparseJobs(Jobs jobs);
  /// Reads JSON (`{"ps": ["h:p"], "worker": {"3": "h:p"}}`), TensorFlow's text (`ps|h:p,worker|h:p;3=h:p`), or `@file` with
  /// either of them in it. Errors: kInvalidArgument; those of reading the file.
  static Result<ClusterSpec> Parse(std::string_view text);

  const Jobs& jobs() const { return jobs_; }
  bool empty() const { return jobs_.empty(); }
  int num_tasks() const;
  /// Errors: kInvalidArgument, listing what there is.
  Result<std::string> AddressOf(const std::string& job, int task) const;

  /// `{"ps": {"0": "h:p"}, ...}`; lists where the numbers have no gaps.
  std::string ToJson() const;
  /// `ps|h:p,worker|h:p;3=h:p`.
  std::string ToString() const;
  friend bool operator==(const ClusterSpec&, const ClusterSpec&) = default;

 private:
  Jobs jobs_;
};

/// A cluster, and which of its tasks this process is.
struct HR_EXPORT TaskConfig {
  ClusterSpec cluster;
  std::string job;
  int task = 0;

  /// Reads the value of TF_CONFIG: `{"cluster": {...}, "task": {"type": "worker", "index": 0}}`. No text and `{}` mean that there
  /// is no cluster: nothing. Errors: kInvalidArgument.
  static Result<std::optional<TaskConfig>> FromTfConfig(std::string_view text);
  /// Reads the environment variable TF_CONFIG.
  static Result<std::optional<TaskConfig>> FromEnvironment();
  std::string ToTfConfig() const;
};

/// "/job:ps/replica:0/task:0", the name of a task.
HR_EXPORT std::string TaskName(std::string_view job, int task);

}  // namespace headrace
