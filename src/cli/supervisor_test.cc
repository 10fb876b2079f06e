#include "cli/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "os/clock.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

SupervisedProgram Shell(const std::string& label, const std::string& script, bool is_worker) {
  return {.child = {.label = label,
                    .argv = {"/bin/sh", "-c", script},
                    .environment = {{"GREETING", "hello from " + label}}},
          .is_worker = is_worker};
}

struct Outcome {
  int code;
  std::string output;
  Duration took;
};

/// Supervises in a process of its own, as the supervisor takes the process's signals and children. `signal` is sent once it has
/// printed `when`.
Outcome SuperviseApart(const std::vector<SupervisedProgram>& programs, milliseconds grace, int signal = 0,
                       const std::string& when = "") {
  const TimePoint begin = RealClock().Now();
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    const int code = Supervise(programs, grace);
    std::fflush(stdout);
    _exit(code);
  }
  close(ends[1]);
  Outcome outcome;
  char buffer[4096];
  ssize_t size;
  while ((size = read(ends[0], buffer, sizeof(buffer))) > 0) {
    outcome.output.append(buffer, static_cast<size_t>(size));
    if (signal != 0 && outcome.output.find(when) != std::string::npos) kill(pid, std::exchange(signal, 0));
  }
  close(ends[0]);
  int status;
  waitpid(pid, &status, 0);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.took = RealClock().Now() - begin;
  return outcome;
}

bool Lives(int pid) { return kill(pid, 0) == 0; }

/// The number after `mark` in a text.
int NumberAfter(const std::string& text, const std::string& mark) {
  const size_t found = text.find(mark);
  return found == std::string::npos ? -1 : std::atoi(text.c_str() + found + mark.size());
}

TEST(SupervisorTest, PassesLinesOnWithLabelsAndEndsTheOthersWhenTheWorkersAreDone) {
  const Outcome outcome = SuperviseApart(
      {Shell("ps:0", "echo up; exec sleep 1000", false), Shell("worker:0", "echo $GREETING; printf 'no end'", true),
       Shell("worker:1", "echo to stderr >&2", true)},
      seconds(10));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output,
              testing::AllOf(HasSubstr("[worker:0] hello from worker:0\n"), HasSubstr("[worker:0] no end\n")));
  EXPECT_THAT(outcome.output, HasSubstr("[worker:1] to stderr\n"));
  EXPECT_LT(outcome.took, seconds(8));
}

TEST(SupervisorTest, ReturnsTheWorstExitCode) {
  const Outcome outcome = SuperviseApart(
      {Shell("worker:0", "exit 3", true), Shell("worker:1", "exit 7", true), Shell("worker:2", "exit 0", true)},
      seconds(10));
  EXPECT_EQ(outcome.code, 7);
  EXPECT_THAT(outcome.output, HasSubstr("[worker:1] ended with exit code 7"));
}

TEST(SupervisorTest, ProgramThatASignalEndsCountsAs128AndItsNumber) {
  EXPECT_EQ(SuperviseApart({Shell("worker:0", "kill -9 $$", true)}, seconds(10)).code, 128 + 9);
}

TEST(SupervisorTest, MissingProgramSaysSo) {
  const Outcome outcome = SuperviseApart(
      {{.child = {.label = "worker:0", .argv = {"/does/not/exist"}, .environment = {}}, .is_worker = true}},
      seconds(10));
  EXPECT_EQ(outcome.code, 127);
  EXPECT_THAT(outcome.output, HasSubstr("[worker:0] cannot run '/does/not/exist': No such file or directory"));
}

TEST(SupervisorTest, ParameterServerThatDiesByItselfCounts) {
  const Outcome outcome =
      SuperviseApart({Shell("ps:0", "exit 5", false), Shell("worker:0", "sleep 0.3", true)}, seconds(10));
  EXPECT_EQ(outcome.code, 5);
}

TEST(SupervisorTest, SignalGoesToTheWorkersWhichMaySaveWhileTheOthersStillServe) {
  const Outcome outcome = SuperviseApart(
      {Shell("ps:0", "trap 'echo ps ends; exit 0' TERM; while :; do sleep 0.05; done", false),
       Shell("worker:0", "trap 'sleep 0.3; echo saved; exit 4' TERM; echo ready; while :; do sleep 0.05; done", true)},
      seconds(10), SIGTERM, "ready");
  EXPECT_EQ(outcome.code, 4);
  EXPECT_LT(outcome.output.find("saved"), outcome.output.find("ps ends")) << outcome.output;
}

TEST(SupervisorTest, ProgramsThatDoNotEndAreKilledAfterTheGrace) {
  const Outcome outcome =
      SuperviseApart({Shell("worker:0", "trap '' TERM; echo ready; while :; do sleep 0.05; done", true)},
                     milliseconds(200), SIGTERM, "ready");
  EXPECT_EQ(outcome.code, 128 + 9);
  EXPECT_LT(outcome.took, seconds(8));
}

TEST(SupervisorTest, WhatAProgramLeavesBehindIsEndedToo) {
  const Outcome outcome = SuperviseApart({Shell("worker:0", "sleep 1000 & echo child=$!", true)}, seconds(10));
  EXPECT_EQ(outcome.code, 0);
  const int child = NumberAfter(outcome.output, "child=");
  ASSERT_GT(child, 0) << outcome.output;
  EXPECT_FALSE(Lives(child));
}

TEST(SupervisorTest, NothingSurvivesASupervisorThatIsKilled) {
  const Outcome outcome = SuperviseApart({Shell("worker:0", "echo child=$$; while :; do sleep 0.05; done", true)},
                                         seconds(10), SIGKILL, "child=");
  const int child = NumberAfter(outcome.output, "child=");
  ASSERT_GT(child, 0) << outcome.output;  // its output ended, so it has
}

}  // namespace
}  // namespace headrace
