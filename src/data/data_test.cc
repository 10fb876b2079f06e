// Tests of the stages: what each yields, in which order, after a skip, and after an error.
#include "data/data_testing.h"
#include "data/iterator.h"
#include "sync/notification.h"

namespace headrace {
namespace {

TEST_F(DataTest, SlicesShareTheirTensor) {
  Tensor rows = Tensor::FromValues<float>({1, 2, 3, 4, 5, 6}, Shape({3, 2}));
  DatasetPtr dataset = *MakeTensorSliceDataset({rows, Tensor::Vector<int64_t>({7, 8, 9})});
  EXPECT_EQ(All(dataset), (std::vector<std::string>{"1 2;7", "3 4;8", "5 6;9"}));
  Element element;
  bool end = false;
  ASSERT_TRUE(Open(dataset)->Next(&element, &end).ok());
  EXPECT_TRUE(element[0].SharesBufferWith(rows));
  EXPECT_EQ(MakeTensorSliceDataset({rows, Tensor::Vector<int64_t>({1})}).status().ToString(),
            "INVALID_ARGUMENT: TensorSliceDataset: first dimensions differ: f32[3,2] and i64[1]");
}

TEST_F(DataTest, SelectionsKeepTheOrder) {
  EXPECT_EQ(Joined(MakeTakeDataset(Range(5), 2)), "0 1");
  EXPECT_EQ(Joined(MakeTakeDataset(Range(3), -1)), "0 1 2");
  EXPECT_EQ(Joined(MakeSkipDataset(Range(5), 3)), "3 4");
  EXPECT_EQ(Joined(MakeSkipDataset(Range(5), -1)), "");
  EXPECT_EQ(Joined(MakeRepeatDataset(Range(2), 2)), "0 1 0 1");
  EXPECT_EQ(Joined(MakeRepeatDataset(Range(2), -1), 5), "0 1 0 1 0");
  EXPECT_EQ(Joined(*MakeShardDataset(Range(7), 3, 1)), "1 4");
  EXPECT_EQ(Joined(MakeZipDataset({Range(3), Range(2)})), "0;0 1;1");
  EXPECT_EQ(Joined(*MakeConcatenateDataset(Range(2), Range(1))), "0 1 0");
  EXPECT_EQ(MakeShardDataset(Range(7), 3, 3).status().code(), Code::kInvalidArgument);
}

TEST_F(DataTest, RepeatingNothingForEverEnds) { EXPECT_EQ(Joined(MakeRepeatDataset(Range(0), -1)), ""); }

TEST_F(DataTest, CardinalitiesAreKnownWithoutReading) {
  EXPECT_EQ(MakeRepeatDataset(Range(5), 3)->Cardinality(), 15);
  EXPECT_EQ(MakeRepeatDataset(Range(5), -1)->Cardinality(), Dataset::kInfinite);
  EXPECT_EQ((*MakeBatchDataset(Range(5), 2, false))->Cardinality(), 3);
  EXPECT_EQ((*MakeBatchDataset(Range(5), 2, true))->Cardinality(), 2);
  EXPECT_EQ((*MakeShardDataset(Range(7), 3, 0))->Cardinality(), 3);
  EXPECT_EQ(MakeTakeDataset(MakeRepeatDataset(Range(5), -1), 4)->Cardinality(), 4);
}

TEST_F(DataTest, BatchesJoinRowsAndKeepOrDropTheRemainder) {
  EXPECT_EQ(All(*MakeBatchDataset(Range(5), 2, false)), (std::vector<std::string>{"0 1", "2 3", "4"}));
  EXPECT_EQ(All(*MakeBatchDataset(Range(5), 2, true)), (std::vector<std::string>{"0 1", "2 3"}));
  EXPECT_EQ((*MakeBatchDataset(Range(5), 2, true))->output_shapes()[0].ToString(), "[2]");
}

TEST_F(DataTest, ABatchOfDifferentShapesNamesThem) {
  DatasetPtr ragged = *MakeConcatenateDataset(MakeTensorDataset({Tensor::Vector<float>({1})}),
                                              MakeTensorDataset({Tensor::Vector<float>({1, 2})}));
  EXPECT_EQ(
      All(*MakeBatchDataset(ragged, 2, false))[0],
      "INVALID_ARGUMENT: Cannot batch tensors with different shapes in component 0. First element had shape [1] and "
      "element 1 had shape [2].");
}

// What TensorFlow 2.21 yields for range(10).shuffle(buffer, seed=7).repeat(3): its client passes the seeds 87654321 and 7.
TEST_F(DataTest, ShufflesInTensorFlowsOrder) {
  const auto shuffled = [](int64_t buffer, bool reshuffle) {
    return MakeRepeatDataset(Shuffled(Range(10), buffer, {87654321, 7}, reshuffle), 3);
  };
  EXPECT_EQ(Joined(shuffled(4, true)), "0 4 2 3 5 6 1 8 7 9 1 3 0 4 6 5 7 8 9 2 3 2 4 6 1 8 5 7 0 9");
  EXPECT_EQ(Joined(shuffled(4, false)), "3 4 0 5 1 8 2 7 6 9 3 4 0 5 1 8 2 7 6 9 3 4 0 5 1 8 2 7 6 9");
  EXPECT_EQ(Joined(shuffled(100, true)), "2 8 6 5 9 1 0 3 7 4 9 1 3 0 6 4 7 8 2 5 1 9 4 2 8 3 5 7 6 0");
  EXPECT_EQ(Joined(shuffled(100, false)), "7 2 0 9 8 4 5 1 6 3 7 2 0 9 8 4 5 1 6 3 7 2 0 9 8 4 5 1 6 3");
}

TEST_F(DataTest, EveryStageSkipsAsItYields) {
  auto plus_one =
      std::make_shared<FakeFunction>(DType::kInt64, [](int64_t x) { return Tensor::Scalar<int64_t>(x + 1); });
  const ElementSpec spec = SpecOf(*Range(1));
  ExpectSkipsAsItYields([] { return MakeTakeDataset(Range(9), 5); });
  ExpectSkipsAsItYields([] { return MakeSkipDataset(Range(9), 2); });
  ExpectSkipsAsItYields([] { return MakeRepeatDataset(Range(3), 3); });
  ExpectSkipsAsItYields([] { return *MakeShardDataset(Range(10), 3, 1); });
  ExpectSkipsAsItYields([] { return *MakeBatchDataset(Range(7), 3, false); });
  ExpectSkipsAsItYields([] { return *MakeBatchDataset(Range(7), 3, true); });
  ExpectSkipsAsItYields([] { return MakeRepeatDataset(Shuffled(Range(6), 3, {1, 2}, true), 2); });
  ExpectSkipsAsItYields([] { return *MakePrefetchDataset(Range(7), 2); });
  ExpectSkipsAsItYields([&] { return MakeMapDataset(Range(5), plus_one, {}, spec); });
  ExpectSkipsAsItYields([&] { return MakeMapDataset(Range(5), plus_one, {}, spec, {.num_parallel_calls = 3}); });
}

TEST_F(DataTest, MapsInOrderAndSkipsWithoutCalling) {
  auto square = std::make_shared<FakeFunction>(DType::kInt64, [](int64_t x) { return Tensor::Scalar<int64_t>(x * x); });
  for (int64_t calls : {1, 2, 8}) {
    EXPECT_EQ(Joined(MakeMapDataset(Range(6), square, {}, SpecOf(*Range(1)), {.num_parallel_calls = calls})),
              "0 1 4 9 16 25");
  }
  square->calls = 0;
  EXPECT_EQ(*Open(MakeMapDataset(Range(6), square, {}, SpecOf(*Range(1))))->Skip(4), 4);
  EXPECT_EQ(square->calls, 0);
}

TEST_F(DataTest, AFailedElementIsReportedInItsPlaceAndPassedOver) {
  auto no_threes = std::make_shared<FakeFunction>(DType::kInt64, [](int64_t x) -> Result<Tensor> {
    if (x == 3) return InvalidArgument("three");
    return Tensor::Scalar<int64_t>(x);
  });
  for (int64_t calls : {1, 4}) {
    EXPECT_EQ(Joined(*MakePrefetchDataset(
                  MakeMapDataset(Range(6), no_threes, {}, SpecOf(*Range(1)), {.num_parallel_calls = calls}), 2)),
              "0 1 2 INVALID_ARGUMENT: three 4 5");
  }
}

TEST_F(DataTest, FiltersByAFunction) {
  auto odd = std::make_shared<FakeFunction>(DType::kBool, [](int64_t x) { return Tensor::Scalar<bool>(x % 2 == 1); });
  EXPECT_EQ(Joined(MakeFilterDataset(Range(6), odd, {})), "1 3 5");
}

TEST_F(DataTest, ReadsFilesInTurnAndGoesOnAfterABadRecord) {
  for (const char* path : {"/a", "/b"}) {
    auto writer = RecordWriter::Create(*files_, path);
    for (const char* record : {"1", "2", "3"}) ASSERT_TRUE((*writer)->Write(StrCat(path, record)).ok());
    ASSERT_TRUE((*writer)->Close().ok());
  }
  DatasetPtr dataset = MakeRecordDataset({"/a", "/missing", "/b"}, Compression::kNone, 0);
  std::vector<std::string> seen = All(dataset);
  ASSERT_EQ(seen.size(), 7u);
  EXPECT_EQ(seen[2], "\"/a3\"");
  EXPECT_EQ(seen[3], "NOT_FOUND: /missing: no such file");
  EXPECT_EQ(seen[4], "\"/b1\"");
  std::string bytes = *ReadWholeFile(*files_, "/a");
  bytes[12] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(*files_, "/a", bytes).ok());
  seen = All(MakeRecordDataset({"/a", "/b"}, Compression::kNone, 0));
  ASSERT_EQ(seen.size(), 6u);
  EXPECT_TRUE(seen[0].starts_with("DATA_LOSS: /a: record 0 at byte 0: data checksum is")) << seen[0];
  EXPECT_EQ(seen[1], "\"/a2\"");
  EXPECT_EQ(*Open(MakeRecordDataset({"/a", "/b"}, Compression::kNone, 0))->Skip(5), 5);
}

TEST_F(DataTest, ReadsLines) {
  ASSERT_TRUE(WriteFileAtomically(*files_, "/t", "one\ntwo\r\nthree").ok());
  EXPECT_EQ(Joined(MakeTextLineDataset({"/t"}, Compression::kNone, 0)), "\"one\" \"two\" \"three\"");
}

TEST_F(DataTest, ACancelledCallEndsAndALaterOneGoesOn) {
  CancellationToken token;
  int64_t wanted = -1;
  const auto keep = [&](int64_t i) -> Result<Tensor> {
    if (i == 3) token.Cancel(DeadlineExceeded("too late"));
    return Tensor::Scalar(i == wanted);
  };
  Iterator iterator({DType::kInt64}, {PartialShape::Scalar()});
  const DatasetPtr filtered = MakeFilterDataset(Range(10), std::make_shared<FakeFunction>(DType::kBool, keep), {});
  ASSERT_TRUE(iterator.Start(filtered, runtime_, nullptr).ok());
  EXPECT_EQ(iterator.GetNext(&token).status().ToString(), "DEADLINE_EXCEEDED: too late");
  EXPECT_EQ(iterator.GetNext(&token).status().ToString(), "DEADLINE_EXCEEDED: too late");
  wanted = 4;
  EXPECT_EQ((*iterator.GetNext())[0].scalar<int64_t>(), 4);
}

TEST_F(DataTest, AnEndlessSearchAheadOfTheConsumerCanBeInterruptedAndGoesOn) {
  for (const int depth : {1, 2}) {
    for (const int64_t calls : {1, 4}) {
      CancellationToken token;
      std::atomic<bool> found = false;
      const auto keep = [&](int64_t i) -> Result<Tensor> {
        if (i == 1000) token.Cancel(DeadlineExceeded("too late"));
        return Tensor::Scalar(found.load());
      };
      const auto same = std::make_shared<FakeFunction>(DType::kInt64, [](int64_t i) { return Tensor::Scalar(i); });
      const DatasetPtr filtered =
          MakeFilterDataset(Range(INT64_MAX), std::make_shared<FakeFunction>(DType::kBool, keep), {});
      DatasetPtr dataset = MakeMapDataset(filtered, same, {}, SpecOf(*filtered), {.num_parallel_calls = calls});
      for (int i = 0; i < depth; ++i) dataset = *MakePrefetchDataset(dataset, 2);
      Iterator iterator({DType::kInt64}, {PartialShape::Scalar()});
      ASSERT_TRUE(iterator.Start(dataset, runtime_, nullptr).ok());
      EXPECT_EQ(iterator.GetNext(&token).status().code(), Code::kDeadlineExceeded);
      found = true;
      const int64_t first = (*iterator.GetNext())[0].scalar<int64_t>();
      EXPECT_GE(first, 1000);
      EXPECT_EQ((*iterator.GetNext())[0].scalar<int64_t>(), first + 1);
    }
  }
}

TEST_F(DataTest, AnIteratorEndsWhileAnEndlessSearchGoesOnInTheBackground) {
  Notification searching;
  const auto keep = [&](int64_t i) -> Result<Tensor> {
    if (i == 1000) searching.Notify();
    return Tensor::Scalar(i == 0);
  };
  const DatasetPtr filtered =
      MakeFilterDataset(Range(INT64_MAX), std::make_shared<FakeFunction>(DType::kBool, keep), {});
  Iterator iterator({DType::kInt64}, {PartialShape::Scalar()});
  ASSERT_TRUE(iterator.Start(*MakePrefetchDataset(filtered, 2), runtime_, nullptr).ok());
  EXPECT_TRUE(iterator.GetNext().ok());
  searching.Wait();
}

TEST_F(DataTest, InterleaveTakesTurns) {
  const auto repeated = [](int64_t i) -> Result<Tensor> {
    if (i == 2) return InvalidArgument("no two");
    return DatasetToTensor(MakeRepeatDataset(MakeTensorDataset({Tensor::Scalar<int64_t>(i)}), i == 1 ? 0 : 3));
  };
  bool parallel = false;
  const auto interleaved = [&](int64_t elements, int64_t cycle_length, int64_t block_length) {
    return MakeInterleaveDataset(Range(elements), std::make_shared<FakeFunction>(DType::kVariant, repeated), {},
                                 {{DType::kInt64}, {PartialShape::Scalar()}},
                                 {.cycle_length = cycle_length, .block_length = block_length, .parallel = parallel});
  };
  for (parallel = false;; parallel = true) {
    EXPECT_EQ(Joined(*interleaved(2, 1, 1)), "0 0 0");
    EXPECT_EQ(Joined(*interleaved(5, 2, 2)), "0 0 0 INVALID_ARGUMENT: no two 3 3 4 4 3 4");
    EXPECT_EQ(Joined(*interleaved(0, 3, 1)), "");
    if (parallel) break;
  }
  EXPECT_EQ(interleaved(1, 0, 1).status().ToString(), "INVALID_ARGUMENT: `cycle_length` must be > 0, got 0");
}

TEST_F(DataTest, PrefetchEndsCleanlyInTheMiddle) {
  for (int taken = 0; taken < 5; ++taken) {
    std::unique_ptr<Stage> stage = Open(*MakePrefetchDataset(*MakePrefetchDataset(Range(1000), 3), 2));
    EXPECT_EQ(Drain(*stage, taken).size(), static_cast<size_t>(taken));
  }
}

TEST_F(DataTest, PrefetchDoesNotNeedAThread) {
  auto pool = MakeThreadPool("one", 1);
  runtime_->blocking = pool.get();
  Notification release;
  pool->Schedule([&] { release.Wait(); });  // the pool's only thread is taken
  EXPECT_EQ(All(*MakePrefetchDataset(*MakePrefetchDataset(Range(50), 3), 2)).size(), 50u);
  release.Notify();
  runtime_->blocking = &BlockingPool();
}

TEST_F(DataTest, AnIteratorTakesAtOnceWhatIsInMemory) {
  Notification begun, release;
  const auto held = std::make_shared<FakeFunction>(DType::kInt64, [&](int64_t i) -> Result<Tensor> {
    if (i == 2) begun.Notify();
    if (i == 2) release.Wait();
    return Tensor::Scalar<int64_t>(i);
  });
  Iterator iterator({DType::kInt64}, {PartialShape::Scalar()});
  Element element;
  bool end = false;
  Status status;
  ASSERT_TRUE(iterator.Start(Range(1), runtime_, nullptr).ok());
  EXPECT_TRUE(iterator.TryNext(&element, &end, &status));
  EXPECT_TRUE(status.ok() && !end);

  const DatasetPtr prefetched = *MakePrefetchDataset(MakeMapDataset(Range(3), held, {}, SpecOf(*Range(1))), 4);
  ASSERT_TRUE(iterator.Start(prefetched, runtime_, nullptr).ok());
  ASSERT_TRUE(iterator.GetNext().ok());  // element 0
  begun.Wait();                          // element 1 is ready, 2 under way
  EXPECT_TRUE(iterator.TryNext(&element, &end, &status));
  EXPECT_EQ(element[0].scalar<int64_t>(), 1);
  EXPECT_FALSE(iterator.TryNext(&element, &end, &status));
  release.Notify();
  EXPECT_EQ(iterator.GetNext()->at(0).scalar<int64_t>(), 2);
  EXPECT_EQ(iterator.GetNext().status().code(), Code::kOutOfRange);
  EXPECT_TRUE(iterator.TryNext(&element, &end, &status));
  EXPECT_TRUE(end);
}

TEST_F(DataTest, AnIteratorReportsItsEndAndItsFaults) {
  Iterator iterator({DType::kInt64}, {PartialShape::Scalar()});
  EXPECT_EQ(iterator.GetNext().status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(iterator.Start(Range(1), runtime_, nullptr).ok());
  EXPECT_TRUE(iterator.GetNext().ok());
  EXPECT_EQ(iterator.GetNext().status().ToString(), "OUT_OF_RANGE: End of sequence");
  EXPECT_EQ(iterator.Start(*MakeBatchDataset(Range(4), 2, true), runtime_, nullptr).ToString(),
            "INVALID_ARGUMENT: Incompatible shapes at component 0: expected [] but got [2].");
}

}  // namespace
}  // namespace headrace
