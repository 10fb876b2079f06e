// headrace local: a whole cluster on this machine, for one program.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>

#include "cli/command.h"
#include "cli/supervisor.h"
#include "cluster/cluster_spec.h"
#include "rpc/address.h"

namespace headrace {
namespace {

constexpr std::chrono::seconds kGrace(10);

struct LocalFlags {
  int num_ps = 1;
  int num_workers = 2;
  bool ps_program = false;
  std::vector<std::string> program;
};

Result<ClusterSpec> FreeCluster(const LocalFlags& flags) {
  std::set<int> ports;
  while (static_cast<int>(ports.size()) < flags.num_ps + flags.num_workers) {
    HR_ASSIGN_OR_RETURN(const int port, FreeLoopbackPort());
    ports.insert(port);
  }
  std::map<std::string, std::vector<std::string>> jobs;
  int left = flags.num_ps;
  for (const int port : ports) jobs[left-- > 0 ? "ps" : "worker"].push_back(StrCat("127.0.0.1:", port));
  return ClusterSpec::FromJobs(jobs);
}

std::string OwnPath() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : "headrace";
}

std::vector<SupervisedProgram> Programs(const LocalFlags& flags, const ClusterSpec& cluster) {
  std::vector<SupervisedProgram> programs;
  for (const auto& [job, tasks] : cluster.jobs()) {
    for (const auto& [task, address] : tasks) {
      const TaskConfig config{.cluster = cluster, .job = job, .task = task};
      const bool serves = job == "ps" && !flags.ps_program;
      programs.push_back({.child = {.label = StrCat(job, ":", task),
                                    .argv = serves ? std::vector<std::string>{OwnPath(), "server"} : flags.program,
                                    .environment = {{"TF_CONFIG", config.ToTfConfig()}}},
                          .is_worker = job == "worker"});
    }
  }
  return programs;
}

int RunLocal(const LocalFlags& flags) {
  const Result<ClusterSpec> cluster = FreeCluster(flags);
  if (!cluster.ok()) {
    std::fprintf(stderr, "headrace local: %s\n", cluster.status().ToString().c_str());
    return 1;
  }
  std::printf("headrace local: %s\n", cluster->ToString().c_str());
  std::fflush(stdout);
  return Supervise(Programs(flags, *cluster), kGrace);
}

}  // namespace

void AddLocalCommand(CLI::App& app, CommandRun* run) {
  auto flags = std::make_shared<LocalFlags>();
  CLI::App* command = app.add_subcommand("local", "Run a program as the workers of a cluster on this machine");
  command->add_option("--ps", flags->num_ps, "How many parameter servers")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  command->add_option("--workers", flags->num_workers, "How many workers")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--ps-program", flags->ps_program,
                    "Run PROGRAM for the parameter servers too, instead of 'headrace server'");
  command
      ->add_option("PROGRAM", flags->program,
                   "What each task runs, with its arguments, after '--'; TF_CONFIG tells it which task it is")
      ->required();
  command->prefix_command(false);
  command->callback([flags, run] { *run = [flags] { return RunLocal(*flags); }; });
}

}  // namespace headrace
