// headrace server: one task of a cluster, in the foreground, until SIGTERM or SIGINT.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cluster/server.h"
#include "ops/register.h"
#include "os/log.h"

namespace headrace {
namespace {

struct ServerFlags {
  std::string cluster;
  std::string job;
  int task = -1;
  std::string bind;
  bool insecure = false;
};

/// Which task this is: the flags, or else TF_CONFIG.
Result<ServerOptions> ToOptions(const ServerFlags& flags) {
  ServerOptions options{.job = flags.job, .task = flags.task, .bind_address = flags.bind, .insecure = flags.insecure};
  if (!flags.cluster.empty()) {
    if (flags.job.empty() || flags.task < 0) return InvalidArgument("--cluster asks for --job and --task");
    HR_ASSIGN_OR_RETURN(options.cluster, ClusterSpec::Parse(flags.cluster));
    return options;
  }
  HR_ASSIGN_OR_RETURN(const std::optional<TaskConfig> config, TaskConfig::FromEnvironment());
  if (!config) return InvalidArgument("neither --cluster nor the environment variable TF_CONFIG names a cluster");
  options.cluster = config->cluster;
  if (flags.job.empty()) options.job = config->job;
  if (flags.task < 0) options.task = config->task;
  return options;
}

int Fail(const Status& status) {
  std::fprintf(stderr, "headrace server: %s\n", status.ToString().c_str());
  return 1;
}

int RunServer(const ServerFlags& flags) {
  // Blocked before any thread starts, so that every thread inherits it and the signals are taken below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Result<ServerOptions> options = ToOptions(flags);
  if (!options.ok()) return Fail(options.status());
  RegisterAllOps();
  Result<std::shared_ptr<Server>> server = Server::Start(*std::move(options));
  if (!server.ok()) return Fail(server.status());
  std::printf("headrace server: /job:%s/task:%d serves on %s\n", (*server)->job().c_str(), (*server)->task(),
              (*server)->address().c_str());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  LogInfo("server", (*server)->task_name(), " stops on signal ", signal);
  (*server)->Stop();
  // A step that does not end must not keep the process: what it works on stays untouched.
  std::fflush(nullptr);
  _exit(0);
}

}  // namespace

void AddServerCommand(CLI::App& app, CommandRun* run) {
  auto flags = std::make_shared<ServerFlags>();
  CLI::App* command = app.add_subcommand("server", "Serve one task of a cluster until SIGTERM");
  command->add_option(
      "--cluster", flags->cluster,
      "All tasks: JSON {\"ps\": [\"host:port\"], ...}, text ps|host:port,worker|host:port;host:port, or @file. "
      "Left out: TF_CONFIG");
  command->add_option("--job", flags->job, "The job of this task");
  command->add_option("--task", flags->task, "The number of this task");
  command->add_option("--bind", flags->bind,
                      "host:port to listen on, where it is not the task's address in the cluster");
  command->add_flag("--insecure", flags->insecure,
                    "Listen beyond the loopback, without encryption: for closed networks");
  command->callback([flags, run] { *run = [flags] { return RunServer(*flags); }; });
}

}  // namespace headrace
