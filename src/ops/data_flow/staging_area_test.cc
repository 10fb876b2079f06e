// Staging areas and those who wait for them, call by call; the ops are in tests/cases/data_flow.
#include "ops/data_flow/staging_area.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

/// What a call was told.
struct Outcome {
  bool ended = false;
  Status status;
  int64_t value = -1;
};

class StagingAreaTest : public testing::Test {
 protected:
  static StagingArea::Done Tell(Outcome* outcome) {
    return [outcome](const Status& status, const QueueElement& element) {
      EXPECT_FALSE(outcome->ended) << "told twice";
      outcome->ended = true;
      outcome->status = status;
      if (status.ok() && !element.empty()) outcome->value = element[0].scalar<int64_t>();
    };
  }
  Outcome* Put(int64_t value, CancellationToken* token = nullptr) {
    area_->Put({Tensor::Scalar(value)}, token, Tell(&outcomes_.emplace_back()));
    return &outcomes_.back();
  }
  Outcome* Take(CancellationToken* token = nullptr) {
    area_->Take(token, Tell(&outcomes_.emplace_back()));
    return &outcomes_.back();
  }
  Outcome* Peek(int64_t index, CancellationToken* token = nullptr) {
    area_->Peek(index, token, Tell(&outcomes_.emplace_back()));
    return &outcomes_.back();
  }

  std::deque<Outcome> outcomes_;
  std::shared_ptr<StagingArea> area_ = std::make_shared<StagingArea>(2, 0);
};

TEST_F(StagingAreaTest, ElementsLeaveInTheOrderInWhichTheyCame) {
  Put(1);
  Put(2);
  EXPECT_EQ(Take()->value, 1);
  EXPECT_EQ(Take()->value, 2);
  EXPECT_EQ(area_->size(), 0);
}

TEST_F(StagingAreaTest, WhoFindsNoRoomWaitsForIt) {
  Put(1);
  Put(2);
  const Outcome* third = Put(3);
  EXPECT_FALSE(third->ended);
  EXPECT_EQ(Take()->value, 1);
  EXPECT_TRUE(third->ended && third->status.ok());
  EXPECT_EQ(area_->size(), 2);
}

TEST_F(StagingAreaTest, ClearingMakesRoomForThoseWhoWait) {
  Put(1);
  Put(2);
  const Outcome* third = Put(3);
  area_->Clear();
  EXPECT_TRUE(third->ended);
  EXPECT_EQ(area_->size(), 1);
  EXPECT_EQ(Take()->value, 3);
}

TEST_F(StagingAreaTest, WhoFindsNoElementWaitsForOne) {
  const Outcome *first = Take(), *second = Take();
  Put(1);
  EXPECT_EQ(first->value, 1);
  EXPECT_FALSE(second->ended);
  Put(2);
  EXPECT_EQ(second->value, 2);
}

TEST_F(StagingAreaTest, PeekingLeavesTheElementAndWaitsForItsPlaceToBeFilled) {
  const Outcome *second = Peek(1), *first = Peek(0);
  Put(1);
  EXPECT_EQ(first->value, 1);
  EXPECT_FALSE(second->ended);
  Put(2);
  EXPECT_EQ(second->value, 2);
  EXPECT_EQ(area_->size(), 2);
  EXPECT_EQ(Peek(-1)->status.code(), Code::kInvalidArgument);
}

TEST_F(StagingAreaTest, WhoLooksSeesAnElementBeforeItIsTaken) {
  const Outcome *peek = Peek(0), *take = Take();
  Put(1);
  EXPECT_EQ(peek->value, 1);
  EXPECT_EQ(take->value, 1);
}

TEST_F(StagingAreaTest, BytesAreLimitedToo) {
  area_ = std::make_shared<StagingArea>(0, 12);
  Put(1);
  const Outcome* second = Put(2);
  EXPECT_FALSE(second->ended);
  EXPECT_EQ(Take()->value, 1);
  EXPECT_TRUE(second->ended);
  Outcome large;
  area_->Put({Tensor::Vector<int64_t>({1, 2})}, nullptr, Tell(&large));
  EXPECT_EQ(large.status.ToString(),
            "RESOURCE_EXHAUSTED: Attempted to insert tensors with combined size of '16' bytes into Staging Area with a "
            "memory limit of '12'.");
}

TEST_F(StagingAreaTest, ACancelledCallEndsAndTheOthersGoOn) {
  CancellationToken token;
  const Outcome *take = Take(&token), *peek = Peek(0, &token), *later = Take();
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(take->status.code(), Code::kCancelled);
  EXPECT_EQ(peek->status.code(), Code::kCancelled);
  EXPECT_FALSE(later->ended);
  Put(1);
  EXPECT_EQ(later->value, 1);
  EXPECT_EQ(Take(&token)->status.code(), Code::kCancelled);
}

TEST_F(StagingAreaTest, WhatACancelledCallWantedToPutInStaysOut) {
  CancellationToken token;
  Put(1);
  Put(2);
  const Outcome* third = Put(3, &token);
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(third->status.code(), Code::kCancelled);
  Take();
  EXPECT_EQ(Take()->value, 2);
  EXPECT_FALSE(Take()->ended);
}

}  // namespace
}  // namespace headrace
