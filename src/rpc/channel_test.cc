// Every version of Channel keeps the same promises: these tests run over gRPC and in process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "base/check.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/in_process_channel.h"
#include "rpc/rpc_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr char kEcho[] = "/test.Service/Echo";
constexpr char kFail[] = "/test.Service/Fail";
constexpr char kHold[] = "/test.Service/Hold";
constexpr char kDrop[] = "/test.Service/Drop";

enum class Version { kGrpc, kInProcess };

class ChannelTest : public testing::TestWithParam<Version> {
 protected:
  ChannelTest() {
    auto table = std::make_shared<ServiceTable>();
    table->Add(kEcho, [](std::shared_ptr<ServerCall> call) { call->Reply(OkStatus(), call->request()); });
    table->Add(kFail, [this](std::shared_ptr<ServerCall> call) { call->Reply(failure_); });
    table->Add(kDrop, [](std::shared_ptr<ServerCall>) {});
    table->Add(kHold,
               [this](std::shared_ptr<ServerCall> call) {
                 call->cancellation().OnCancel([this, call] {
                   cancel_reason_ = call->cancellation().status();
                   call->Reply(Aborted("ended by its handler"));
                   cancelled_.Notify();
                 });
                 held_.Notify();
               },
               {.pool = &BlockingPool()});
    if (GetParam() == Version::kInProcess) {
      channel_ = MakeInProcessChannel(table, "/job:test/task:0");
      return;
    }
    auto server = StartGrpcServer({.address = "127.0.0.1:0"}, table);
    HR_CHECK(server.ok());
    server_ = *std::move(server);
    channel_ = MakeGrpcChannel({.address = StrCat("127.0.0.1:", server_->port()), .peer_name = "/job:test/task:0"});
  }

  Result<Payload> Call(const std::string& method, Payload request, const CallOptions& options = {}) {
    return PendingCall(*channel_, method, std::move(request), options).Wait();
  }

  Status failure_;
  Status cancel_reason_;
  Notification held_;
  Notification cancelled_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<Channel> channel_;
};

TEST_P(ChannelTest, EchoesBothWaysOfCalling) {
  Payload request("some ");
  request.Append("text");
  for (int i = 0; i < 20; ++i) {
    Result<Payload> waited = channel_->CallAndWait(kEcho, request, {});
    ASSERT_TRUE(waited.ok()) << waited.status().ToString();
    EXPECT_EQ(waited->Flatten(), "some text");
    Result<Payload> called = Call(kEcho, request);
    ASSERT_TRUE(called.ok()) << called.status().ToString();
    EXPECT_EQ(called->Flatten(), "some text");
  }
}

TEST_P(ChannelTest, EmptyMessagesPass) {
  Result<Payload> response = channel_->CallAndWait(kEcho, Payload(), {});
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->size_bytes(), 0);
}

TEST_P(ChannelTest, BigSharedSlicesArriveWholeAndAreReleased) {
  std::string bytes(20 << 20, 'x');
  for (size_t i = 0; i < bytes.size(); i += 4096) bytes[i] = static_cast<char>(i / 4096);
  std::atomic<bool> released{false};
  {
    Payload request("head");
    request.AppendShared(bytes,
                         WrapExternal(bytes.data(), static_cast<int64_t>(bytes.size()), [&] { released = true; }));
    Result<Payload> response = channel_->CallAndWait(kEcho, std::move(request), {});
    ASSERT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->Flatten(), "head" + bytes);
  }
  server_.reset();
  EXPECT_TRUE(released);
}

TEST_P(ChannelTest, HandlersErrorsKeepCodeTextAndDerivation) {
  failure_ = InvalidArgument("MatMul: inner dimensions differ [[{{node a}}]]");
  EXPECT_EQ(Call(kFail, Payload()).status().ToString(), failure_.ToString());
  EXPECT_EQ(channel_->CallAndWait(kFail, Payload(), {}).status().ToString(), failure_.ToString());
  failure_ = Cancelled("the step ended").AsDerived();
  EXPECT_TRUE(Call(kFail, Payload()).status().derived());
}

TEST_P(ChannelTest, UnknownMethodIsUnimplementedAndNamesThePeer) {
  const Status status = Call("/test.Service/Nothing", Payload()).status();
  EXPECT_EQ(status.code(), Code::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("/test.Service/Nothing: /job:test/task:0"));
}

TEST_P(ChannelTest, DroppedCallIsAnsweredWithAnError) {
  EXPECT_EQ(Call(kDrop, Payload()).status().code(), Code::kInternal);
}

TEST_P(ChannelTest, DeadlineEndsTheCallAndReachesTheHandler) {
  const TimePoint begin = RealClock().Now();
  const Status status = Call(kHold, Payload(), {.deadline = begin + milliseconds(50)}).status();
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("/job:test/task:0"));
  EXPECT_GE(RealClock().Now() - begin, milliseconds(49));
  ASSERT_TRUE(cancelled_.WaitUntil(begin + seconds(10)));
  EXPECT_EQ(cancel_reason_.code(), Code::kDeadlineExceeded) << cancel_reason_.ToString();
}

TEST_P(ChannelTest, CancellationEndsTheCallWithItsReasonAndReachesTheHandler) {
  CancellationToken token;
  PendingCall call(*channel_, kHold, Payload(), {.cancellation = &token});
  held_.Wait();
  token.Cancel(Aborted("another part failed").AsDerived());
  const Status outcome = call.Wait().status();
  EXPECT_EQ(outcome.ToString(), "ABORTED: another part failed");
  EXPECT_TRUE(outcome.derived());
  ASSERT_TRUE(cancelled_.WaitUntil(RealClock().Now() + seconds(10)));
}

TEST_P(ChannelTest, CancelledBeforeItsStartTheCallIsNotMade) {
  CancellationToken token;
  token.Cancel(Cancelled("too late"));
  EXPECT_EQ(Call(kHold, Payload(), {.cancellation = &token}).status().ToString(), "CANCELLED: too late");
  EXPECT_FALSE(held_.HasBeenNotified());
}

INSTANTIATE_TEST_SUITE_P(Versions, ChannelTest, testing::Values(Version::kGrpc, Version::kInProcess),
                         [](const auto& info) { return info.param == Version::kGrpc ? "Grpc" : "InProcess"; });

}  // namespace
}  // namespace headrace
