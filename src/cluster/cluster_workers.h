// ClusterWorkers: the workers of a cluster as one of its tasks sees them: its own, and channels to the others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/cluster_spec.h"
#include "rpc/channel.h"
#include "session/worker.h"

namespace headrace {

/// Thread-safe. Channels are made when they are first needed.
class ClusterWorkers final : public WorkerDirectory {
 public:
  using ChannelMaker =
      std::function<std::shared_ptr<Channel>(const std::string& address, const std::string& task_name)>;

  ClusterWorkers(const ClusterSpec& spec, ChannelMaker make_channel);

  /// Sets the worker of this process. Before any other use.
  void SetLocal(std::shared_ptr<Worker> worker);

  std::vector<std::string> TaskNames() const override;
  Result<std::shared_ptr<Worker>> Find(const std::string& task_name) override;
  std::string AddressOf(const std::string& task_name) const override;

 private:
  const ChannelMaker make_channel_;
  std::map<std::string, std::string> addresses_;  // by task name
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Worker>> workers_;  // by task name; guarded by mutex_
  std::string local_task_;
};

}  // namespace headrace
