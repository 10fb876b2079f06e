// What the tests of stages share: functions in C++, and what a dataset yields as text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/stages.h"
#include "sync/notification.h"

namespace headrace {

/// A function over one i64: calls a C++ function.
class FakeFunction final : public CompiledFunction {
 public:
  using Body = std::function<Result<Tensor>(int64_t)>;
  FakeFunction(DType result, Body body) : arg_types_{DType::kInt64}, result_types_{result}, body_(std::move(body)) {}
  const std::vector<DType>& arg_types() const override { return arg_types_; }
  const std::vector<DType>& result_types() const override { return result_types_; }
  bool stateless() const override { return true; }
  void Run(std::vector<Tensor> args, CancellationToken*, Done done) const override {
    ++calls;
    Result<Tensor> result = body_(args[0].scalar<int64_t>());
    if (!result.ok()) return done(result.status(), {});
    done(OkStatus(), {*result});
  }
  mutable std::atomic<int> calls = 0;

 private:
  const std::vector<DType> arg_types_, result_types_;
  const Body body_;
};

class DataTest : public testing::Test {
 protected:
  DataTest() {
    runtime_->files = files_.get();
    runtime_->clock = &RealClock();
    runtime_->compute = &ComputePool();
    runtime_->blocking = &BlockingPool();
    context_.runtime = runtime_;
  }

  std::unique_ptr<Stage> Open(const DatasetPtr& dataset) {
    Result<std::unique_ptr<Stage>> stage = dataset->MakeStage(&context_);
    EXPECT_TRUE(stage.ok()) << stage.status().ToString();
    return *std::move(stage);
  }
  /// All elements as texts; errors among them.
  std::vector<std::string> Drain(Stage& stage, int limit = 100) {
    std::vector<std::string> seen;
    for (int i = 0; i < limit; ++i) {
      Element element;
      bool end = false;
      const Status status = stage.Next(&element, &end);
      if (status.ok() && end) return seen;
      std::string text = status.ok() ? "" : status.ToString();
      for (const Tensor& tensor : element) {
        if (!text.empty()) text += ";";
        const std::string summary = tensor.Summary(16);
        text += summary.substr(std::min(summary.size(), summary.find('=') + 2));
      }
      seen.push_back(std::move(text));
    }
    return seen;
  }
  std::vector<std::string> All(const DatasetPtr& dataset, int limit = 100) { return Drain(*Open(dataset), limit); }
  std::string Joined(const DatasetPtr& dataset, int limit = 100) { return StrJoin(All(dataset, limit), " "); }
  /// Seeds as TensorFlow's client passes them.
  static DatasetPtr Shuffled(DatasetPtr input, int64_t buffer_size, Seeds seeds, bool reshuffle, int64_t count = 1) {
    return *MakeShuffleDataset(
        std::move(input),
        {.buffer_size = buffer_size, .count = count, .seeds = std::make_shared<SeedGenerator>(seeds, reshuffle)});
  }
  static DatasetPtr Range(int64_t n) { return *MakeRangeDataset(0, n, 1, DType::kInt64); }

  /// Skipping k and draining must give what draining gives after its first k.
  void ExpectSkipsAsItYields(const std::function<DatasetPtr()>& make) {
    const std::vector<std::string> all = All(make());
    for (size_t k = 0; k <= all.size() + 1; ++k) {
      const DatasetPtr dataset = make();
      std::unique_ptr<Stage> stage = Open(dataset);
      Result<int64_t> skipped = stage->Skip(static_cast<int64_t>(k));
      ASSERT_TRUE(skipped.ok());
      EXPECT_EQ(*skipped, static_cast<int64_t>(std::min(k, all.size())));
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(std::min(k, all.size()));
      EXPECT_EQ(Drain(*stage), std::vector<std::string>(first, all.end())) << "after " << k;
    }
  }

  std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
  std::shared_ptr<Runtime> runtime_ = std::make_shared<Runtime>();
  IteratorContext context_;
};

}  // namespace headrace
