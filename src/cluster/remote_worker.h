// RemoteWorker: the version of Worker that stands for a task of another process, TensorFlow's or ours.
#pragma once

#include <memory>
#include <string>

#include "rpc/channel.h"
#include "session/worker.h"

namespace headrace {

/// Speaks WorkerService over `channel`.
std::shared_ptr<Worker> MakeRemoteWorker(std::string task_name, std::shared_ptr<Channel> channel);

}  // namespace headrace
