#include "cli/child.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace headrace {
namespace {

constexpr size_t kLongestLine = 64 << 10;

/// Everything that the new process needs is made before fork: after it only calls that are safe there are made.
struct ExecArguments {
  explicit ExecArguments(const ChildOptions& options) {
    for (const std::string& argument : options.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      if (!options.environment.contains(std::string(text.substr(0, text.find('='))))) environment.push_back(*entry);
    }
    for (const auto& [name, value] : options.environment) texts.push_back(name + "=" + value);
    for (std::string& text : texts) environment.push_back(text.data());
    environment.push_back(nullptr);
  }
  std::vector<char*> argv;
  std::vector<std::string> texts;
  std::vector<char*> environment;
};

/// A pipe whose ends do not reach the programs by themselves.
bool MakePipe(int ends[2]) {
  if (pipe(ends) != 0) return false;
  return ioctl(ends[0], FIOCLEX) == 0 && ioctl(ends[1], FIOCLEX) == 0;
}

[[noreturn]] void RunProgram(ExecArguments& arguments, int input_fd, int output_fd, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it ended before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(input_fd, STDIN_FILENO);
  dup2(output_fd, STDOUT_FILENO);
  dup2(output_fd, STDERR_FILENO);
  execvpe(arguments.argv[0], arguments.argv.data(), arguments.environment.data());
  dprintf(STDERR_FILENO, "cannot run '%s': %s\n", arguments.argv[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

Result<Child> Child::Start(const ChildOptions& options) {
  ExecArguments arguments(options);
  int input[2], output[2];
  if (!MakePipe(input)) return Unavailable(options.label, ": no pipe: ", std::strerror(errno));
  close(input[1]);  // nothing will come
  if (!MakePipe(output)) {
    close(input[0]);
    return Unavailable(options.label, ": no pipe: ", std::strerror(errno));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) RunProgram(arguments, input[0], output[1], parent);
  const int error = errno;
  close(input[0]);
  close(output[1]);
  if (pid < 0) {
    close(output[0]);
    return Unavailable(options.label, ": no process: ", std::strerror(error));
  }
  setpgid(pid, pid);  // here as well: whoever is first
  int on = 1;
  ioctl(output[0], FIONBIO, &on);
  return Child(options.label, pid, output[0]);
}

Child::Child(Child&& other) noexcept
    : label_(std::move(other.label_)),
      pid_(std::exchange(other.pid_, -1)),
      output_fd_(std::exchange(other.output_fd_, -1)),
      pending_(std::move(other.pending_)),
      running_(other.running_),
      exit_code_(other.exit_code_) {}

Child::~Child() {
  if (pid_ > 0) Signal(SIGKILL);
  if (pid_ > 0 && running_) waitpid(pid_, nullptr, 0);
  if (output_fd_ >= 0) close(output_fd_);
}

void Child::Signal(int signal) const { kill(-pid_, signal); }

void Child::SetEnded(int wait_status) {
  running_ = false;
  exit_code_ = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void Child::PassOutput() {
  char buffer[16 << 10];
  while (output_fd_ >= 0) {
    const ssize_t size = read(output_fd_, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;  // nothing more now
    if (size == 0) {
      close(std::exchange(output_fd_, -1));
      break;
    }
    pending_.append(buffer, static_cast<size_t>(size));
    WriteLines(false);
  }
  if (output_fd_ < 0) WriteLines(true);
  std::fflush(stdout);
}

void Child::WriteLines(bool all) {
  size_t begin = 0;
  while (begin < pending_.size()) {
    size_t end = pending_.find('\n', begin);
    if (end == std::string::npos) {
      if (!all && pending_.size() - begin < kLongestLine) break;
      end = pending_.size();
    }
    std::printf("[%s] %.*s\n", label_.c_str(), static_cast<int>(end - begin), pending_.data() + begin);
    begin = end + 1;
  }
  pending_.erase(0, begin);
}

}  // namespace headrace
