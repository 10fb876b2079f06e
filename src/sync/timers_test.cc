#include "sync/timers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(TimersTest, CallbacksRunInTheOrderOfTheirTimesAndNotBefore) {
  const std::unique_ptr<Timers> timers = MakeTimers();
  const TimePoint start = RealClock().Now();
  std::vector<int> order;
  Notification all_ran;
  timers->At(start + milliseconds(20), [&] {
    order.push_back(2);
    all_ran.Notify();
  });
  timers->At(start + milliseconds(10), [&] { order.push_back(1); });
  all_ran.Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_GE(RealClock().Now() - start, milliseconds(20));
}

TEST(TimersTest, CancelledCallbackDoesNotRun) {
  const std::unique_ptr<Timers> timers = MakeTimers();
  bool ran = false;
  Notification later_ran;
  const uint64_t id = timers->At(RealClock().Now() + milliseconds(5), [&] { ran = true; });
  EXPECT_TRUE(timers->Cancel(id));
  EXPECT_FALSE(timers->Cancel(id));
  timers->At(RealClock().Now() + milliseconds(10), [&] { later_ran.Notify(); });
  later_ran.Wait();
  EXPECT_FALSE(ran);
}

TEST(TimersTest, EndDropsWhatIsNotDue) {
  auto held = std::make_shared<int>(1);
  MakeTimers()->At(RealClock().Now() + hours(1), [held] {});
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace headrace
