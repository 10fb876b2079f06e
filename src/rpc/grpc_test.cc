// What only the gRPC version does: addresses, reconnection, stopping, bad bytes.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <random>

#include "rpc/faulty_channel.h"
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
constexpr char kHold[] = "/test.Service/Hold";

/// Serves Echo, and Hold, which answers nothing until it is cancelled and then nothing either.
class Fixture {
 public:
  Fixture() : table_(std::make_shared<ServiceTable>()) {
    table_->Add(kEcho, [](std::shared_ptr<ServerCall> call) { call->Reply(OkStatus(), call->request()); });
    table_->Add(kHold, [this](std::shared_ptr<ServerCall> call) {
      call->cancellation().OnCancel([call] {});
      held_.Notify();
    });
  }
  std::unique_ptr<RpcServer> Start(int port = 0) {
    Result<std::unique_ptr<RpcServer>> server = StartGrpcServer({.address = StrCat("127.0.0.1:", port)}, table_);
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    return *std::move(server);
  }

  Notification held_;
  std::shared_ptr<ServiceTable> table_;
};

std::shared_ptr<Channel> ChannelTo(int port) {
  return MakeGrpcChannel({.address = StrCat("127.0.0.1:", port), .peer_name = "/job:ps/task:1"});
}

int FreePort() {
  Fixture fixture;
  return fixture.Start()->port();
}

TEST(GrpcTest, UnreachablePeerIsUnavailableAndNamedWithItsAddressAndTheCause) {
  const int port = FreePort();
  const Status status = ChannelTo(port)->CallAndWait(kEcho, Payload(), {}).status();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr(StrCat("/job:ps/task:1 at 127.0.0.1:", port)));
  EXPECT_THAT(status.message(), HasSubstr("Connection refused"));
}

TEST(GrpcTest, WaitInVainSaysHowLongAndWhy) {
  const Status status =
      ChannelTo(FreePort())
          ->CallAndWait(kEcho, Payload(), {.deadline = RealClock().Now() + milliseconds(300), .wait_for_ready = true})
          .status();
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(status.message(), testing::MatchesRegex(".*/job:ps/task:1 at .*: waited 0.3[0-9]* s for a connection: .*"
                                                      "Connection refused.*"));
}

TEST(GrpcTest, CallThatWaitsIsAnsweredOnceThePeerStarts) {
  const int port = FreePort();
  PendingCall call(*ChannelTo(port), kEcho, Payload("x"),
                   {.deadline = RealClock().Now() + seconds(20), .wait_for_ready = true});
  Fixture fixture;
  const auto server = fixture.Start(port);
  const Status outcome = call.Wait().status();
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
}

TEST(GrpcTest, CallThatDoesNotWaitReachesAPeerThatStartedAfterAnEarlierRefusal) {
  const int port = FreePort();
  const std::shared_ptr<Channel> channel = ChannelTo(port);
  ASSERT_EQ(channel->CallAndWait(kEcho, Payload(), {}).status().code(), Code::kUnavailable);
  Fixture fixture;
  const auto server = fixture.Start(port);
  const Status status = channel->CallAndWait(kEcho, Payload("x"), {}).status();
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST(GrpcTest, AsynchronousCallReachesAPeerThatStartedAfterAnEarlierRefusal) {
  const int port = FreePort();
  const std::shared_ptr<Channel> channel = ChannelTo(port);
  ASSERT_EQ(channel->CallAndWait(kEcho, Payload(), {}).status().code(), Code::kUnavailable);
  Fixture fixture;
  const auto server = fixture.Start(port);
  const Status outcome = PendingCall(*channel, kEcho, Payload("x")).Wait().status();
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
}

TEST(GrpcTest, PortInUseIsAnErrorAndFreeAtOnceAfterwards) {
  Fixture fixture;
  std::unique_ptr<RpcServer> first = fixture.Start();
  const int port = first->port();
  const std::shared_ptr<Channel> channel = ChannelTo(port);
  ASSERT_TRUE(channel->CallAndWait(kEcho, Payload(), {}).ok());
  Result<std::unique_ptr<RpcServer>> second = StartGrpcServer({.address = StrCat("127.0.0.1:", port)}, fixture.table_);
  EXPECT_EQ(second.status().code(), Code::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr(StrCat("127.0.0.1:", port, ": Address already in use")));
  first.reset();
  const std::unique_ptr<RpcServer> third = fixture.Start(port);
  const Status again =
      channel->CallAndWait(kEcho, Payload(), {.deadline = RealClock().Now() + seconds(10), .wait_for_ready = true})
          .status();
  EXPECT_TRUE(again.ok()) << again.ToString();
}

TEST(GrpcTest, StopAnswersHeldCallsAtOnceWithItsReason) {
  Fixture fixture;
  const std::unique_ptr<RpcServer> server = fixture.Start();
  const std::shared_ptr<Channel> channel = ChannelTo(server->port());
  PendingCall call(*channel, kHold, Payload());
  fixture.held_.Wait();
  const TimePoint begin = RealClock().Now();
  server->Stop(Unavailable("/job:ps/task:1 is shutting down"), seconds(1));
  const Status outcome = call.Wait().status();
  EXPECT_EQ(outcome.code(), Code::kUnavailable);
  EXPECT_THAT(outcome.message(), HasSubstr("is shutting down"));
  EXPECT_LT(RealClock().Now() - begin, seconds(4));
}

/// A plain TCP connection that sends `bytes` and reads until the other side closes or a second has passed.
void SendRaw(int port, const std::string& bytes) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  (void)!send(socket_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  shutdown(socket_fd, SHUT_WR);
  timeval second = {.tv_sec = 1, .tv_usec = 0};
  setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
  char sink[4096];
  while (recv(socket_fd, sink, sizeof(sink), 0) > 0) {
  }
  close(socket_fd);
}

TEST(GrpcTest, BadBytesOnThePortDoNoHarm) {
  Fixture fixture;
  const std::unique_ptr<RpcServer> server = fixture.Start();
  std::mt19937 random(7);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (const std::string& bytes :
       {noise, "GET / HTTP/1.1\r\n\r\n" + noise, preface + noise, preface + std::string(100'000, '\0')}) {
    SendRaw(server->port(), bytes);
  }
  const std::shared_ptr<Channel> channel = ChannelTo(server->port());
  EXPECT_TRUE(channel->CallAndWait(kEcho, Payload("still there"), {}).ok());
}

TEST(GrpcTest, ManyCallsOfUnknownMethodsAtOnceAreEachRefused) {
  Fixture fixture;
  const std::unique_ptr<RpcServer> server = fixture.Start();
  std::vector<std::shared_ptr<Channel>> channels;
  for (int i = 0; i < 8; ++i) channels.push_back(ChannelTo(server->port()));
  std::deque<PendingCall> calls;
  for (size_t i = 0; i < 20000; ++i)
    calls.emplace_back(*channels[i % channels.size()], "/test.Service/Unknown", Payload());
  for (PendingCall& call : calls) ASSERT_EQ(call.Wait().status().code(), Code::kUnimplemented);
  EXPECT_TRUE(channels[0]->CallAndWait(kEcho, Payload("x"), {}).ok());
}

TEST(FaultyChannelTest, TheSameSeedMeetsTheSameFaults) {
  Fixture fixture;
  const auto outcomes = [&](uint64_t seed) {
    const std::shared_ptr<Channel> channel = MakeFaultyChannel(
        MakeInProcessChannel(fixture.table_, "peer"),
        {.seed = seed, .lose_request = 0.3, .lose_reply = 0.3, .delay_request = 0.1, .delay = milliseconds(1)});
    std::string pattern;
    for (int i = 0; i < 60; ++i) {
      const Status status = channel->CallAndWait(kEcho, Payload(), {}).status();
      pattern += status.ok() ? '.' : status.message().find("request") != std::string::npos ? 'q' : 'r';
    }
    return pattern;
  };
  const std::string first = outcomes(1);
  EXPECT_EQ(first, outcomes(1));
  EXPECT_NE(first, outcomes(2));
  EXPECT_THAT(first, testing::AllOf(HasSubstr("."), HasSubstr("q"), HasSubstr("r")));
}

}  // namespace
}  // namespace headrace
