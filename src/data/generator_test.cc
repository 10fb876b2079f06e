// Generators: when their functions are called, and what the run makes of it.
#include "data/data_testing.h"

namespace headrace {
namespace {

/// A generator of 0, 1, ... below `limit`, whose state is the number of the run, and which notes its calls.
class GeneratorTest : public DataTest {
 protected:
  /// Calls `body` with the arguments.
  class Function final : public CompiledFunction {
   public:
    using Body = std::function<Result<std::vector<Tensor>>(const std::vector<Tensor>&)>;
    explicit Function(Body body) : body_(std::move(body)) {}
    const std::vector<DType>& arg_types() const override { return types_; }
    const std::vector<DType>& result_types() const override { return types_; }
    bool stateless() const override { return false; }
    void Run(std::vector<Tensor> args, CancellationToken*, Done done) const override {
      Result<std::vector<Tensor>> results = body_(args);
      if (!results.ok()) return done(results.status(), {});
      done(OkStatus(), *std::move(results));
    }

   private:
    const std::vector<DType> types_;
    const Body body_;
  };

  DatasetPtr UpTo(int64_t limit) {
    GeneratorFunctions functions;
    functions.begin.function = std::make_shared<Function>([this](const std::vector<Tensor>& args) {
      calls_.push_back(StrCat("begin ", args[0].scalar<int64_t>()));
      given_.push_back(0);
      return std::vector<Tensor>{Tensor::Scalar(static_cast<int64_t>(given_.size()) - 1)};
    });
    functions.begin.captured = {Tensor::Scalar<int64_t>(7)};
    functions.next.function =
        std::make_shared<Function>([this, limit](const std::vector<Tensor>& args) -> Result<std::vector<Tensor>> {
          int64_t& next = given_[static_cast<size_t>(args[0].scalar<int64_t>())];
          const int64_t value = next++;
          if (value == bad_) return InvalidArgument("a bad one");
          if (value >= limit) return OutOfRange("no more");
          return std::vector<Tensor>{Tensor::Scalar(value)};
        });
    functions.finish.function = std::make_shared<Function>([this](const std::vector<Tensor>& args) {
      calls_.push_back(StrCat("finish ", args[0].scalar<int64_t>(), " ", args[1].scalar<int64_t>()));
      return std::vector<Tensor>();
    });
    functions.finish.captured = {Tensor::Scalar<int64_t>(8)};
    return MakeGeneratorDataset(std::move(functions), {{DType::kInt64}, {PartialShape::Scalar()}});
  }

  std::vector<int64_t> given_;  // by the number of the run
  std::vector<std::string> calls_;
  int64_t bad_ = -1;
};

using Texts = std::vector<std::string>;

TEST_F(GeneratorTest, ARunBeginsWithItsFirstElementAndIsOverAtItsEnd) {
  const DatasetPtr dataset = UpTo(2);
  const std::unique_ptr<Stage> run = Open(dataset);
  EXPECT_TRUE(calls_.empty());
  Element element;
  bool end = false;
  for (int64_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(run->Next(&element, &end).ok());
    EXPECT_EQ(element[0].scalar<int64_t>(), i);
  }
  EXPECT_EQ(calls_, (Texts{"begin 7"}));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(run->Next(&element, &end).ok());
    EXPECT_TRUE(end);
  }
  EXPECT_EQ(calls_, (Texts{"begin 7", "finish 0 8"}));
}

TEST_F(GeneratorTest, ARunThatIsDroppedIsOver) {
  const DatasetPtr dataset = UpTo(5);
  (void)Open(dataset);
  EXPECT_TRUE(calls_.empty()) << "it had not begun";
  std::unique_ptr<Stage> run = Open(dataset);
  Element element;
  bool end = false;
  ASSERT_TRUE(run->Next(&element, &end).ok());
  run.reset();
  EXPECT_EQ(calls_, (Texts{"begin 7", "finish 0 8"}));
}

TEST_F(GeneratorTest, EachRunHasAStateOfItsOwn) {
  const DatasetPtr dataset = UpTo(2);
  EXPECT_EQ(All(dataset), (Texts{"0", "1"}));
  EXPECT_EQ(All(dataset), (Texts{"0", "1"}));
  EXPECT_EQ(calls_, (Texts{"begin 7", "finish 0 8", "begin 7", "finish 1 8"}));
}

TEST_F(GeneratorTest, AfterAnErrorTheNextElementFollows) {
  bad_ = 1;
  EXPECT_EQ(All(UpTo(3)), (Texts{"0", "INVALID_ARGUMENT: a bad one", "2"}));
}

}  // namespace
}  // namespace headrace
