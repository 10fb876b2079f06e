// Servers on real ports of this process, and clients of them over the wire.
#include "cluster/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>

#include "base/check.h"
#include "cluster/methods.h"
#include "cluster/remote_session.h"
#include "cluster/wire.h"
#include "executor/executor_testing.h"
#include "headrace/proto/master.pb.h"
#include "rpc/address.h"
#include "rpc/faulty_channel.h"
#include "rpc/grpc_channel.h"
#include "session/session_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

Tensor F(float value) { return Tensor::Scalar(value); }

float ValueOf(const Result<std::vector<Tensor>>& results) {
  EXPECT_TRUE(results.ok()) << results.status().ToString();
  return results.ok() && !results->empty() ? (*results)[0].scalar<float>() : -12345;
}

/// w on the ps, w/add adds the fed x, "sum" = w + x on the worker.
GraphDef VariableOnPs() {
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:worker/task:0");
  const Endpoint read = program.Variable("w", 100, "/job:ps/task:0", x);
  program.Op("sum", "AddV2", {read, x}, {}, "/job:worker/task:0");
  return program.Def();
}

GraphDef Waiting(const std::string& device) {
  TestProgram program;
  program.Op("waits", "TestWait", {program.Const("one", 1, device)}, {}, device);
  return program.Def();
}

std::string FreeAddress() {
  const Result<int> port = FreeLoopbackPort();
  HR_CHECK(port.ok());
  return StrCat("127.0.0.1:", *port);
}

std::shared_ptr<Server> MustStart(ServerOptions options) {
  Result<std::shared_ptr<Server>> server = Server::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  HR_CHECK(server.ok());
  return *std::move(server);
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() : cluster_(*ClusterSpec::FromJobs({{"ps", {FreeAddress()}}, {"worker", {FreeAddress()}}})) {
    RegisterSessionTestOps();
    ps_ = MustStart({.cluster = cluster_, .job = "ps", .task = 0});
    worker_ = MustStart({.cluster = cluster_, .job = "worker", .task = 0});
  }

  std::shared_ptr<Channel> ChannelTo(const Server& server) {
    return MakeGrpcChannel({.address = server.address(), .peer_name = server.task_name()});
  }
  /// Over the wire, although the server is here.
  std::shared_ptr<GraphSession> Open(const GraphDef& graph, const GraphSessionOptions& options = {}) {
    Result<std::shared_ptr<GraphSession>> session = OpenRemoteSession(ChannelTo(*worker_), graph, options);
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    HR_CHECK(session.ok());
    return *std::move(session);
  }

  const ClusterSpec cluster_;
  std::shared_ptr<Server> ps_;
  std::shared_ptr<Server> worker_;
};

TEST_F(ServerTest, StepsRunOverTheWireAndStateStaysOnThePs) {
  const auto session = Open(VariableOnPs());
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(session->Run({{"x", F(5)}}, {"sum"}, {})), 105);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(session->Run({{"x", F(2)}}, {}, {"w/add"}).ok());
  EXPECT_EQ(ValueOf(session->Run({}, {"w/read"}, {})), 140);
  EXPECT_EQ(session->ListDevices().size(), 2u);
  ASSERT_TRUE(session->Close().ok());
  EXPECT_EQ(session->Run({}, {"w/read"}, {}).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(ValueOf(Open(VariableOnPs())->Run({}, {"w/read"}, {})), 140);
}

TEST_F(ServerTest, SessionInTheServersProcessSharesTheState) {
  Result<std::shared_ptr<GraphSession>> local = OpenSession(worker_->target(), VariableOnPs(), {});
  ASSERT_TRUE(local.ok()) << local.status().ToString();
  ASSERT_TRUE((*local)->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(Open(VariableOnPs())->Run({}, {"w/read"}, {})), 100);
}

TEST_F(ServerTest, BigTensorsCrossBothWays) {
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:ps/task:0");
  program.Op("twice", "AddV2", {x, x}, {}, "/job:ps/task:0");
  const auto session = Open(program.Def());
  std::vector<float> values(3'000'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  const auto results = session->Run({{"x", Tensor::Vector<float>(values)}}, {"twice"}, {});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  ASSERT_EQ((*results)[0].TypeAndShape(), "f32[3000000]");
  for (size_t i = 0; i < values.size(); i += 977) EXPECT_EQ((*results)[0].data<float>()[i], 2 * values[i]);
}

TEST_F(ServerTest, GraphGrowsAndCallablesAndPartialRunsWork) {
  const auto session = Open(VariableOnPs());
  TestProgram more;
  const Endpoint y = more.Placeholder("y", "/job:ps/task:0");
  more.Op("y2", "AddV2", {y, y}, {}, "/job:worker/task:0");
  ASSERT_TRUE(session->Extend(more.Def()).ok());
  EXPECT_EQ(session->Extend(more.Def()).code(), Code::kInvalidArgument);
  EXPECT_EQ(ValueOf(session->Run({{"y", F(4)}}, {"y2"}, {})), 8);

  const Result<int64_t> callable = session->MakeCallable({.feeds = {"y:0"}, .fetches = {"y2:0"}});
  ASSERT_TRUE(callable.ok()) << callable.status().ToString();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ValueOf(session->RunCallable(*callable, std::vector<Tensor>{F(static_cast<float>(i))})), 2 * i);
  EXPECT_TRUE(session->ReleaseCallable(*callable).ok());
  EXPECT_FALSE(session->RunCallable(*callable, std::vector<Tensor>{F(1)}).ok());

  const Result<std::string> partial = session->PartialRunSetup({"y:0"}, {"y2:0"}, {});
  ASSERT_TRUE(partial.ok()) << partial.status().ToString();
  EXPECT_EQ(ValueOf(session->PartialRun(*partial, {{"y:0", F(10)}}, {"y2:0"})), 20);
}

TEST_F(ServerTest, ErrorsOfAStepNameTaskAndNode) {
  TestProgram program;
  program.Op("fails", "TestFail", {program.Placeholder("x", "/job:ps/task:0")}, {}, "/job:ps/task:0");
  const Status status = Open(program.Def())->Run({{"x", F(1)}}, {"fails"}, {}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("From /job:ps/replica:0/task:0:\nthe test wants it"), HasSubstr("[[{{node fails}}]]")));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("From /job:ps/replica:0/task:0:\nFrom")));
}

TEST_F(ServerTest, MissingTaskIsNamedWithAddressAndCauseWithinTheDeadline) {
  ps_->Stop();
  const TimePoint begin = RealClock().Now();
  const Status status = OpenRemoteSession(ChannelTo(*worker_), VariableOnPs(), {.creation_timeout_ms = 1500}).status();
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("/job:ps/replica:0/task:0 at " + ps_->address()), HasSubstr("Connection refused")));
  EXPECT_LT(RealClock().Now() - begin, seconds(5));
}

TEST_F(ServerTest, FilteredTaskIsNotWaitedFor) {
  ps_->Stop();
  const auto session = Open(Waiting("/job:worker/task:0"), {.device_filters = {"/job:worker"}});
  OpenGate();
  EXPECT_EQ(ValueOf(session->Run({}, {"waits"}, {})), 1);
}

TEST_F(ServerTest, BadOptionsAreErrorsOfTheClient) {
  EXPECT_THAT(OpenRemoteSession(ChannelTo(*worker_), VariableOnPs(), {.device_filters = {"/job:/nonsense"}})
                  .status()
                  .ToString(),
              AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr("'/job:/nonsense'")));
  EXPECT_EQ(OpenSession("http://x", {}, {}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(OpenSession("grpc://x", {}, {}).status().code(), Code::kInvalidArgument);
}

TEST_F(ServerTest, StoppedServerEndsBlockedClientsAsUnavailableAtOnce) {
  CloseGate();
  for (const char* device : {"/job:worker/task:0", "/job:ps/task:0"}) {
    const auto session = Open(Waiting(device));
    Notification ended;
    Status outcome;
    session->RunAsync({}, {"waits"}, {}, nullptr, [&](const Status& status, const std::vector<Tensor>&) {
      outcome = status;
      ended.Notify();
    });
    const auto& server = device == std::string("/job:ps/task:0") ? ps_ : worker_;
    const TimePoint begin = RealClock().Now();
    server->Stop();
    ASSERT_TRUE(ended.WaitUntil(begin + seconds(10)));
    EXPECT_EQ(outcome.code(), Code::kUnavailable) << outcome.ToString();
    EXPECT_LT(RealClock().Now() - begin, Server::kStopWithin);
    if (server == worker_) worker_ = MustStart({.cluster = cluster_, .job = "worker", .task = 0});
  }
}

TEST_F(ServerTest, TimeoutAndCancellationEndAStepThatWaits) {
  CloseGate();
  const auto session = Open(Waiting("/job:ps/task:0"));
  EXPECT_EQ(session->Run({}, {"waits"}, {}, {.timeout_ms = 100}).status().code(), Code::kDeadlineExceeded);
  CancellationToken token;
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(session->Run({}, {"waits"}, {}, {}, &token).status().ToString(), "CANCELLED: enough");
}

TEST_F(ServerTest, RestartedPsIsNoticedAndANewSessionWorks) {
  const auto session = Open(VariableOnPs());
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  ps_->Stop();
  const Status gone = session->Run({}, {"w/read"}, {}).status();
  EXPECT_EQ(gone.code(), Code::kUnavailable) << gone.ToString();
  ps_ = MustStart({.cluster = cluster_, .job = "ps", .task = 0});
  Status status;
  for (int i = 0; i < 50; ++i) {  // the connection comes back within a second
    status = session->Run({{"x", F(1)}}, {"sum"}, {}).status();
    if (status.code() != Code::kUnavailable) break;
    Notification().WaitUntil(RealClock().Now() + milliseconds(100));
  }
  EXPECT_EQ(status.code(), Code::kAborted) << status.ToString();
  const auto again = Open(VariableOnPs());
  ASSERT_TRUE(again->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(again->Run({}, {"w/read"}, {})), 100);
}

TEST_F(ServerTest, ResetEndsSessionsAndDropsState) {
  const auto session = Open(VariableOnPs());
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  ASSERT_TRUE(ResetTarget(worker_->target(), {}).ok());
  EXPECT_THAT(session->Run({}, {"w/read"}, {}).status().ToString(), HasSubstr("ABORTED: Session handle is not found"));
  EXPECT_EQ(Open(VariableOnPs())->Run({}, {"w/read"}, {}).status().code(), Code::kFailedPrecondition);
}

TEST_F(ServerTest, StepWhoseReplyIsLostIsNotRepeated) {
  const auto plain = Open(VariableOnPs());
  ASSERT_TRUE(plain->Run({}, {}, {"w/init"}).ok());
  const auto faulty = OpenRemoteSession(MakeFaultyChannel(ChannelTo(*worker_), {.seed = 3}), VariableOnPs(), {});
  ASSERT_TRUE(faulty.ok());
  const auto losing = MakeFaultyChannel(ChannelTo(*worker_), {.seed = 3, .lose_reply = 1});
  proto::RunStepRequest request;
  request.set_session_handle((*faulty)->handle());
  request.add_target("w/add");
  request.set_request_id(4711);
  WireWriter writer;
  writer.AddFields(request);
  writer.AddNamedTensor(2, "x:0", F(1));
  const Result<Payload> payload = writer.Finish();
  EXPECT_EQ(losing->CallAndWait(kMasterRunStep, *payload, {}).status().code(), Code::kUnavailable);
  // A client that repeats it under the same id learns that it ran.
  EXPECT_EQ(ChannelTo(*worker_)->CallAndWait(kMasterRunStep, *payload, {}).status().code(), Code::kAborted);
  EXPECT_EQ(ValueOf(plain->Run({}, {"w/read"}, {})), 101);
}

TEST_F(ServerTest, SessionOfAClientThatDiedIsClosed) {
  proto::CreateSessionRequest create;
  const Result<Payload> created = ChannelTo(*worker_)->CallAndWait(kMasterCreateSession, EncodeMessage(create), {});
  ASSERT_TRUE(created.ok()) << created.status().ToString();
  proto::CreateSessionResponse response;
  ASSERT_TRUE(DecodeMessage(*created, &response).ok());
  proto::CloseSessionRequest hold;
  hold.set_session_handle(response.session_handle());
  CancellationToken death;
  Notification ended;
  const std::shared_ptr<Channel> channel = ChannelTo(*worker_);  // one: a list that is answered came after the hold
  channel->Call(kMasterHoldSession, EncodeMessage(hold), {.cancellation = &death},
                [&](const Status&, const Payload&) { ended.Notify(); });
  proto::ListDevicesRequest list;
  list.set_session_handle(response.session_handle());
  const auto is_open = [&] { return channel->CallAndWait(kMasterListDevices, EncodeMessage(list), {}).ok(); };
  EXPECT_TRUE(is_open());
  death.Cancel(Cancelled("died"));
  ended.Wait();
  const TimePoint limit = RealClock().Now() + seconds(10);
  while (is_open() && RealClock().Now() < limit) {
  }
  EXPECT_FALSE(is_open());
}

TEST_F(ServerTest, ATracedStepTellsOverTheWireWhatEveryTaskDid) {
  const auto session = Open(VariableOnPs());
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  RunOptions options;
  options.trace = std::make_shared<StepTrace>(StepTraceWishes{.step_stats = true, .partition_graphs = true});
  EXPECT_EQ(ValueOf(session->Run({{"x", F(5)}}, {"sum"}, {}, options)), 105);
  proto::RunMetadata metadata;
  ASSERT_TRUE(metadata.ParseFromString(options.trace->run_metadata()));
  std::map<std::string, std::set<std::string>> ran;  // nodes by device
  for (const auto& device : metadata.step_stats().dev_stats()) {
    for (const auto& node : device.node_stats()) ran[device.device()].insert(node.node_name());
  }
  EXPECT_TRUE(ran[ps_->task_name() + "/device:CPU:0"].contains("w/read"));
  EXPECT_TRUE(ran[worker_->task_name() + "/device:CPU:0"].contains("sum"));
  EXPECT_TRUE(ran[worker_->task_name() + "/device:CPU:0"].contains("RecvTensor"));
  EXPECT_EQ(ran.size(), 2u);
  EXPECT_EQ(metadata.partition_graphs_size(), 2);
}

TEST_F(ServerTest, BadBytesInEveryMethodAreErrors) {
  for (const char* method :
       {kMasterCreateSession, kMasterExtendSession, kMasterRunStep, kMasterPartialRunSetup, kMasterCloseSession,
        kMasterReset, kMasterListDevices, kMasterMakeCallable, kMasterRunCallable, kMasterReleaseCallable}) {
    EXPECT_EQ(ChannelTo(*worker_)->CallAndWait(method, Payload("\xff\xff\xff\xff garbage"), {}).status().code(),
              Code::kInvalidArgument)
        << method;
  }
  EXPECT_TRUE(Open(VariableOnPs())->Run({}, {}, {"w/init"}).ok());
}

TEST(ServerStartTest, SaysWhatIsWrong) {
  const ClusterSpec open_net = *ClusterSpec::FromJobs({{"ps", {"0.0.0.0:29999"}}});
  const Status open_status = Server::Start({.cluster = open_net, .job = "ps"}).status();
  EXPECT_EQ(open_status.code(), Code::kFailedPrecondition);
  EXPECT_THAT(open_status.message(), HasSubstr("--insecure"));
  EXPECT_THAT(Server::Start({.cluster = open_net, .job = "worker"}).status().message(), HasSubstr("no job 'worker'"));
  const ClusterSpec nowhere = *ClusterSpec::FromJobs({{"ps", {"no-such-host.invalid:29999"}}});
  const Status unresolved = Server::Start({.cluster = nowhere, .job = "ps"}).status();
  EXPECT_EQ(unresolved.code(), Code::kUnavailable);
  EXPECT_THAT(unresolved.message(), HasSubstr("'no-such-host.invalid' cannot be resolved"));
  const ClusterSpec taken = *ClusterSpec::FromJobs({{"ps", {FreeAddress()}}});
  const std::shared_ptr<Server> first = MustStart({.cluster = taken, .job = "ps"});
  EXPECT_THAT(Server::Start({.cluster = taken, .job = "ps"}).status().ToString(), HasSubstr("Address already in use"));
  EXPECT_EQ(Server::FindInProcess(first->target()), first);
  first->Stop();
  EXPECT_EQ(Server::FindInProcess(first->target()), nullptr);
}

}  // namespace
}  // namespace headrace
