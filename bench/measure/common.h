// What the measurements share: arguments, a clock, a session in this process or on a cluster, the answer.
#pragma once

#include <headrace/headrace.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

namespace measure {

namespace hr = headrace::api;

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string name, data, cluster;
  int task = 0;  // of the cluster's workers
};

// Seconds for one call: the best of `repeats` rounds of `calls` calls.
inline hr::Result<double> SecondsPerCall(int repeats, int calls, const std::function<hr::Status()>& call) {
  double best = 1e30;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i) HR_RETURN_IF_ERROR(call());
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count() / calls);
  }
  return best;
}

inline void Print(double value, double check) { std::printf("{\"value\": %.9g, \"check\": %.9g}\n", value, check); }

inline std::string PsDevice(const Arguments& arguments) { return arguments.cluster.empty() ? "" : "/job:ps/task:0"; }
inline std::string WorkerDevice(const Arguments& arguments) {
  return arguments.cluster.empty() ? "" : "/job:worker/task:" + std::to_string(arguments.task);
}

// A session on the cluster that was given (with this process as one of its workers), or in this process.
struct Opened {
  std::optional<hr::Server> server;
  std::optional<hr::Session> session;
};

inline hr::Result<Opened> Open(const Arguments& arguments, const hr::Scope& root) {
  Opened opened;
  std::string target;
  hr::SessionOptions options;
  if (!arguments.cluster.empty()) {
    HR_ASSIGN_OR_RETURN(const hr::ClusterSpec cluster, hr::ClusterSpec::Parse(arguments.cluster));
    HR_ASSIGN_OR_RETURN(opened.server, hr::Server::Start(cluster, "worker", arguments.task));
    target = opened.server->target();
    options.device_filters = {"/job:ps", WorkerDevice(arguments)};  // the workers need not wait for each other
  }
  HR_ASSIGN_OR_RETURN(opened.session, hr::Session::Open(target, root, options));
  return opened;
}

}  // namespace measure
