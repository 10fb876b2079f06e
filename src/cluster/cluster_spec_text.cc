// How clusters are written: JSON, TensorFlow's text, files, TF_CONFIG.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cluster/cluster_spec.h"
#include "os/file_system.h"

namespace headrace {
namespace {

using nlohmann::json;

constexpr int64_t kMaxIndex = 1 << 30;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Result<json> ParseJson(std::string_view what, std::string_view text) {
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    return InvalidArgument(what, " is not JSON: ", error.what());
  }
}

Result<int> ParseIndex(std::string_view job, std::string_view text) {
  int64_t index;
  if (!ParseInt64(text, &index) || index < 0 || index > kMaxIndex) {
    return InvalidArgument("cluster: job '", job, "' has a bad task index: '", text, "'");
  }
  return static_cast<int>(index);
}

Result<ClusterSpec::Tasks> TasksFromJson(const std::string& job, const json& value) {
  ClusterSpec::Tasks tasks;
  if (!value.is_array() && !value.is_object()) {
    return InvalidArgument("cluster: job '", job, "' is neither a list of addresses nor a map of them: ", value.dump());
  }
  for (const auto& [key, address] : value.items()) {  // an array's keys are its positions
    if (!address.is_string())
      return InvalidArgument("cluster: job '", job, "', task ", key, ": not a text: ", address.dump());
    HR_ASSIGN_OR_RETURN(const int index, ParseIndex(job, key));
    if (!tasks.emplace(index, address.get<std::string>()).second) {
      return InvalidArgument("cluster: job '", job, "' has task ", index, " twice");
    }
  }
  return tasks;
}

Result<ClusterSpec> FromJson(const json& value) {
  if (!value.is_object()) return InvalidArgument("cluster: not a map from jobs to tasks: ", value.dump());
  ClusterSpec::Jobs jobs;
  for (const auto& [job, tasks] : value.items()) {
    HR_ASSIGN_OR_RETURN(jobs[job], TasksFromJson(job, tasks));
  }
  return ClusterSpec::FromSparseJobs(std::move(jobs));
}

/// "ps|h:p,worker|h:p;3=h:p": a task without a number follows the one before.
Result<ClusterSpec> FromText(std::string_view text) {
  ClusterSpec::Jobs jobs;
  for (const std::string& piece : StrSplit(text, ',')) {
    const size_t bar = piece.find('|');
    if (bar == std::string::npos) {
      return InvalidArgument("cluster: '", piece, "' is not 'job|host:port;host:port' (nor is the whole JSON)");
    }
    const std::string job(Trimmed(std::string_view(piece).substr(0, bar)));
    if (jobs.contains(job)) return InvalidArgument("cluster: job '", job, "' is there twice");
    ClusterSpec::Tasks& tasks = jobs[job];
    int next = 0;
    for (const std::string& entry : StrSplit(std::string_view(piece).substr(bar + 1), ';')) {
      const size_t equals = entry.find('=');
      if (equals != std::string::npos) {
        HR_ASSIGN_OR_RETURN(next, ParseIndex(job, Trimmed(std::string_view(entry).substr(0, equals))));
      }
      const std::string_view address =
          equals == std::string::npos ? std::string_view(entry) : std::string_view(entry).substr(equals + 1);
      if (!tasks.emplace(next, Trimmed(address)).second)
        return InvalidArgument("cluster: job '", job, "' has task ", next, " twice");
      ++next;
    }
  }
  return ClusterSpec::FromSparseJobs(std::move(jobs));
}

Result<std::string> ReadFile(const std::string& path) {
  FileSystem& files = RealFileSystem();
  HR_ASSIGN_OR_RETURN(const int64_t size, files.SizeOf(path));
  constexpr int64_t kMaxBytes = 16 << 20;
  if (size > kMaxBytes) return InvalidArgument("cluster: file '", path, "' has ", size, " bytes");
  HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
  std::string text(static_cast<size_t>(size), '\0');
  HR_ASSIGN_OR_RETURN(const int64_t read, file->Read(size, text.data()));
  text.resize(static_cast<size_t>(read));
  return text;
}

json ToJsonValue(const ClusterSpec& spec) {
  json value = json::object();
  for (const auto& [job, tasks] : spec.jobs()) {
    const bool dense = tasks.rbegin()->first + 1 == static_cast<int>(tasks.size());
    json& entry = value[job] = dense ? json::array() : json::object();
    for (const auto& [index, address] : tasks) {
      if (dense) {
        entry.push_back(address);
      } else {
        entry[std::to_string(index)] = address;
      }
    }
  }
  return value;
}

}  // namespace

Result<ClusterSpec> ClusterSpec::Parse(std::string_view text) {
  text = Trimmed(text);
  if (text.empty()) return InvalidArgument("cluster: the text is empty");
  if (text.front() == '@') {
    HR_ASSIGN_OR_RETURN(const std::string content, ReadFile(std::string(text.substr(1))));
    if (Trimmed(content).starts_with('@'))
      return InvalidArgument("cluster: file '", text.substr(1), "' names another file");
    return Parse(content);
  }
  if (text.front() != '{') return FromText(text);
  HR_ASSIGN_OR_RETURN(const json value, ParseJson("cluster", text));
  return FromJson(value);
}

std::string ClusterSpec::ToJson() const { return ToJsonValue(*this).dump(); }

std::string ClusterSpec::ToString() const {
  std::vector<std::string> pieces;
  for (const auto& [job, tasks] : jobs_) {
    std::vector<std::string> entries;
    int next = 0;
    for (const auto& [index, address] : tasks) {
      entries.push_back(index == next ? address : StrCat(index, '=', address));
      next = index + 1;
    }
    pieces.push_back(StrCat(job, '|', StrJoin(entries, ";")));
  }
  return StrJoin(pieces, ",");
}

Result<std::optional<TaskConfig>> TaskConfig::FromTfConfig(std::string_view text) {
  text = Trimmed(text);
  if (text.empty()) return std::optional<TaskConfig>();
  HR_ASSIGN_OR_RETURN(const json value, ParseJson("TF_CONFIG", text));
  if (!value.is_object()) return InvalidArgument("TF_CONFIG: not a map: ", value.dump());
  const auto cluster = value.find("cluster");
  if (cluster == value.end() || cluster->empty()) return std::optional<TaskConfig>();
  TaskConfig config;
  HR_ASSIGN_OR_RETURN(config.cluster, FromJson(*cluster));
  const auto task = value.find("task");
  if (task == value.end() || !task->is_object() || !task->contains("type") || !(*task)["type"].is_string()) {
    return InvalidArgument("TF_CONFIG: \"task\" with \"type\" and \"index\" is wanted beside \"cluster\"");
  }
  config.job = (*task)["type"].get<std::string>();
  const json index = task->value("index", json(0));
  if (!index.is_number_integer() && !index.is_string())
    return InvalidArgument("TF_CONFIG: task index is no number: ", index.dump());
  HR_ASSIGN_OR_RETURN(config.task, ParseIndex(config.job, index.is_string() ? index.get<std::string>() : index.dump()));
  // An evaluator looks on from outside the cluster.
  if (config.job != "evaluator") HR_RETURN_IF_ERROR(config.cluster.AddressOf(config.job, config.task).status());
  return std::optional<TaskConfig>(std::move(config));
}

Result<std::optional<TaskConfig>> TaskConfig::FromEnvironment() {
  const char* text = std::getenv("TF_CONFIG");
  return FromTfConfig(text == nullptr ? "" : text);
}

std::string TaskConfig::ToTfConfig() const {
  json value;
  value["cluster"] = ToJsonValue(cluster);
  value["task"] = {{"type", job}, {"index", task}};
  return value.dump();
}

}  // namespace headrace
