// What the executor and a local session cost beyond the kernels: a step that does nothing, a chain of 1,000 scalar additions, and
// 1,000 additions that do not depend on each other. Each benchmark checks its answer.
#include <benchmark/benchmark.h>

#include <map>

#include "graph/builder.h"
#include "graph/import.h"
#include "ops/register.h"
#include "session/graph_session.h"
#include "session/local_worker.h"

namespace headrace {
namespace {

constexpr char kTask[] = "/job:localhost/replica:0/task:0";
constexpr int kNumOps = 1000;

/// A directory of one task in this process.
class OneTask final : public WorkerDirectory {
 public:
  OneTask() : worker_(std::make_shared<LocalWorker>(LocalWorkerOptions{kTask, Runtime::Default(), nullptr})) {}
  std::vector<std::string> TaskNames() const override { return {kTask}; }
  Result<std::shared_ptr<Worker>> Find(const std::string&) override { return std::shared_ptr<Worker>(worker_); }
  std::string AddressOf(const std::string&) const override { return "in process"; }

 private:
  const std::shared_ptr<LocalWorker> worker_;
};

GraphDef MakeGraph() {
  Graph graph;
  Status status;
  const GraphBuilder builder(&graph, &status);
  builder.AddNode("NoOp", {}, {}, {.name = "nothing"});
  Node* x = builder.AddNode("Placeholder", {}, {{"dtype", DType::kFloat}}, {.name = "x"});
  const Endpoint one = builder.Const(Tensor::Scalar(1.0f), "one");
  Endpoint chain{x, 0};
  std::vector<Node*> independent;
  for (int i = 0; i < kNumOps; ++i) {
    chain = Endpoint{builder.AddNode("AddV2", {chain, one}, {}, {.name = StrCat("chain", i)}), 0};
    independent.push_back(builder.AddNode("AddV2", {Endpoint{x, 0}, one}, {}, {.name = StrCat("side", i)}));
  }
  builder.AddNode("NoOp", {}, {}, {.name = "sides", .control_inputs = independent});
  if (!status.ok()) std::abort();
  return ExportGraphDef(graph);
}

std::shared_ptr<GraphSession> OpenSession(const std::shared_ptr<OneTask>& tasks) {
  RegisterAllOps();
  GraphSessionOptions options;
  options.workers = tasks;
  options.master_task = kTask;
  options.runtime = Runtime::Default();
  Result<std::shared_ptr<GraphSession>> session = GraphSession::Create(MakeGraph(), options);
  if (!session.ok()) std::abort();
  return *std::move(session);
}

GraphSession& Session() {
  static const auto tasks = std::make_shared<OneTask>();
  static const std::shared_ptr<GraphSession> session = OpenSession(tasks);
  return *session;
}

void NoOpStep(benchmark::State& state) {
  const std::vector<std::string> targets = {"nothing"};
  for (auto _ : state) {
    if (!Session().Run({}, {}, targets).ok()) state.SkipWithError("the step failed");
  }
}
BENCHMARK(NoOpStep)->Unit(benchmark::kMicrosecond);

void FeedAndFetch(benchmark::State& state) {
  const std::vector<NamedTensor> feeds = {{"x:0", Tensor::Scalar(1.0f)}};
  const std::vector<std::string> fetches = {"chain0:0"};
  for (auto _ : state) {
    const auto results = Session().Run(feeds, fetches, {});
    if (!results.ok() || (*results)[0].scalar<float>() != 2) state.SkipWithError("wrong answer");
  }
}
BENCHMARK(FeedAndFetch)->Unit(benchmark::kMicrosecond);

void FeedAndFetchCallable(benchmark::State& state) {
  const Result<int64_t> callable = Session().MakeCallable({.feeds = {"x"}, .fetches = {"chain0"}});
  const std::vector<Tensor> feeds = {Tensor::Scalar(1.0f)};
  for (auto _ : state) {
    const auto results = Session().RunCallable(*callable, feeds);
    if (!results.ok() || (*results)[0].scalar<float>() != 2) state.SkipWithError("wrong answer");
  }
}
BENCHMARK(FeedAndFetchCallable)->Unit(benchmark::kMicrosecond);

void Chain(benchmark::State& state) {
  const std::vector<NamedTensor> feeds = {{"x:0", Tensor::Scalar(1.0f)}};
  const std::vector<std::string> fetches = {StrCat("chain", kNumOps - 1, ":0")};
  for (auto _ : state) {
    const auto results = Session().Run(feeds, fetches, {});
    if (!results.ok() || (*results)[0].scalar<float>() != 1 + kNumOps) state.SkipWithError("wrong answer");
  }
  state.counters["per_op"] =
      benchmark::Counter(kNumOps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(Chain)->Unit(benchmark::kMicrosecond);

void IndependentAdds(benchmark::State& state) {
  const std::vector<NamedTensor> feeds = {{"x:0", Tensor::Scalar(1.0f)}};
  const std::vector<std::string> targets = {"sides"};
  for (auto _ : state) {
    if (!Session().Run(feeds, {}, targets).ok()) state.SkipWithError("the step failed");
  }
  state.counters["per_op"] =
      benchmark::Counter(kNumOps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(IndependentAdds)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
