// Queues and those who wait for them, call by call; the ops are in tests/cases/data_flow.
#include "ops/data_flow/queue.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace headrace {
namespace {

/// What a call was told.
struct Outcome {
  bool ended = false;
  Status status;
  std::vector<int64_t> values;
};

class QueueTest : public testing::Test {
 protected:
  std::shared_ptr<Queue> Make(QueueKind kind, int64_t capacity, int64_t min_after_dequeue = 0) {
    QueueSpec spec;
    spec.kind = kind;
    spec.name = "q";
    spec.types = {DType::kInt64};
    spec.shapes = {PartialShape::Scalar()};
    spec.capacity = capacity;
    spec.min_after_dequeue = min_after_dequeue;
    spec.seed = 1;
    return std::make_shared<Queue>(std::move(spec));
  }

  static Queue::Done Tell(Outcome* outcome) {
    return [outcome](const Status& status, const std::vector<QueueElement>& elements) {
      EXPECT_FALSE(outcome->ended) << "told twice";
      outcome->ended = true;
      outcome->status = status;
      for (const QueueElement& element : elements) outcome->values.push_back(element[0].scalar<int64_t>());
    };
  }

  void Put(const std::vector<int64_t>& values, Outcome* outcome, CancellationToken* token = nullptr) {
    std::vector<QueueElement> elements;
    elements.reserve(values.size());
    for (const int64_t value : values) elements.push_back({Tensor::Scalar(value)});
    queue_->Enqueue(std::move(elements), token, Tell(outcome));
  }
  void Put(const std::vector<int64_t>& values) {
    Outcome outcome;
    Put(values, &outcome);
    EXPECT_TRUE(outcome.ended && outcome.status.ok());
  }
  void Take(int64_t count, Outcome* outcome, bool allow_fewer = false, CancellationToken* token = nullptr) {
    queue_->Dequeue(count, allow_fewer, token, Tell(outcome));
  }
  std::vector<int64_t> Take(int64_t count) {
    Outcome outcome;
    Take(count, &outcome);
    EXPECT_TRUE(outcome.ended) << "waits";
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    return outcome.values;
  }
  Status Close(bool cancel = false) {
    Outcome outcome;
    queue_->Close(cancel, nullptr, Tell(&outcome));
    return outcome.ended ? outcome.status : Unavailable("it waits");
  }

  std::shared_ptr<Queue> queue_ = Make(QueueKind::kFifo, 3);
};

using Values = std::vector<int64_t>;

TEST_F(QueueTest, ThoseWhoWaitAreServedInTheOrderInWhichTheyCame) {
  Outcome first, second;
  Take(2, &first);
  Take(1, &second);
  Put({1});
  EXPECT_FALSE(first.ended || second.ended);
  Put({2, 3});
  EXPECT_EQ(first.values, (Values{1, 2}));
  EXPECT_EQ(second.values, (Values{3}));
}

TEST_F(QueueTest, ARowAfterTheOtherGoesInAsThereIsRoom) {
  Outcome many, one;
  Put({1, 2, 3, 4, 5}, &many);
  Put({6}, &one);
  EXPECT_EQ(queue_->size(), 3);
  EXPECT_EQ(Take(2), (Values{1, 2}));
  EXPECT_TRUE(many.ended && many.status.ok());
  EXPECT_FALSE(one.ended);
  EXPECT_EQ(Take(4), (Values{3, 4, 5, 6}));
  EXPECT_TRUE(one.ended && one.status.ok());
}

TEST_F(QueueTest, ABatchMayBeLargerThanTheQueue) {
  Outcome batch, rows;
  Take(7, &batch);
  Put({1, 2, 3, 4, 5, 6, 7, 8}, &rows);
  EXPECT_TRUE(rows.ended);
  EXPECT_EQ(batch.values, (Values{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(queue_->size(), 1);
}

TEST_F(QueueTest, ClosingWakesThoseWhoWaitAndGivesBackWhatABatchHadCollected) {
  Put({1, 2, 3});
  Outcome batch, one;
  Take(5, &batch);
  Take(1, &one);
  EXPECT_EQ(queue_->size(), 0);
  ASSERT_TRUE(Close().ok());
  EXPECT_EQ(batch.status.code(), Code::kOutOfRange);
  EXPECT_EQ(batch.status.message(),
            "FIFOQueue 'q' is closed and has insufficient elements (requested 2, current size 0)");
  EXPECT_EQ(one.values, (Values{1}));
  EXPECT_EQ(Take(2), (Values{2, 3}));
}

TEST_F(QueueTest, UpToTakesWhatIsLeftOnceTheQueueIsClosed) {
  Put({1});
  Outcome batch, late;
  Take(5, &batch, /*allow_fewer=*/true);
  EXPECT_FALSE(batch.ended);
  ASSERT_TRUE(Close().ok());
  EXPECT_EQ(batch.values, (Values{1}));
  Take(5, &late, /*allow_fewer=*/true);
  EXPECT_EQ(late.status.message(),
            "FIFOQueue 'q' is closed and has insufficient elements (requested 5, current size 0)");
}

TEST_F(QueueTest, ClosingWaitsForThoseWhoCameBefore) {
  Outcome rows, closing, after;
  Put({1, 2, 3, 4}, &rows);
  queue_->Close(false, nullptr, Tell(&closing));
  Put({9}, &after);
  EXPECT_FALSE(closing.ended || queue_->is_closed());
  EXPECT_EQ(Take(1), (Values{1}));
  EXPECT_TRUE(rows.ended && rows.status.ok());
  EXPECT_TRUE(closing.ended && closing.status.ok() && queue_->is_closed());
  EXPECT_EQ(after.status.ToString(), "CANCELLED: FIFOQueue 'q' is closed.");
  EXPECT_EQ(Take(3), (Values{2, 3, 4}));
  EXPECT_EQ(Close().ToString(), "CANCELLED: Queue 'q' is already closed.");
}

TEST_F(QueueTest, ACancellingCloseEndsThoseWhoPutInAndKeepsWhatTheyPutIn) {
  Outcome rows, closing;
  Put({1, 2, 3, 4}, &rows);
  queue_->Close(false, nullptr, Tell(&closing));
  ASSERT_TRUE(Close(/*cancel=*/true).ok());
  EXPECT_EQ(rows.status.ToString(), "CANCELLED: Enqueue operation was cancelled");
  EXPECT_TRUE(closing.ended && closing.status.ok());
  EXPECT_TRUE(Close(/*cancel=*/true).ok());
  EXPECT_EQ(Take(3), (Values{1, 2, 3}));
}

TEST_F(QueueTest, ACancelledBatchGivesBackWhatItCollectedAndOthersGoOn) {
  Put({1, 2, 3});
  CancellationToken token;
  Outcome batch, two;
  Take(5, &batch, false, &token);
  Take(2, &two);
  token.Cancel(DeadlineExceeded("too late"));
  EXPECT_EQ(batch.status.ToString(), "DEADLINE_EXCEEDED: too late");
  EXPECT_TRUE(batch.status.derived());
  EXPECT_EQ(two.values, (Values{1, 2}));
  EXPECT_EQ(Take(1), (Values{3}));
}

TEST_F(QueueTest, WhatACancelledCallPutInStays) {
  CancellationToken token;
  Outcome rows, one;
  Put({1, 2, 3, 4}, &rows, &token);
  Put({9}, &one);
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(rows.status.code(), Code::kCancelled);
  EXPECT_FALSE(one.ended);
  EXPECT_EQ(Take(4), (Values{1, 2, 3, 9}));
}

TEST_F(QueueTest, ACallOfACancelledStepEndsAtOnceUnlessItIsServed) {
  CancellationToken token;
  token.Cancel(Cancelled("enough"));
  Outcome waiting, served;
  Take(1, &waiting, false, &token);
  EXPECT_EQ(waiting.status.code(), Code::kCancelled);
  Put({1});
  Take(1, &served, false, &token);
  EXPECT_EQ(served.values, (Values{1}));
}

TEST_F(QueueTest, AServedCallHearsNothingOfALaterCancellation) {
  CancellationToken token;
  Outcome one;
  Take(1, &one, false, &token);
  Put({1});
  token.Cancel(Cancelled("too late"));
  EXPECT_TRUE(one.status.ok());
  EXPECT_EQ(one.values, (Values{1}));
}

TEST_F(QueueTest, ARandomQueueKeepsSomeElementsUntilItIsClosed) {
  queue_ = Make(QueueKind::kRandomShuffle, 10, 2);
  Put({1, 2, 3});
  Outcome batch;
  Take(3, &batch);
  EXPECT_EQ(queue_->size(), 2);
  ASSERT_TRUE(Close().ok());
  std::ranges::sort(batch.values);
  EXPECT_EQ(batch.values, (Values{1, 2, 3}));
}

TEST_F(QueueTest, EqualPrioritiesLeaveAsTheyCameAlsoAfterACancelledBatch) {
  queue_ = Make(QueueKind::kPriority, 10);
  Put({5, 1, 3});
  CancellationToken token;
  Outcome batch;
  Take(4, &batch, false, &token);
  token.Cancel(Cancelled("enough"));
  Put({2});
  EXPECT_EQ(Take(4), (Values{1, 2, 3, 5}));
}

TEST_F(QueueTest, AQueueThatNobodyElseHoldsOutlivesThoseWhoWait) {
  CancellationToken token;
  Outcome one;
  queue_->Dequeue(1, false, &token,
                  [queue = queue_, tell = Tell(&one)](const Status& status, std::vector<QueueElement> elements) {
                    tell(status, std::move(elements));
                  });
  const std::weak_ptr<Queue> watched = queue_;
  queue_.reset();
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(one.status.code(), Code::kCancelled);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace headrace
