// Tests of the stages that sort elements by what they are, groups of one key and each element once: errors, ends, interruptions.
// Orders and sizes are in stages_test.cc.
#include "data/data_testing.h"

namespace headrace {
namespace {

/// A function over a key and a dataset.
class ReduceFunction final : public CompiledFunction {
 public:
  using Body = std::function<Result<DatasetPtr>(int64_t key, DatasetPtr window)>;
  explicit ReduceFunction(Body body) : body_(std::move(body)) {}
  const std::vector<DType>& arg_types() const override { return types_; }
  const std::vector<DType>& result_types() const override { return types_; }
  bool stateless() const override { return true; }
  void Run(std::vector<Tensor> args, CancellationToken*, Done done) const override {
    Result<DatasetPtr> made = body_(args[0].scalar<int64_t>(), *DatasetFromTensor(args[1]));
    if (!made.ok()) return done(made.status(), {});
    done(OkStatus(), {DatasetToTensor(*std::move(made))});
  }

 private:
  const std::vector<DType> types_ = {DType::kVariant};
  const Body body_;
};

class GroupingTest : public DataTest {
 protected:
  using Number = std::function<Result<int64_t>(int64_t)>;

  static std::shared_ptr<FakeFunction> Numbers(Number body) {
    return std::make_shared<FakeFunction>(DType::kInt64, [body = std::move(body)](int64_t i) -> Result<Tensor> {
      HR_ASSIGN_OR_RETURN(const int64_t number, body(i));
      return Tensor::Scalar(number);
    });
  }
  static Result<DatasetPtr> Batch(int64_t, DatasetPtr window) {
    return MakeBatchDataset(std::move(window), 100, false);
  }
  static DatasetPtr Grouped(DatasetPtr input, Number key, Number size, ReduceFunction::Body reduce = Batch) {
    return MakeGroupByWindowDataset(std::move(input),
                                    {.key = {Numbers(std::move(key)), {}},
                                     .reduce = {std::make_shared<ReduceFunction>(std::move(reduce)), {}},
                                     .window_size = {Numbers(std::move(size)), {}}},
                                    {{DType::kInt64}, {PartialShape({-1})}});
  }
  static int64_t Parity(int64_t i) { return i % 2; }
  static Number Always(int64_t size) {
    return [size](int64_t) { return size; };
  }
};

TEST_F(GroupingTest, AWindowsDatasetIsReadToItsEndBeforeAnythingElse) {
  int calls = 0;
  const auto twice = [&calls](int64_t, DatasetPtr window) -> Result<DatasetPtr> {
    EXPECT_EQ(window->Cardinality(), calls < 4 ? 2 : 1);
    ++calls;
    return MakeRepeatDataset(std::move(window), 2);
  };
  const DatasetPtr grouped = Grouped(Range(9), Parity, Always(2), twice);
  EXPECT_EQ(Joined(grouped), "0 2 0 2 1 3 1 3 4 6 4 6 5 7 5 7 8 8");
  calls = 0;
  const auto none = [](int64_t, DatasetPtr window) -> Result<DatasetPtr> {
    return MakeTakeDataset(std::move(window), 0);
  };
  EXPECT_EQ(Joined(Grouped(Range(9), Parity, Always(2), none)), "");
}

TEST_F(GroupingTest, TheEndStays) {
  const DatasetPtr grouped = Grouped(Range(3), Parity, Always(2));
  const std::unique_ptr<Stage> stage = Open(grouped);
  EXPECT_EQ(Drain(*stage).size(), 2u);
  EXPECT_EQ(Drain(*stage).size(), 0u);
}

TEST_F(GroupingTest, SkippingIsDroppingWhatWouldBeYielded) {
  ExpectSkipsAsItYields([] { return Grouped(Range(11), Parity, Always(3)); });
  ExpectSkipsAsItYields([] {
    return Grouped(Range(11), Parity, Always(3),
                   [](int64_t, DatasetPtr window) -> Result<DatasetPtr> { return window; });
  });
}

TEST_F(GroupingTest, AnErrorOfAKeyOrASizeCostsOneElement) {
  const auto no_two = [](int64_t i) -> Result<int64_t> {
    if (i == 2) return InvalidArgument("no two");
    return i % 2;
  };
  EXPECT_EQ(All(Grouped(Range(6), no_two, Always(2))),
            (std::vector<std::string>{"INVALID_ARGUMENT: no two", "1 3", "0 4", "5"}));
  EXPECT_EQ(All(Grouped(Range(4), Parity, [](int64_t key) { return key; })),
            (std::vector<std::string>{"INVALID_ARGUMENT: Window size must be greater than zero, but got 0.", "1",
                                      "INVALID_ARGUMENT: Window size must be greater than zero, but got 0.", "3"}));
}

TEST_F(GroupingTest, AWindowOfWhichNoDatasetCanBeMadeIsLost) {
  const auto no_one = [](int64_t key, DatasetPtr window) -> Result<DatasetPtr> {
    if (key == 1) return InvalidArgument("no one");
    return Batch(key, std::move(window));
  };
  EXPECT_EQ(All(Grouped(Range(7), Parity, Always(2), no_one)),
            (std::vector<std::string>{"0 2", "INVALID_ARGUMENT: no one", "4 6", "INVALID_ARGUMENT: no one"}));
}

TEST_F(GroupingTest, AKeyThatIsNoNumberIsAnError) {
  auto text = std::make_shared<FakeFunction>(DType::kString, [](int64_t) { return Tensor::Scalar("k"); });
  const DatasetPtr grouped = MakeGroupByWindowDataset(Range(1),
                                                      {.key = {text, {}},
                                                       .reduce = {std::make_shared<ReduceFunction>(Batch), {}},
                                                       .window_size = {Numbers(Always(1)), {}}},
                                                      {{DType::kInt64}, {PartialShape({-1})}});
  EXPECT_EQ(All(grouped)[0].rfind("INVALID_ARGUMENT: `key_func` must return a scalar int64", 0), 0u) << All(grouped)[0];
}

TEST_F(GroupingTest, AnInterruptedSearchGoesOnWhereItWas) {
  const auto interrupting = [this](int64_t i) {
    if (i == 3) context_.interrupted = true;
    return i % 2;
  };
  const DatasetPtr grouped = Grouped(Range(8), interrupting, Always(4));
  const std::unique_ptr<Stage> stage = Open(grouped);
  Element element;
  bool end = false;
  EXPECT_EQ(stage->Next(&element, &end).code(), Code::kCancelled);
  context_.interrupted = false;
  EXPECT_EQ(Drain(*stage), (std::vector<std::string>{"0 2 4 6", "1 3 5 7"}));
}

TEST_F(GroupingTest, ElementsOfOtherShapesAreOthers) {
  const auto rows = [this](const std::vector<Tensor>& tensors) {
    std::vector<Element> elements;
    elements.reserve(tensors.size());
    for (const Tensor& tensor : tensors) elements.push_back({tensor});
    return All(*MakeUniqueDataset(MakeElementsDataset({{tensors[0].dtype()}, {PartialShape()}}, std::move(elements))))
        .size();
  };
  const auto numbers = [](const std::vector<int64_t>& values, const Shape& shape) {
    return Tensor::FromValues<int64_t>(values, shape);
  };
  EXPECT_EQ(rows({numbers({1, 2}, Shape({2})), numbers({1, 2}, Shape({1, 2})), numbers({1, 2}, Shape({2})),
                  numbers({}, Shape({0, 2})), numbers({}, Shape({2, 0})), numbers({1}, Shape())}),
            5u);
  const auto words = [](const std::vector<std::string>& values) { return Tensor::Vector(values); };
  EXPECT_EQ(rows({words({"a", "bc"}), words({"ab", "c"}), words({"a", "bc"}), words({"abc", ""})}), 3u);
}

}  // namespace
}  // namespace headrace
