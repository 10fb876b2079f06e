// Child: a program that this process started and whose output it passes on, line by line.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/status.h"

namespace headrace {

struct ChildOptions {
  std::string label;                               // before each line: "[worker:0] "
  std::vector<std::string> argv;                   // the program is searched for in PATH
  std::map<std::string, std::string> environment;  // on top of this process's own
};

/// Runs in a process group of its own, with its output, both kinds, in a pipe, and no input. It dies with this process, whatever
/// ends that.
class Child {
 public:
  /// Errors: kUnavailable when the system has no more processes or files; a program that does not exist ends with 127.
  static Result<Child> Start(const ChildOptions& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  const std::string& label() const { return label_; }
  pid_t pid() const { return pid_; }
  /// Where its output arrives; -1 once that has ended.
  int output_fd() const { return output_fd_; }

  /// Reads what there is and writes whole lines to standard output. At the end also a last line without its end.
  void PassOutput();
  /// To the whole group.
  void Signal(int signal) const;

  bool running() const { return running_; }
  /// The exit code; of a program that a signal ended 128 + its number. REQUIRES: !running().
  int exit_code() const { return exit_code_; }
  /// Takes the result of waitpid.
  void SetEnded(int wait_status);

 private:
  Child(std::string label, pid_t pid, int output_fd) : label_(std::move(label)), pid_(pid), output_fd_(output_fd) {}
  void WriteLines(bool all);

  std::string label_;
  pid_t pid_;
  int output_fd_;
  std::string pending_;  // output without an end of line yet
  bool running_ = true;
  int exit_code_ = 0;
};

}  // namespace headrace
