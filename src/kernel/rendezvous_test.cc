#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/rendezvous.h"
#include "sync/notification.h"
#include "sync/thread_pool.h"

namespace headrace {
namespace {

constexpr char kKey[] =
    "/job:ps/replica:0/task:0/device:CPU:0;00000000000000ff;/job:worker/replica:0/task:0/device:CPU:0;edge;0:0";

struct Received {
  int calls = 0;
  Status status;
  Tensor value;
  bool is_dead = false;
  Rendezvous::Done Callback() {
    return [this](const Status& s, Tensor v, bool dead) {
      ++calls;
      status = s;
      value = std::move(v);
      is_dead = dead;
    };
  }
};

TEST(RendezvousKey, IsReadBackAsItWasWritten) {
  const auto key = RendezvousKey::Parse(kKey);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->src_device, "/job:ps/replica:0/task:0/device:CPU:0");
  EXPECT_EQ(key->src_incarnation, 255u);
  EXPECT_EQ(key->edge_name, "edge");
  EXPECT_EQ(key->ToString(), kKey);
}

TEST(RendezvousKey, RefusesWhatIsNotAKey) {
  for (const char* text :
       {"", "a", "a;b;c;d;0:0", "a;00000000000000FF;c;d;0:0", "a;00000000000000ff;c;d;0", "a;ff;c;d;0:0",
        ";00000000000000ff;c;d;0:0", "a;00000000000000ff;c;d;0:0;", "a;00000000000000ff;c;d;x:0"}) {
    EXPECT_EQ(RendezvousKey::Parse(text).status().code(), Code::kInvalidArgument) << text;
  }
}

TEST(LocalRendezvous, TheReceiverMayComeFirstOrLast) {
  const auto rendezvous = MakeLocalRendezvous();
  Received first, last;
  rendezvous->RecvAsync("a", nullptr, first.Callback());
  EXPECT_EQ(first.calls, 0);
  EXPECT_TRUE(rendezvous->Send("a", Tensor::Scalar(1.0f), false).ok());
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(first.value.scalar<float>(), 1);
  EXPECT_TRUE(rendezvous->Send("b", Tensor(), true).ok());
  rendezvous->RecvAsync("b", nullptr, last.Callback());
  EXPECT_EQ(last.calls, 1);
  EXPECT_TRUE(last.is_dead);
}

TEST(LocalRendezvous, AKeyIsSentOnceAndReceivedOnce) {
  const auto rendezvous = MakeLocalRendezvous();
  Received once, twice;
  EXPECT_TRUE(rendezvous->Send("a", Tensor::Scalar(1.0f), false).ok());
  EXPECT_EQ(rendezvous->Send("a", Tensor::Scalar(1.0f), false).code(), Code::kAborted);
  rendezvous->RecvAsync("a", nullptr, once.Callback());
  rendezvous->RecvAsync("a", nullptr, twice.Callback());
  EXPECT_TRUE(once.status.ok());
  EXPECT_EQ(twice.status.code(), Code::kAborted);
}

TEST(LocalRendezvous, AbortFailsWhatWaitsAndWhatComes) {
  const auto rendezvous = MakeLocalRendezvous();
  Received waiting, late;
  rendezvous->RecvAsync("a", nullptr, waiting.Callback());
  rendezvous->StartAbort(Aborted("the peer is gone"));
  EXPECT_EQ(waiting.status.code(), Code::kAborted);
  rendezvous->RecvAsync("b", nullptr, late.Callback());
  EXPECT_EQ(late.status.message(), "the peer is gone");
  EXPECT_EQ(rendezvous->Send("c", Tensor(), true).message(), "the peer is gone");
}

TEST(LocalRendezvous, CancellationEndsAReceiverAndIsDerived) {
  const auto rendezvous = MakeLocalRendezvous();
  CancellationToken token;
  Received waiting, late;
  rendezvous->RecvAsync("a", &token, waiting.Callback());
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(waiting.calls, 1);
  EXPECT_EQ(waiting.status.code(), Code::kCancelled);
  EXPECT_TRUE(waiting.status.derived());
  rendezvous->RecvAsync("b", &token, late.Callback());
  EXPECT_EQ(late.status.code(), Code::kCancelled);
  EXPECT_TRUE(rendezvous->Send("a", Tensor(), true).ok());
  EXPECT_EQ(waiting.calls, 1);
}

TEST(LocalRendezvous, SendersAndCancellersMayRace) {
  const auto pool = MakeThreadPool("test", 2);
  for (int round = 0; round < 500; ++round) {
    const auto rendezvous = MakeLocalRendezvous();
    CancellationToken token;
    std::atomic<int> calls{0};
    rendezvous->RecvAsync("a", &token, [&](const Status&, Tensor, bool) { ++calls; });
    Notification sent, cancelled;
    pool->Schedule([&] {
      EXPECT_TRUE(rendezvous->Send("a", Tensor::Scalar(1.0f), false).ok());
      sent.Notify();
    });
    pool->Schedule([&] {
      token.Cancel(Cancelled("enough"));
      cancelled.Notify();
    });
    sent.Wait();
    cancelled.Wait();
    EXPECT_EQ(calls.load(), 1);
  }
}

}  // namespace
}  // namespace headrace
