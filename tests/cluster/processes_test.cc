// A cluster of `headrace server` processes as a client sees it, when all is well and when processes die.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "base/check.h"
#include "cluster/cluster_spec.h"
#include "cluster/remote_session.h"
#include "rpc/address.h"
#include "session/session_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

/// A program of the test, with its output; killed at the end of the test if it still runs.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments, const std::string& tf_config = "") {
    int ends[2];
    HR_CHECK(pipe(ends) == 0);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      if (!tf_config.empty()) setenv("TF_CONFIG", tf_config.c_str(), 1);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_fd_ = ends[0];
  }
  ~Program() {
    if (running_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_fd_);
  }

  /// Reads until the output contains `text`; false when it ends or the time is up first.
  bool WaitFor(const std::string& text, Duration limit = seconds(30)) {
    const TimePoint end = RealClock().Now() + limit;
    while (output_.find(text) == std::string::npos) {
      pollfd fd{output_fd_, POLLIN, 0};
      const auto left = std::chrono::ceil<milliseconds>(end - RealClock().Now());
      if (left.count() <= 0 || poll(&fd, 1, static_cast<int>(left.count())) <= 0) return false;
      char buffer[4096];
      const ssize_t size = read(output_fd_, buffer, sizeof(buffer));
      if (size <= 0) return false;
      output_.append(buffer, static_cast<size_t>(size));
    }
    return true;
  }
  void Signal(int signal) const { kill(pid_, signal); }
  /// Waits for the end; returns the exit code, or 128 + the signal's number.
  int Wait() {
    while (WaitFor("\x01 never printed")) {
    }
    int status;
    waitpid(pid_, &status, 0);
    running_ = false;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  const std::string& output() const { return output_; }

 private:
  pid_t pid_;
  int output_fd_;
  std::string output_;
  bool running_ = true;
};

std::string FreeAddress() {
  const Result<int> port = FreeLoopbackPort();
  HR_CHECK(port.ok());
  return StrCat("127.0.0.1:", *port);
}

class ProcessesTest : public testing::Test {
 protected:
  ProcessesTest() : cluster_(*ClusterSpec::FromJobs({{"ps", {FreeAddress()}}, {"worker", {FreeAddress()}}})) {
    RegisterSessionTestOps();
  }

  std::unique_ptr<Program> StartTask(const std::string& job) {
    auto program = std::make_unique<Program>(std::vector<std::string>{
        HEADRACE_BINARY, "server", "--cluster", cluster_.ToString(), "--job", job, "--task", "0"});
    EXPECT_TRUE(program->WaitFor("serves on")) << program->output();
    return program;
  }
  void StartAll() {
    ps_ = StartTask("ps");
    worker_ = StartTask("worker");
  }
  std::string Target(const std::string& job) { return "grpc://" + *cluster_.AddressOf(job, 0); }
  Result<std::shared_ptr<GraphSession>> TryOpen(int64_t timeout_ms = 30'000) {
    TestProgram program;
    const Endpoint x = program.Placeholder("x", "/job:worker/task:0");
    const Endpoint read = program.Variable("w", 100, "/job:ps/task:0", x);
    program.Op("sum", "AddV2", {read, x}, {}, "/job:worker/task:0");
    return OpenSession(Target("worker"), program.Def(), {.creation_timeout_ms = timeout_ms});
  }
  std::shared_ptr<GraphSession> Open() {
    auto session = TryOpen();
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    HR_CHECK(session.ok());
    return *std::move(session);
  }
  /// Trains until a step fails, and returns its status; `disturb` is called after some steps.
  Status TrainUntilError(GraphSession& session, const std::function<void()>& disturb) {
    for (int i = 0; i < 100'000; ++i) {
      const Status status = session.Run({{"x", Tensor::Scalar(1.0f)}}, {}, {"w/add"}, {.timeout_ms = 20'000}).status();
      if (!status.ok()) return status;
      if (i == 50) disturb();
    }
    return OkStatus();
  }

  const ClusterSpec cluster_;
  std::unique_ptr<Program> ps_;
  std::unique_ptr<Program> worker_;
};

TEST_F(ProcessesTest, StateOnThePsIsUpdatedByStepsOfTheWorker) {
  StartAll();
  const auto session = Open();
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(session->Run({{"x", Tensor::Scalar(1.0f)}}, {}, {"w/add"}).ok());
  const auto sum = session->Run({{"x", Tensor::Scalar(0.5f)}}, {"sum"}, {});
  ASSERT_TRUE(sum.ok()) << sum.status().ToString();
  EXPECT_EQ((*sum)[0].scalar<float>(), 200.5f);
}

TEST_F(ProcessesTest, KilledPsIsAClearErrorAndANewSessionTrainsOnItsSuccessor) {
  StartAll();
  auto session = Open();
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  const TimePoint begin = RealClock().Now();
  const Status status = TrainUntilError(*session, [&] { ps_->Signal(SIGKILL); });
  EXPECT_EQ(status.code(), Code::kUnavailable) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("/job:ps/replica:0/task:0 at " + *cluster_.AddressOf("ps", 0)));
  EXPECT_LT(RealClock().Now() - begin, seconds(20));
  ps_ = StartTask("ps");
  session = Open();
  EXPECT_EQ(session->Run({}, {"w/read"}, {}).status().code(),
            Code::kFailedPrecondition);  // the state went with the process
  EXPECT_TRUE(session->Run({}, {}, {"w/init"}).ok());
}

TEST_F(ProcessesTest, KilledWorkerIsAClearErrorForItsClientAndThePsServesTheNext) {
  StartAll();
  auto session = Open();
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  const Status status = TrainUntilError(*session, [&] { worker_->Signal(SIGKILL); });
  EXPECT_EQ(status.code(), Code::kUnavailable) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr(*cluster_.AddressOf("worker", 0)));
  worker_ = StartTask("worker");
  session = Open();
  const auto w = session->Run({}, {"w/read"}, {});
  ASSERT_TRUE(w.ok()) << w.status().ToString();
  EXPECT_GE((*w)[0].scalar<float>(), 150);  // the state is still there
}

TEST_F(ProcessesTest, TerminatedServersExitWithZeroWithinFiveSecondsAndBlockedClientsLearnAtOnce) {
  StartAll();
  const auto session = Open();
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  ps_->Signal(SIGSTOP);  // silent, but its connections stay
  Notification ended;
  Status outcome;
  session->RunAsync({{"x", Tensor::Scalar(1.0f)}}, {"sum"}, {}, nullptr,
                    [&](const Status& status, const std::vector<Tensor>&) {
                      outcome = status;
                      ended.Notify();
                    });
  ASSERT_FALSE(ended.WaitUntil(RealClock().Now() + milliseconds(200)));  // it waits for the ps
  const TimePoint begin = RealClock().Now();
  worker_->Signal(SIGTERM);
  ASSERT_TRUE(ended.WaitUntil(begin + seconds(3)));
  EXPECT_EQ(outcome.code(), Code::kUnavailable) << outcome.ToString();
  EXPECT_EQ(worker_->Wait(), 0);
  EXPECT_LT(RealClock().Now() - begin, seconds(6));
  ps_->Signal(SIGCONT);
  ps_->Signal(SIGTERM);
  EXPECT_EQ(ps_->Wait(), 0);
}

TEST_F(ProcessesTest, MissingTaskIsNamedByTheErrorAndByTheServersLog) {
  worker_ = StartTask("worker");
  const Status status = TryOpen(1500).status();
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("/job:ps/replica:0/task:0 at " + *cluster_.AddressOf("ps", 0)), HasSubstr("refused")));
  worker_.reset();
  const Status nobody = TryOpen(500).status();
  EXPECT_EQ(nobody.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(nobody.message(), AllOf(HasSubstr(*cluster_.AddressOf("worker", 0)), HasSubstr("refused")));
}

TEST_F(ProcessesTest, SessionWaitsForATaskThatStartsLate) {
  worker_ = StartTask("worker");
  Notification opened;
  Status outcome;
  BlockingPool().Schedule([&] {
    outcome = TryOpen().status();
    opened.Notify();
  });
  ps_ = StartTask("ps");
  opened.Wait();
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
}

/// Sends `bytes` on a connection of its own, and waits for the other side to close it, a second at most.
void SendRaw(const std::string& address, const std::string& bytes) {
  const int port = HostPort::Parse(address)->port;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
  pollfd closed{fd, POLLIN, 0};
  char sink[4096];
  while (poll(&closed, 1, 1000) > 0 && recv(fd, sink, sizeof(sink), 0) > 0) {
  }
  close(fd);
}

TEST_F(ProcessesTest, GarbageOnThePortsDoesNoHarm) {
  StartAll();
  std::mt19937 random(11);
  const auto noise = [&random](size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (const char* job : {"ps", "worker"}) {
    for (int i = 0; i < 20; ++i) {
      SendRaw(*cluster_.AddressOf(job, 0), noise(1 << (i % 16)));
      SendRaw(*cluster_.AddressOf(job, 0), preface + noise(1 << (i % 16)));
    }
    SendRaw(*cluster_.AddressOf(job, 0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    SendRaw(*cluster_.AddressOf(job, 0), std::string(1 << 20, '\0'));
  }
  EXPECT_TRUE(Open()->Run({}, {}, {"w/init"}).ok());
}

TEST_F(ProcessesTest, ServerThatCannotStartSaysWhyAndExitsWithOne) {
  ps_ = StartTask("ps");
  Program again({HEADRACE_BINARY, "server", "--cluster", cluster_.ToString(), "--job", "ps", "--task", "0"});
  EXPECT_EQ(again.Wait(), 1);
  EXPECT_THAT(again.output(), HasSubstr("Address already in use"));
  Program missing({HEADRACE_BINARY, "server", "--cluster", cluster_.ToString(), "--job", "ps", "--task", "7"});
  EXPECT_EQ(missing.Wait(), 1);
  EXPECT_THAT(missing.output(), HasSubstr("job 'ps' has no task 7; it has: 0"));
  Program open({HEADRACE_BINARY, "server", "--cluster", "ps|0.0.0.0:29998", "--job", "ps", "--task", "0"});
  EXPECT_EQ(open.Wait(), 1);
  EXPECT_THAT(open.output(), HasSubstr("--insecure"));
}

TEST(LocalTest, WorkersSeeTheirClusterAndTheServersEndWithThem) {
  Program local(
      {HEADRACE_BINARY, "local", "--ps", "1", "--workers", "2", "--", "/bin/sh", "-c", "echo \"config $TF_CONFIG\""});
  EXPECT_EQ(local.Wait(), 0) << local.output();
  EXPECT_THAT(local.output(), AllOf(HasSubstr("[worker:0] config {\"cluster\":{\"ps\":[\"127.0.0.1:"),
                                    HasSubstr("\"task\":{\"index\":1,\"type\":\"worker\"}}")));
}

TEST(LocalTest, SignalsReachTheWorkersAndNothingStays) {
  Program local({HEADRACE_BINARY, "local", "--ps", "1", "--workers", "1", "--", "/bin/sh", "-c",
                 "trap 'echo stops; exit 3' TERM; echo pid=$$.; while :; do sleep 0.05; done"});
  ASSERT_TRUE(local.WaitFor("serves on"));
  ASSERT_TRUE(local.WaitFor("pid="));
  ASSERT_TRUE(local.WaitFor("."));
  local.Signal(SIGTERM);
  EXPECT_EQ(local.Wait(), 3) << local.output();
  EXPECT_THAT(local.output(), HasSubstr("[worker:0] stops"));
}

}  // namespace
}  // namespace headrace
