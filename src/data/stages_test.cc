// Tests of the stages that hold elements, run functions over more than one value, or guard against their input: padded batches,
// caches, windows, groups, scans, interleaving in parallel, files of records of equal size. Expected orders are TensorFlow's.
#include "data/data_testing.h"

namespace headrace {
namespace {

/// A function over tensors, as Scan needs it.
class TensorFunction final : public CompiledFunction {
 public:
  using Body = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
  explicit TensorFunction(Body body) : body_(std::move(body)) {}
  const std::vector<DType>& arg_types() const override { return types_; }
  const std::vector<DType>& result_types() const override { return types_; }
  bool stateless() const override { return true; }
  void Run(std::vector<Tensor> args, CancellationToken*, Done done) const override { done(OkStatus(), body_(args)); }

 private:
  const std::vector<DType> types_;
  const Body body_;
};

class StagesTest : public DataTest {
 protected:
  const ElementSpec number_{{DType::kInt64}, {PartialShape::Scalar()}};

  /// [], [1], [2 2], [3 3 3], ...
  static DatasetPtr Growing(int64_t n) {
    auto fill = std::make_shared<FakeFunction>(
        DType::kInt64, [](int64_t i) { return Tensor::Vector(std::vector<int64_t>(static_cast<size_t>(i), i)); });
    return MakeMapDataset(Range(n), fill, {}, {{DType::kInt64}, {PartialShape({-1})}});
  }
  static std::shared_ptr<FakeFunction> NoTwo() {
    return std::make_shared<FakeFunction>(DType::kInt64, [](int64_t i) -> Result<Tensor> {
      if (i == 2) return InvalidArgument("no two");
      return Tensor::Scalar<int64_t>(i);
    });
  }
};

TEST_F(StagesTest, PaddedBatchesGrowToTheirLargestElement) {
  DatasetPtr batches =
      *MakePaddedBatchDataset(Growing(5), 2, {PartialShape({-1})}, {Tensor::Scalar<int64_t>(-1)}, false);
  EXPECT_EQ(All(batches), (std::vector<std::string>{"-1 1", "2 2 -1 3 3 3", "4 4 4 4"}));
  EXPECT_EQ(batches->output_shapes()[0].ToString(), "[?,?]");
  EXPECT_EQ(batches->Cardinality(), 3);
}

TEST_F(StagesTest, PaddedBatchesHaveTheExtentThatIsAskedFor) {
  const auto padded = [](int64_t extent) {
    return *MakePaddedBatchDataset(Growing(4), 2, {PartialShape({extent})}, {Tensor::Scalar<int64_t>(0)}, true);
  };
  EXPECT_EQ(All(padded(3)), (std::vector<std::string>{"0 0 0 1 0 0", "2 2 0 3 3 3"}));
  EXPECT_EQ(padded(3)->output_shapes()[0].ToString(), "[2,3]");
  EXPECT_EQ(All(padded(2))[1],
            "DATA_LOSS: Attempted to pad to a smaller size than the input element. Component 0: an element has shape "
            "[3], the padded shape is [2]");
}

TEST_F(StagesTest, PaddingReachesAllDimensionsAndStrings) {
  DatasetPtr rows =
      *MakeConcatenateDataset(MakeTensorDataset({Tensor::FromValues<std::string>({"a", "b", "c", "d"}, Shape({2, 2}))}),
                              MakeTensorDataset({Tensor::FromValues<std::string>({"e", "f", "g"}, Shape({1, 3}))}));
  EXPECT_EQ(All(*MakePaddedBatchDataset(rows, 2, {PartialShape({-1, -1})}, {Tensor::Scalar("_")}, false))[0],
            R"("a" "b" "_" "c" "d" "_" "e" "f" "g" "_" "_" "_")");
}

TEST_F(StagesTest, PaddingThatDoesNotFitIsRefused) {
  const auto refused = [](std::vector<PartialShape> shapes, std::vector<Tensor> values) {
    return MakePaddedBatchDataset(Growing(3), 2, std::move(shapes), std::move(values), false).status().ToString();
  };
  EXPECT_EQ(
      refused({PartialShape({-1})}, {Tensor::Scalar<float>(0)}),
      "INVALID_ARGUMENT: Mismatched type between padding value 0 and input dataset's component 0: float32 vs. int64");
  EXPECT_EQ(
      refused({}, {}),
      "INVALID_ARGUMENT: Number of padded shapes (0) and of padding values (0) must match the number of components "
      "in the input dataset's elements (1)");
}

TEST_F(StagesTest, ACacheYieldsWhatAFinishedRunSaw) {
  auto counted =
      std::make_shared<FakeFunction>(DType::kInt64, [](int64_t i) { return Tensor::Scalar<int64_t>(i * i); });
  DatasetPtr cached = MakeMemoryCacheDataset(MakeMapDataset(Range(4), counted, {}, number_), nullptr);
  EXPECT_EQ(Drain(*Open(cached), 2).size(), 2u);  // not finished: kept nothing
  EXPECT_EQ(Joined(cached), "0 1 4 9");
  const int calls = counted->calls;
  EXPECT_EQ(Joined(MakeRepeatDataset(cached, 2)), "0 1 4 9 0 1 4 9");
  EXPECT_EQ(counted->calls, calls);
}

TEST_F(StagesTest, ARunWithAnErrorIsNotCached) {
  DatasetPtr cached = MakeMemoryCacheDataset(MakeMapDataset(Range(4), NoTwo(), {}, number_), nullptr);
  for (int run = 0; run < 2; ++run) EXPECT_EQ(Joined(cached), "0 1 INVALID_ARGUMENT: no two 3");
}

TEST_F(StagesTest, AFileCacheIsReadByOthersAndWrittenWhole) {
  DatasetPtr rows =
      MakeZipDataset({Growing(3), *MakeTensorSliceDataset({Tensor::Vector<std::string>({"x", "", "zz"})})});
  EXPECT_EQ(Drain(*Open(*MakeFileCacheDataset(rows, "/c")), 1).size(), 1u);
  EXPECT_EQ(files_->List("/")->size(), 0u);  // what was begun is gone
  const std::vector<std::string> expected = All(rows);
  EXPECT_EQ(All(*MakeFileCacheDataset(rows, "/c")), expected);
  EXPECT_EQ(*files_->List("/"), std::vector<std::string>{"c.cache"});
  DatasetPtr other = *MakeFileCacheDataset(MakeTakeDataset(rows, 0), "/c");  // its input is not asked
  EXPECT_EQ(All(other), expected);
  EXPECT_EQ(All(*MakeFileCacheDataset(Range(1), "/c"))[0],
            "INVALID_ARGUMENT: Cache: /c.cache: an element has more than 1 components: the file is of another dataset");
}

TEST_F(StagesTest, ElementsOfVariantsCannotBeCachedInAFile) {
  EXPECT_EQ(MakeFileCacheDataset(*MakeWindowDataset(Range(3), {.size = 2}), "/c").status().ToString(),
            "INVALID_ARGUMENT: Cache: elements with components of type variant cannot be kept in a file (/c)");
}

TEST_F(StagesTest, UnbatchTakesBatchesApart) {
  EXPECT_EQ(Joined(*MakeUnbatchDataset(*MakeBatchDataset(Range(5), 2, false))), "0 1 2 3 4");
  EXPECT_EQ((*MakeUnbatchDataset(*MakeBatchDataset(Range(6), 2, true)))->Cardinality(), 6);
  EXPECT_EQ(Joined(*MakeUnbatchDataset(Growing(4))), "1 2 2 3 3 3");
  EXPECT_EQ(MakeUnbatchDataset(Range(2)).status().code(), Code::kInvalidArgument);
}

TEST_F(StagesTest, WindowsSlideOverTheInput) {
  const auto windows = [&](WindowOptions options) {
    DatasetPtr dataset = *MakeWindowDataset(Range(9), options);
    const std::unique_ptr<Stage> stage = Open(dataset);
    std::vector<std::string> seen;
    for (Element element; true;) {
      bool end = false;
      EXPECT_TRUE(stage->Next(&element, &end).ok());
      if (end) break;
      seen.push_back(Joined(*DatasetFromTensor(element[0])));
    }
    EXPECT_EQ(dataset->Cardinality(), static_cast<int64_t>(seen.size()));
    return seen;
  };
  EXPECT_EQ(windows({.size = 3, .shift = 2, .stride = 2}),
            (std::vector<std::string>{"0 2 4", "2 4 6", "4 6 8", "6 8", "8"}));
  EXPECT_EQ(windows({.size = 3, .shift = 2, .stride = 2, .drop_remainder = true}),
            (std::vector<std::string>{"0 2 4", "2 4 6", "4 6 8"}));
  EXPECT_EQ(windows({.size = 2, .shift = 5}), (std::vector<std::string>{"0 1", "5 6"}));
}

TEST_F(StagesTest, AScanCarriesItsState) {
  auto sums = std::make_shared<TensorFunction>([](const std::vector<Tensor>& args) {
    const int64_t sum = args[0].scalar<int64_t>() + args[1].scalar<int64_t>();
    return std::vector<Tensor>{Tensor::Scalar(sum), Tensor::Scalar(sum * args[2].scalar<int64_t>())};
  });
  DatasetPtr scanned =
      MakeScanDataset(Range(4), sums, {Tensor::Scalar<int64_t>(1)}, {Tensor::Scalar<int64_t>(10)}, number_, true);
  EXPECT_EQ(Joined(scanned), "10 20 40 70");
  EXPECT_EQ(scanned->Cardinality(), 4);
}

TEST_F(StagesTest, TakeWhileEndsForGood) {
  auto not_two = std::make_shared<FakeFunction>(DType::kBool, [](int64_t i) { return Tensor::Scalar(i != 2); });
  DatasetPtr dataset = MakeTakeWhileDataset(Range(5), not_two, {});
  const std::unique_ptr<Stage> stage = Open(dataset);
  EXPECT_EQ(StrJoin(Drain(*stage), " "), "0 1");
  EXPECT_EQ(StrJoin(Drain(*stage), " "), "");
}

// What TensorFlow 2.21 yields for range(6), buffer_size 4, count 2 and the client's seeds (87654321, 3).
TEST_F(StagesTest, ShufflesAndRepeatsInTensorFlowsOrder) {
  EXPECT_EQ(Joined(Shuffled(Range(6), 4, {87654321, 3}, true, 2)), "0 3 2 1 4 5 0 4 1 5 3 2");
  EXPECT_EQ(Shuffled(Range(6), 4, {87654321, 3}, true, 2)->Cardinality(), 12);
  EXPECT_EQ(Joined(Shuffled(Range(0), 4, {1, 3}, true, -1)), "");
}

TEST_F(StagesTest, SharedSeedsNumberTheRunsOfAllDatasets) {
  auto seeds = std::make_shared<SeedGenerator>(Seeds{1, 2}, true);
  const auto run = [&] { return Joined(*MakeShuffleDataset(Range(20), {.buffer_size = 20, .seeds = seeds})); };
  const std::string first = run();
  EXPECT_NE(run(), first);
}

TEST_F(StagesTest, InterleavingInParallelKeepsTheOrder) {
  const auto repeated = [](int64_t i) -> Result<Tensor> {
    return DatasetToTensor(MakeRepeatDataset(MakeTensorDataset({Tensor::Scalar<int64_t>(i)}), i % 3 == 1 ? 5 : i));
  };
  auto function = std::make_shared<FakeFunction>(DType::kVariant, repeated);
  for (int64_t cycle : {1, 2, 4, 20}) {
    for (int64_t block : {1, 3}) {
      InterleaveOptions options{.cycle_length = cycle, .block_length = block};
      const std::string in_turn = Joined(*MakeInterleaveDataset(Range(9), function, {}, number_, options));
      options.parallel = true;
      for (options.prefetch_input_elements = -1; options.prefetch_input_elements < 4;
           ++options.prefetch_input_elements) {
        EXPECT_EQ(Joined(*MakeInterleaveDataset(Range(9), function, {}, number_, options)), in_turn) << cycle;
      }
    }
  }
}

// parallel_interleave of TensorFlow 2.21 with a cycle of 20 and blocks of 2.
TEST_F(StagesTest, TheOlderInterleavingPassesBlocksOn) {
  const auto repeated = [](int64_t i) -> Result<Tensor> {
    return DatasetToTensor(MakeRepeatDataset(MakeTensorDataset({Tensor::Scalar<int64_t>(i)}), i % 3 == 1 ? 5 : i));
  };
  EXPECT_EQ(Joined(*MakeInterleaveDataset(
                Range(9), std::make_shared<FakeFunction>(DType::kVariant, repeated), {}, number_,
                {.cycle_length = 20, .block_length = 2, .parallel = true, .passes_blocks_on = true})),
            "1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 1 1 3 4 5 5 6 6 7 7 8 8 1 4 5 6 7 8 4 6 8 8 8");
}

TEST_F(StagesTest, InterleavingInParallelNeedsNoThread) {
  auto pool = MakeThreadPool("one", 1);
  runtime_->blocking = pool.get();
  Notification release;
  pool->Schedule([&] { release.Wait(); });  // the pool's only thread is taken
  const auto range = [](int64_t i) -> Result<Tensor> { return DatasetToTensor(Range(i)); };
  DatasetPtr dataset = *MakeInterleaveDataset(Range(9), std::make_shared<FakeFunction>(DType::kVariant, range), {},
                                              number_, {.cycle_length = 3, .parallel = true});
  EXPECT_EQ(All(dataset).size(), 36u);
  release.Notify();
  runtime_->blocking = &BlockingPool();
}

TEST_F(StagesTest, ASelectorChoosesTheInput) {
  DatasetPtr selector = *MakeTensorSliceDataset({Tensor::Vector<int64_t>({1, 0, 1, 1, 0, 2})});
  const auto chosen = [&](bool stop) { return *MakeDirectedInterleaveDataset(selector, {Range(5), Range(2)}, stop); };
  EXPECT_EQ(Joined(chosen(false)), "0 0 1 1 INVALID_ARGUMENT: Selector index out of range: 2 >= 2");
  EXPECT_EQ(Joined(chosen(true)), "0 0 1");
}

TEST_F(StagesTest, ErrorsAreIgnoredAndSizesAsserted) {
  EXPECT_EQ(Joined(MakeIgnoreErrorsDataset(MakeMapDataset(Range(4), NoTwo(), {}, number_))), "0 1 3");
  EXPECT_EQ(Joined(MakeAssertCardinalityDataset(Range(2), 2)), "0 1");
  EXPECT_EQ(All(MakeAssertCardinalityDataset(Range(1), 2), 2)[1],
            "FAILED_PRECONDITION: Input dataset was expected to contain 2 elements but contained only 1 element.");
}

/// Windows of numbers by their rest modulo 3, each a batch: two elements with the rest 0, three with 1, `size_of_two` with 2.
GroupByWindowFunctions ByRest(int64_t size_of_two) {
  GroupByWindowFunctions functions;
  functions.key.function = std::make_shared<FakeFunction>(DType::kInt64, [](int64_t i) -> Result<Tensor> {
    if (i == 4) return InvalidArgument("no four");
    return Tensor::Scalar<int64_t>(i % 3);
  });
  functions.window_size.function = std::make_shared<FakeFunction>(
      DType::kInt64, [=](int64_t key) { return Tensor::Scalar<int64_t>(key == 2 ? size_of_two : key + 2); });
  functions.reduce.captured = {Tensor::Scalar<int64_t>(8)};
  functions.reduce.function = std::make_shared<TensorFunction>([](const std::vector<Tensor>& args) {
    const DatasetPtr window = *DatasetFromTensor(args[1]);
    return std::vector<Tensor>{DatasetToTensor(*MakeBatchDataset(window, args[2].scalar<int64_t>(), false))};
  });
  return functions;
}

TEST_F(StagesTest, AWindowIsReducedWhenItIsFullAndTheRestByKeys) {
  const DatasetPtr grouped = MakeGroupByWindowDataset(Range(12), ByRest(9), number_);
  EXPECT_EQ(All(grouped), (std::vector<std::string>{"0 3", "INVALID_ARGUMENT: no four", "6 9", "1 7 10", "2 5 8 11"}));
  EXPECT_EQ(grouped->Cardinality(), Dataset::kUnknown);
  EXPECT_EQ(All(MakeGroupByWindowDataset(Range(4), ByRest(9), number_)), (std::vector<std::string>{"0 3", "1", "2"}));
}

TEST_F(StagesTest, AWindowTakesAtLeastOneElement) {
  EXPECT_EQ(Joined(MakeGroupByWindowDataset(Range(3), ByRest(0), number_)),
            "INVALID_ARGUMENT: Window size must be greater than zero, but got 0. 0 1");
}

TEST_F(StagesTest, AWindowsSizeIsFoundOnce) {
  GroupByWindowFunctions functions = ByRest(1);
  const auto size = std::static_pointer_cast<const FakeFunction>(functions.window_size.function);
  EXPECT_EQ(Joined(MakeGroupByWindowDataset(MakeRepeatDataset(Range(3), 5), std::move(functions), number_)),
            "2 0 0 2 1 1 1 2 0 0 2 2 0 1 1");
  EXPECT_EQ(size->calls, 3);
}

TEST_F(StagesTest, UniqueKeepsTheFirstOfEachShapeAndValue) {
  EXPECT_EQ(Joined(*MakeUniqueDataset(MakeRepeatDataset(Range(3), 2))), "0 1 2");
  EXPECT_EQ(All(*MakeUniqueDataset(MakeRepeatDataset(Growing(3), 2))), (std::vector<std::string>{"", "1", "2 2"}));
  const Tensor texts = Tensor::FromValues<std::string>({"ab", "c", "a", "bc", "ab", "c"}, Shape({3, 2}));
  EXPECT_EQ(All(*MakeUniqueDataset(*MakeTensorSliceDataset({texts}))),
            (std::vector<std::string>{R"("ab" "c")", R"("a" "bc")"}));
  EXPECT_EQ(MakeUniqueDataset(MakeTensorDataset({Tensor::Scalar(0.5f)})).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(MakeUniqueDataset(MakeZipDataset({Range(1), Range(1)})).status().code(), Code::kInvalidArgument);
}

TEST_F(StagesTest, RecordsOfEqualSizeAreReadBetweenHeaderAndFooter) {
  ASSERT_TRUE(WriteFileAtomically(*files_, "/a", "HHaabbccF").ok());
  ASSERT_TRUE(WriteFileAtomically(*files_, "/b", "HHaabbcF").ok());
  for (int64_t buffer : {1, 2, 100}) {
    EXPECT_EQ(
        Joined(*MakeFixedLengthRecordDataset({"/a", "/b", "/a"}, {2, 2, 1}, Compression::kNone, buffer)),
        "\"aa\" \"bb\" \"cc\" INVALID_ARGUMENT: Excluding the header (2 bytes) and footer (1 bytes), input file \"/b\" "
        "has body length 5 bytes, which is not an exact multiple of the record length (2 bytes). "
        "\"aa\" \"bb\" \"cc\"");
  }
  EXPECT_EQ(MakeFixedLengthRecordDataset({"/a"}, {0, 0, 0}, Compression::kNone, 0).status().ToString(),
            "INVALID_ARGUMENT: `record_bytes` must be > 0 and below 2^40, got 0");
}

TEST_F(StagesTest, SparseRowsMayBeEmpty) {
  const Tensor indices = Tensor::FromValues<int64_t>({0, 1, 2, 0, 2, 3}, Shape({3, 2}));
  const Tensor values = Tensor::Vector<float>({1, 2, 3});
  EXPECT_EQ(All(*MakeSparseTensorSliceDataset(indices, values, Tensor::Vector<int64_t>({4, 5}))).size(), 4u);
  EXPECT_EQ(All(*MakeSparseTensorSliceDataset(indices, values, Tensor::Vector<int64_t>({4, 5})))[2], "0 3;2 3;5");
  EXPECT_EQ(MakeSparseTensorSliceDataset(indices, values, Tensor::Vector<int64_t>({2, 5})).status().ToString(),
            "INVALID_ARGUMENT: SparseTensorSlice: index 2 of the first dimension is outside [0, 2)");
}

TEST_F(StagesTest, EveryStageSkipsAsItYields) {
  const auto range = [](int64_t i) -> Result<Tensor> { return DatasetToTensor(Range(i)); };
  auto ranges = std::make_shared<FakeFunction>(DType::kVariant, range);
  auto cached = MakeMemoryCacheDataset(Range(5), nullptr);
  EXPECT_EQ(All(cached).size(), 5u);
  ExpectSkipsAsItYields([&] { return cached; });
  ExpectSkipsAsItYields([&] { return *MakeFileCacheDataset(Range(5), "/skip"); });
  ExpectSkipsAsItYields([] { return *MakeUnbatchDataset(Growing(5)); });
  ExpectSkipsAsItYields([] { return *MakeUniqueDataset(MakeRepeatDataset(Range(3), 2)); });
  ExpectSkipsAsItYields([&] { return MakeGroupByWindowDataset(Range(4), ByRest(9), number_); });
  ExpectSkipsAsItYields([] { return *MakeWindowDataset(Range(5), {.size = 2, .shift = 2}); });
  ExpectSkipsAsItYields([] { return Shuffled(Range(5), 3, {1, 2}, true, 3); });
  ExpectSkipsAsItYields([] { return MakeTakeDataset(MakeRandomDataset(1, 2), 6); });
  ExpectSkipsAsItYields(
      [] { return *MakePaddedBatchDataset(Growing(5), 2, {PartialShape({-1})}, {Tensor::Scalar<int64_t>(0)}, false); });
  ExpectSkipsAsItYields(
      [&] { return *MakeInterleaveDataset(Range(5), ranges, {}, number_, {.cycle_length = 2, .parallel = true}); });
}

}  // namespace
}  // namespace headrace
