// Functions that change state of other tasks: programs of If, Case, While and calls give on several tasks what they give on one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "autodiff/gradients.h"
#include "executor/function_testing.h"
#include "graph/function_export.h"
#include "session/session_testing.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

using Endpoints = std::vector<Endpoint>;
const AttrMap kFloat = {{"dtype", DType::kFloat}};
constexpr char kPs1[] = "/job:ps/replica:0/task:1";

Tensor F(float value) { return Tensor::Scalar(value); }

/// A program on a ps with a variable "v", another with "w", and a worker, which is the master; or all of it in one task.
class FunctionSession : public ::testing::Test {
 protected:
  explicit FunctionSession(bool one_task = false) : one_task_(one_task) {}

  std::string On(const std::string& device) const { return one_task_ ? "" : device; }
  const GraphBuilder& builder() { return program.builder(); }
  Node* Add(const GraphBuilder& b, const std::string& op, Endpoints inputs, AttrMap attrs = {},
            const std::string& name = "", const std::string& device = "") {
    Node* node = b.AddNode(op, std::move(inputs), std::move(attrs), {.name = name, .device = On(device)});
    if (!b.status().ok()) ADD_FAILURE() << b.status().ToString();
    HR_CHECK(node != nullptr);
    return node;
  }
  Endpoint Variable(const std::string& name, float initial, const std::string& device) {
    const AttrMap attrs = {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}, {"shared_name", name}};
    const Endpoint handle{Add(builder(), "VarHandleOp", {}, attrs, name, device), 0};
    Add(builder(), "AssignVariableOp", {handle, builder().Scalar(initial)}, kFloat, name + "/init");
    Add(builder(), "ReadVariableOp", {handle}, kFloat, name + "/read");
    return handle;
  }
  Endpoint Read(const GraphBuilder& b, Endpoint handle) { return {Add(b, "ReadVariableOp", {handle}, kFloat), 0}; }
  void Open() {
    if (!one_task_ && cluster_ == nullptr) cluster_ = TestCluster::Make({kPs, kPs1, kWorker0});
    if (cluster_ == nullptr) cluster_ = TestCluster::Make({kWorker0});
    ASSERT_TRUE(builder().status().ok()) << builder().status().ToString();
    RegisterSessionTestOps();
    auto session = GraphSession::Create(ExportGraphDef(program.graph()), cluster_->Options(kWorker0));
    ASSERT_TRUE(session.ok()) << session.status().ToString();
    session_ = *std::move(session);
    const Status initialized = session_->Run({}, {}, {"v/init", "w/init"}).status();
    ASSERT_TRUE(initialized.ok()) << initialized.ToString();
  }
  std::vector<float> Run(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                         const std::vector<std::string>& targets = {}) {
    const Result<std::vector<Tensor>> results = session_->Run(feeds, fetches, targets);
    EXPECT_TRUE(results.ok()) << results.status().ToString();
    std::vector<float> values;
    for (const Tensor& tensor : results.ok() ? *results : std::vector<Tensor>())
      values.push_back(tensor.scalar<float>());
    return values;
  }
  static std::string NameOf(const Endpoint& endpoint) { return endpoint.ToString(); }

  FunctionProgram program;
  const bool one_task_;
  std::shared_ptr<TestCluster> cluster_;
  std::shared_ptr<GraphSession> session_;
};

TEST_F(FunctionSession, ABranchChangesAVariableOfAnotherTaskWhenItIsTaken) {
  const Endpoint v = Variable("v", 10, "/job:ps/task:0"), w = Variable("w", 1, "/job:ps/task:1");
  const Endpoint pred{
      Add(builder(), "Placeholder", {}, {{"dtype", DType::kBool}, {"shape", PartialShape::Scalar()}}, "pred"), 0};
  const Endpoint x{Add(builder(), "Placeholder", {}, {{"dtype", DType::kFloat}}, "x"), 0};
  const auto then_branch = [&](const GraphBuilder& b, const Endpoints& args) {
    Node* change = Add(b, "AssignAddVariableOp", {args[0], args[2]}, kFloat);
    return Endpoints{b.Op("Mul", {Read(b.WithControlInputs({change}), args[0]), args[2]})};
  };
  const auto else_branch = [&](const GraphBuilder& b, const Endpoints& args) {
    Add(b, "AssignAddVariableOp", {args[1], args[2]}, kFloat);  // nothing reads it: it happens all the same
    return Endpoints{b.Scalar(-1.0f)};
  };
  const Endpoint y = program.If(pred, {v, w, x}, then_branch, else_branch)[0];
  Open();
  const auto feed = [](bool taken) { return std::vector<NamedTensor>{{"pred", Tensor::Scalar(taken)}, {"x", F(2)}}; };
  EXPECT_EQ(Run(feed(true), {NameOf(y)}), (std::vector<float>{24}));
  EXPECT_EQ(Run({}, {"v/read", "w/read"}), (std::vector<float>{12, 1}));
  EXPECT_EQ(Run(feed(false), {NameOf(y)}), (std::vector<float>{-1}));
  EXPECT_EQ(Run({}, {"v/read", "w/read"}), (std::vector<float>{12, 3}));
  Run(feed(false), {}, {y.node->name()});
  EXPECT_EQ(Run({}, {"v/read", "w/read"}), (std::vector<float>{12, 5})) << "as a target, too";
}

/// v += x and total += v * w, as long as v < 10.
TEST_F(FunctionSession, ALoopChangesVariablesOfOtherTasksInEachIteration) {
  const Endpoint v = Variable("v", 1, "/job:ps/task:0"), w = Variable("w", 3, "/job:ps/task:1");
  const Endpoint x{Add(builder(), "Placeholder", {}, {{"dtype", DType::kFloat}}, "x"), 0};
  const std::vector<Endpoint> ends = program.While(
      {v, w, x, builder().Scalar(0.0f)},
      [&](const GraphBuilder& b, const Endpoints& args) {
        return Endpoints{b.Op("Less", {Read(b, args[0]), b.Scalar(10.0f)})};
      },
      [&](const GraphBuilder& b, const Endpoints& args) {
        Node* change = Add(b, "AssignAddVariableOp", {args[0], args[2]}, kFloat);
        const Endpoint product = b.Op("Mul", {Read(b.WithControlInputs({change}), args[0]), Read(b, args[1])});
        return Endpoints{args[0], args[1], args[2], b.Op("AddV2", {args[3], product})};
      });
  Add(builder().WithControlInputs({ends[0].node}), "ReadVariableOp", {ends[0]}, kFloat, "after");
  Open();
  EXPECT_EQ(Run({{"x", F(4)}}, {NameOf(ends[3]), "after"}), (std::vector<float>{3 * (5 + 9 + 13), 13}));
  EXPECT_EQ(Run({{"x", F(4)}}, {NameOf(ends[3]), "after"}), (std::vector<float>{0, 13})) << "no iteration at all";
}

TEST_F(FunctionSession, GradientsGoThroughLoopsAndBranchesWithVariablesOfOtherTasks) {
  const Endpoint v = Variable("v", 2, "/job:ps/task:0"), w = Variable("w", 3, "/job:ps/task:1");
  const Endpoint x{Add(builder(), "Placeholder", {}, {{"dtype", DType::kFloat}}, "x"), 0};
  const Endpoint pred{
      Add(builder(), "Placeholder", {}, {{"dtype", DType::kBool}, {"shape", PartialShape::Scalar()}}, "pred"), 0};
  const std::vector<Endpoint> ends = program.While(
      {builder().Scalar(0.0f), x, v},
      [&](const GraphBuilder& b, const Endpoints& args) {
        return Endpoints{b.Op("Less", {args[0], b.Scalar(3.0f)})};
      },
      [&](const GraphBuilder& b, const Endpoints& args) {
        return Endpoints{b.Op("AddV2", {args[0], b.Scalar(1.0f)}), b.Op("Mul", {args[1], Read(b, args[2])}), args[2]};
      });
  const Endpoint y = program.If(
      pred, {ends[1], w},
      [&](const GraphBuilder& b, const Endpoints& args) {
        const Endpoint read = Read(b, args[1]);
        return Endpoints{b.Op("Mul", {args[0], b.Op("Mul", {read, read})})};
      },
      [&](const GraphBuilder&, const Endpoints& args) { return Endpoints{args[0]}; })[0];
  const auto gradients = AddGradients(builder(), {y}, {x, v, w});
  ASSERT_TRUE(gradients.ok()) << gradients.status().ToString();
  std::vector<std::string> fetches = {NameOf(y)};
  for (const Gradient& gradient : *gradients) {
    ASSERT_NE(gradient.dense(), nullptr);
    fetches.push_back(NameOf(*gradient.dense()));
  }
  Open();
  const auto feed = [](bool taken) { return std::vector<NamedTensor>{{"pred", Tensor::Scalar(taken)}, {"x", F(5)}}; };
  // y = x v^3 w^2, or x v^3.
  EXPECT_EQ(Run(feed(true), fetches), (std::vector<float>{360, 72, 540, 240}));
  EXPECT_EQ(Run(feed(false), fetches), (std::vector<float>{40, 8, 60, 0}));
}

TEST_F(FunctionSession, WhatTakesACallsPlaceIsFedAndUsedByLaterNodes) {
  const Endpoint v = Variable("v", 2, "/job:ps/task:0");
  Variable("w", 3, "/job:ps/task:1");
  const Endpoint y = program.Call({v}, [&](const GraphBuilder& b, const Endpoints& args) {
    return Endpoints{b.Op("Mul", {Read(b, args[0]), b.Scalar(10.0f)})};
  })[0];
  Open();
  GraphDef later;
  later.nodes.push_back(
      {.name = "later", .op = "Neg", .device = "", .inputs = {y.node->name()}, .attrs = {{"T", DType::kFloat}}});
  ASSERT_TRUE(session_->Extend(later).ok());
  EXPECT_EQ(Run({}, {"later"}), (std::vector<float>{-20}));
  EXPECT_EQ(Run({{NameOf(y), F(7)}}, {"later"}), (std::vector<float>{-7}));
}

TEST_F(FunctionSession, AnErrorInABodyNamesTheNodeUnderItsCall) {
  const Endpoint v = Variable("v", 2, "/job:ps/task:0");
  Variable("w", 3, "/job:ps/task:1");
  const Endpoint y = program.Call({v}, [&](const GraphBuilder& b, const Endpoints& args) {
    return Endpoints{
        {Add(b, "CheckNumerics", {b.Op("Div", {b.Scalar(1.0f), b.Op("Sub", {Read(b, args[0]), b.Scalar(2.0f)})})},
             {{"message", "not finite"}}, "wrong"),
         0}};
  })[0];
  Open();
  const Status status = session_->Run({}, {NameOf(y)}, {}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(StrCat("{{node ", y.node->name(), "/wrong}}")));
}

/// A program of random functions that read and change two variables, each change after the one before.
class RandomProgram : public FunctionSession {
 public:
  RandomProgram(uint32_t seed, bool one_task) : FunctionSession(one_task), random_(seed) {}
  void TestBody() override {}

  /// The fetched value and the variables after each of three steps.
  std::vector<float> Results() {
    const Endpoints outer = {Variable("v", 2, "/job:ps/task:0"),
                             Variable("w", 1, "/job:ps/task:1"),
                             {Add(builder(), "Placeholder", {}, kFloat, "x"), 0}};
    Node* last = nullptr;
    const Endpoint y = Body(builder(), outer, 3, &last);
    Node* end = Add(last == nullptr ? builder() : builder().WithControlInputs({last}), "Identity", {y}, {}, "end");
    Open();
    std::vector<float> results;
    for (const float x : {0.5f, -1.5f, 3.0f}) {
      for (const float value : Run({{"x", F(x)}}, {end->name()})) results.push_back(value);
      for (const float value : Run({}, {"v/read", "w/read"})) results.push_back(value);
    }
    return results;
  }

 private:
  int Pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  /// A few operations on the arguments (v, w, x); `*last` is the last change.
  Endpoint Body(const GraphBuilder& outer, const Endpoints& args, int depth, Node** last) {
    Endpoint x = args[2];
    for (int i = 0; i < 3; ++i) {
      static constexpr const char* kDevices[] = {"", "/job:worker/task:0", "/job:ps/task:1"};
      const GraphBuilder b =
          (*last == nullptr ? outer : outer.WithControlInputs({*last})).WithDevice(On(kDevices[Pick(3)]));
      const Endpoint variable = args[static_cast<size_t>(Pick(2))];
      const int kind = Pick(depth > 0 ? 7 : 3);
      if (kind == 0) {
        x = b.Op("AddV2", {b.Op("Tanh", {x}), Endpoint{* last = Add(b, "ReadVariableOp", {variable}, kFloat), 0}});
      } else if (kind == 1) {
        *last = Add(b, "AssignAddVariableOp", {variable, b.Op("Sin", {x})}, kFloat);
      } else if (kind == 2) {
        x = b.Op("Mul", {b.Op("Cos", {x}), b.Scalar(0.5f)});
      } else {
        *last = AddCall(b, kind, {args[0], args[1], x}, depth - 1);
        x = {*last, (*last)->num_outputs() - 1};
      }
    }
    return x;
  }

  FunctionRef Function(const std::vector<DType>& types, const FunctionProgram::Build& build) {
    return program.Function("random", types, build);
  }
  FunctionRef RandomFunction(int depth) {
    return Function({DType::kResource, DType::kResource, DType::kFloat}, [=, this](auto& b, auto& args) {
      Node* last = nullptr;
      return Endpoints{Body(b, args, depth, &last)};
    });
  }

  Node* AddCall(const GraphBuilder& b, int kind, Endpoints args, int depth) {
    const std::vector<DType> result = {DType::kFloat};
    if (kind == 3) return Add(b, "StatefulPartitionedCall", args, {{"f", RandomFunction(depth)}, {"Tout", result}});
    if (kind == 4) {
      args.insert(args.begin(), b.Op("Less", {args[2], b.Scalar(0.3f)}));
      return Add(b, "If", args,
                 {{"then_branch", RandomFunction(depth)}, {"else_branch", RandomFunction(depth)}, {"Tout", result}});
    }
    if (kind == 5) {
      args.insert(args.begin(), b.Op("Cast", {b.Op("Mul", {args[2], b.Scalar(2.0f)})}, {{"DstT", DType::kInt32}}));
      const std::vector<FunctionRef> branches = {RandomFunction(depth), RandomFunction(depth), RandomFunction(depth)};
      return Add(b, "Case", args, {{"branches", branches}, {"Tout", result}});
    }
    const std::vector<DType> types = {DType::kFloat, DType::kResource, DType::kResource, DType::kFloat};
    const float turns = static_cast<float>(Pick(4));
    const FunctionRef cond = Function(types, [=, this](auto& body, auto& loop) {
      return Endpoints{body.Op("Less", {loop[0], body.Scalar(turns)})};
    });
    const FunctionRef body = Function(types, [=, this](auto& inner, auto& loop) {
      Node* last = nullptr;
      const Endpoint x = Body(inner, {loop[1], loop[2], loop[3]}, depth, &last);
      return Endpoints{inner.Op("AddV2", {loop[0], inner.Scalar(1.0f)}), loop[1], loop[2], x};
    });
    args.insert(args.begin(), b.Scalar(0.0f));
    return Add(b, "While", args, {{"cond", cond}, {"body", body}});
  }

  std::mt19937 random_;
};

TEST(RandomFunctions, GiveOnSeveralTasksWhatTheyGiveOnOne) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    const std::vector<float> expected = RandomProgram(seed, /*one_task=*/true).Results();
    const std::vector<float> actual = RandomProgram(seed, /*one_task=*/false).Results();
    ASSERT_EQ(actual.size(), 9u);
    for (size_t i = 0; i < actual.size(); ++i) EXPECT_FLOAT_EQ(actual[i], expected[i]) << "value " << i;
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace headrace
