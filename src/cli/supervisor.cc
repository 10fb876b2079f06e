#include "cli/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "os/clock.h"

namespace headrace {
namespace {

class Supervisor {
 public:
  explicit Supervisor(std::chrono::milliseconds grace) : grace_(grace) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a child leaves behind comes here, and is ended below
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals_, signal);
    sigprocmask(SIG_BLOCK, &signals_, &old_signals_);
    signal_fd_ = signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Supervisor() {
    close(signal_fd_);
    sigprocmask(SIG_SETMASK, &old_signals_, nullptr);
  }

  Status Start(const SupervisedProgram& program) {
    HR_ASSIGN_OR_RETURN(Child child, Child::Start(program.child));
    members_.push_back({std::move(child), program.is_worker});
    return OkStatus();
  }

  int Run() {
    while (AnyRunning() || AnyOutput()) {
      Wait();
      TakeSignals();
      for (Member& member : members_) member.child.PassOutput();
      Reap();
      if (!AnyRunning(/*workers_only=*/true)) End(SIGTERM);
      if (kill_at_ && RealClock().Now() >= *kill_at_) KillAll();
      // Output that outlives its program is held open by what the program started; that ends now.
      if (!AnyRunning()) KillAll();
    }
    for (const Member& member : members_) {
      while (waitpid(-member.child.pid(), nullptr, 0) > 0) {
      }
    }
    return worst_;
  }

 private:
  struct Member {
    Child child;
    bool is_worker;
    bool asked_to_end = false;
  };

  bool AnyRunning(bool workers_only = false) const {
    return std::any_of(members_.begin(), members_.end(), [workers_only](const Member& member) {
      return member.child.running() && (member.is_worker || !workers_only);
    });
  }
  bool AnyOutput() const {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.child.output_fd() >= 0; });
  }

  void Wait() {
    std::vector<pollfd> fds{{signal_fd_, POLLIN, 0}};
    for (const Member& member : members_) fds.push_back({member.child.output_fd(), POLLIN, 0});  // -1 is passed over
    int timeout_ms = -1;
    if (kill_at_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - RealClock().Now());
      timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
    poll(fds.data(), fds.size(), timeout_ms);
  }

  void TakeSignals() {
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGCHLD) continue;
      if (interrupted_) {
        KillAll();
        continue;
      }
      interrupted_ = true;
      kill_at_ = RealClock().Now() + grace_;
      for (Member& member : members_) {
        if (member.is_worker && member.child.running()) member.child.Signal(static_cast<int>(info.ssi_signo));
      }
    }
  }

  void Reap() {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      for (Member& member : members_) {
        if (member.child.pid() != pid) continue;
        member.child.SetEnded(status);
        const int code = member.child.exit_code();
        if (!member.asked_to_end) worst_ = std::max(worst_, code);
        if (code != 0 && !member.asked_to_end)
          std::printf("[%s] ended with exit code %d\n", member.child.label().c_str(), code);
      }
    }
  }

  /// Asks those that run to end, each once.
  void End(int signal) {
    for (Member& member : members_) {
      if (!member.child.running() || member.asked_to_end) continue;
      member.asked_to_end = true;
      member.child.Signal(signal);
      if (!kill_at_) kill_at_ = RealClock().Now() + grace_;
    }
  }

  void KillAll() {
    for (Member& member : members_) {
      if (member.child.running() && member.is_worker) worst_ = std::max(worst_, 128 + SIGKILL);
      member.asked_to_end = true;
      member.child.Signal(SIGKILL);
    }
    kill_at_.reset();
  }

  const std::chrono::milliseconds grace_;
  sigset_t signals_;
  sigset_t old_signals_;
  int signal_fd_;
  std::vector<Member> members_;
  bool interrupted_ = false;
  std::optional<TimePoint> kill_at_;
  int worst_ = 0;
};

}  // namespace

int Supervise(const std::vector<SupervisedProgram>& programs, std::chrono::milliseconds grace) {
  Supervisor supervisor(grace);
  for (const SupervisedProgram& program : programs) {
    const Status status = supervisor.Start(program);
    if (status.ok()) continue;
    std::fprintf(stderr, "headrace local: %s\n", status.ToString().c_str());
    return 1;  // those that were started end with the supervisor
  }
  return supervisor.Run();
}

}  // namespace headrace
