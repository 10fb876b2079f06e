// Tests of the pool, cancellation and notification.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "sync/caller_pool.h"
#include "sync/cancellation.h"
#include "sync/notification.h"
#include "sync/thread_pool.h"

namespace headrace {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskBeforeItEnds) {
  std::atomic<int> count = 0;
  {
    auto pool = MakeThreadPool("test", 3);
    for (int i = 0; i < 1000; ++i) pool->Schedule([&count] { ++count; });
  }
  EXPECT_EQ(count, 1000);
}

TEST(ThreadPoolTest, KnowsItsOwnThreads) {
  auto pool = MakeThreadPool("test", 1);
  auto other = MakeThreadPool("other", 1);
  EXPECT_FALSE(pool->InPool());
  Notification done;
  pool->Schedule([&] {
    EXPECT_TRUE(pool->InPool());
    EXPECT_FALSE(other->InPool());
    done.Notify();
  });
  done.Wait();
}

TEST(CallerPoolTest, TasksMayWaitForEachOtherHoweverManyTheyAre) {
  constexpr int kTasks = 50;
  struct Meeting {
    std::atomic<int> num_begun = 0, num_ended = 0;
    Notification all_begun, all_ended;
  };
  const auto meeting = std::make_shared<Meeting>();
  for (int i = 0; i < kTasks; ++i) {
    CallerPool().Schedule([meeting] {
      if (++meeting->num_begun == kTasks) meeting->all_begun.Notify();
      meeting->all_begun.Wait();
      EXPECT_TRUE(CallerPool().InPool());
      if (++meeting->num_ended == kTasks) meeting->all_ended.Notify();
    });
  }
  meeting->all_ended.Wait();
  EXPECT_FALSE(CallerPool().InPool());
  EXPECT_LE(CallerPool().num_threads(), kTasks);
}

TEST(ThreadPoolTest, ParallelForCoversEachItemOnce) {
  auto pool = MakeThreadPool("test", 4);
  for (int64_t total : {0, 1, 2, 7, 1000, 4097}) {
    std::vector<std::atomic<int>> hits(static_cast<size_t>(total));
    pool->ParallelFor(total, 1e6, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
    });
    for (const auto& hit : hits) EXPECT_EQ(hit, 1) << "of " << total;
  }
}

TEST(ThreadPoolTest, ParallelForNestsWithoutDeadlockOnOneThread) {
  auto pool = MakeThreadPool("test", 1);
  std::atomic<int> count = 0;
  Notification done;
  pool->Schedule([&] {
    pool->ParallelFor(8, 1e6, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        pool->ParallelFor(8, 1e6, [&](int64_t b, int64_t e) { count += int(e - b); });
    });
    done.Notify();
  });
  done.Wait();
  EXPECT_EQ(count, 64);
}

TEST(CancellationTest, RunsCallbacksOnceWithTheFirstReason) {
  CancellationToken token;
  int calls = 0;
  EXPECT_NE(token.OnCancel([&] { ++calls; }), 0u);
  token.Cancel(Aborted("first"));
  token.Cancel(Internal("second"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(token.status().ToString(), "ABORTED: first");
  EXPECT_EQ(token.OnCancel([&] { ++calls; }), 0u);
  EXPECT_EQ(calls, 1);
}

TEST(CancellationTest, DeregisteredCallbacksDoNotRun) {
  CancellationToken token;
  int calls = 0;
  const uint64_t id = token.OnCancel([&] { ++calls; });
  EXPECT_TRUE(token.Deregister(id));
  token.Cancel(Cancelled("stop"));
  EXPECT_EQ(calls, 0);
}

TEST(CancellationTest, DeregisterWaitsForACallbackThatRunsElsewhere) {
  auto pool = MakeThreadPool("test", 1);
  CancellationToken token;
  Notification started, release;
  std::atomic<bool> finished = false;
  const uint64_t id = token.OnCancel([&] {
    started.Notify();
    release.Wait();
    finished = true;
  });
  pool->Schedule([&] { token.Cancel(Cancelled("stop")); });
  started.Wait();
  pool.get()->Schedule([] {});
  release.Notify();
  EXPECT_FALSE(token.Deregister(id));
  EXPECT_TRUE(finished);
}

TEST(CancellationTest, ACallbackMayDeregisterAnotherThatHasNotRun) {
  CancellationToken token;
  int calls = 0;
  uint64_t second = 0;
  token.OnCancel([&] { EXPECT_TRUE(token.Deregister(second)); });
  second = token.OnCancel([&] { ++calls; });
  token.Cancel(Cancelled("stop"));
  EXPECT_EQ(calls, 0);
}

TEST(CancellationTest, CallbacksOfTwoTokensMayDeregisterEachOther) {
  struct Side {
    CancellationToken token;
    Notification started, ended;
    uint64_t id = 0;
  };
  const auto sides = std::make_shared<std::array<Side, 2>>();
  auto pool = MakeThreadPool("test", 2);
  for (size_t i = 0; i < 2; ++i) {
    (*sides)[i].id = (*sides)[i].token.OnCancel([sides = sides.get(), i] {
      Side& self = (*sides)[i];
      Side& other = (*sides)[1 - i];
      self.started.Notify();
      other.started.Wait();
      EXPECT_FALSE(other.token.Deregister(other.id));
    });
  }
  for (size_t i = 0; i < 2; ++i) {
    pool->Schedule([sides, i] {
      (*sides)[i].token.Cancel(Cancelled("stop"));
      (*sides)[i].ended.Notify();
    });
  }
  const TimePoint deadline = RealClock().Now() + std::chrono::seconds(20);
  for (Side& side : *sides) {
    if (side.ended.WaitUntil(deadline)) continue;
    (void)pool.release();  // its threads wait for each other for ever
    FAIL() << "the two callbacks wait for each other";
  }
}

}  // namespace
}  // namespace headrace
