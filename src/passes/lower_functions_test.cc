// Tests of lower_functions.h: what becomes of a call. What lowered calls compute is tested with sessions (session/function_session_test.cc).
#include "passes/lower_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/function_export.h"
#include "graph/loop_frames.h"
#include "passes/passes_testing.h"
#include "passes/pipeline.h"

namespace headrace {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPs = "/job:ps/replica:0/task:0/device:CPU:0", kPs1 = "/job:ps/replica:0/task:1/device:CPU:0";
const std::string kWorker = "/job:worker/replica:0/task:0/device:CPU:0";
const AttrMap kFloat = {{"dtype", DType::kFloat}};

struct LowerFunctionsTest : testing::Test {
  using Build = std::function<std::vector<Endpoint>(PassTestGraph& body, const std::vector<Endpoint>& args)>;

  FunctionRef Function(const std::string& name, const std::vector<DType>& types, const Build& build) {
    PassTestGraph body;
    std::vector<Node*> args;
    std::vector<Endpoint> ends;
    for (const DType type : types) {
      args.push_back(body.AddNode("_Arg", StrCat("arg_", args.size()), {}, {{"T", type}, {"index", std::ssize(args)}}));
      ends.push_back({args.back(), 0});
    }
    const Result<FunctionRef> function = AddFunction(&t.graph.functions(), body.graph, name, args, build(body, ends));
    HR_CHECK(function.ok());
    return *function;
  }
  Endpoint Handle(const std::string& name, const std::string& device) {
    return {t.AddNode("VarHandleOp", name, {}, {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}}, device),
            0};
  }
  Endpoint Bool(const std::string& name) {
    return {t.AddNode("Placeholder", name, {}, {{"dtype", DType::kBool}, {"shape", PartialShape::Scalar()}}), 0};
  }
  static Endpoint Read(PassTestGraph& body, const std::string& name, Endpoint handle) {
    return {body.AddNode("ReadVariableOp", name, {handle}, kFloat), 0};
  }
  /// A call of a function that reads the handle and adds x.
  Node* ReadAndAdd(const std::string& name, Endpoint handle, Endpoint x, std::vector<Node*> controls = {}) {
    const FunctionRef function =
        Function("read_and_add", {DType::kResource, DType::kFloat}, [](PassTestGraph& body, auto& args) {
          return std::vector<Endpoint>{body.Add("sum", Read(body, "read", args[0]), args[1])};
        });
    return t.AddNode("StatefulPartitionedCall", name, {handle, x},
                     {{"f", function}, {"Tout", std::vector<DType>{DType::kFloat}}}, "", std::move(controls));
  }
  Status Run() {
    const auto lower = [this](Graph* graph) { return LowerFunctions(graph, options); };
    return RunPasses(&t.graph, {{"lower functions", lower}});
  }
  Node* Find(const std::string& name) {
    Node* node = t.graph.Find(name);
    if (node == nullptr) ADD_FAILURE() << "there is no node " << name;
    return node;
  }
  std::string OpOf(const std::string& name) {
    const Node* node = Find(name);
    return node == nullptr ? "" : node->op();
  }

  PassTestGraph t;
  PlacementOptions options{
      .allow_soft_placement = false, .log_device_placement = false, .local_task = "/job:worker/replica:0/task:0"};
};

TEST_F(LowerFunctionsTest, ACallWhoseStateIsInItsOwnTaskStays) {
  ReadAndAdd("local", Handle("v", ""), t.Input("x"));
  ReadAndAdd("remote", Handle("w", "/job:ps/task:0"), t.Input("y"))->set_requested_device("/job:ps");
  Node* placed = ReadAndAdd("placed", Handle("u", "/job:ps/task:0"), t.Input("z"));
  placed->set_assigned_device(kPs1);
  const int before = t.graph.num_nodes();
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(t.graph.num_nodes(), before);
}

TEST_F(LowerFunctionsTest, ACallWithStateOfAnotherTaskBecomesItsBody) {
  const Endpoint handle = Handle("v", kPs);
  Node* call = ReadAndAdd("call", handle, t.Input("x"));
  t.Add("after", {call, 0}, t.Input("y"));
  t.AddNode("NoOp", "waits", {}, {}, "", {call});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Find("call/read")->input(0), handle);
  EXPECT_EQ(Find("call/sum")->input(0).node, Find("call/read"));
  ASSERT_EQ(OpOf("call"), "Identity") << "so that it may be fetched and fed by its name";
  EXPECT_EQ(Find("call")->input(0).node, Find("call/sum"));
  EXPECT_EQ(Find("after")->input(0).node, Find("call"));
  EXPECT_THAT(Find("waits")->control_inputs(), ElementsAre(Find("call")));
  ASSERT_TRUE(Place(&t.graph, {{kPs, "CPU"}, {kWorker, "CPU"}}, options).ok());
  EXPECT_EQ(Find("call/read")->assigned_device(), kPs);
  EXPECT_EQ(Find("call/sum")->assigned_device(), kWorker);
}

TEST_F(LowerFunctionsTest, AllThatBeginsInTheBodyWaitsForWhatTheCallWaitedFor) {
  ReadAndAdd("call", Handle("v", kPs), t.Input("x"), {t.AddNode("NoOp", "first")});
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Find("call/start")->control_inputs(), ElementsAre(Find("first")));
  EXPECT_THAT(Find("call/read")->control_inputs(), ElementsAre(Find("call/start")));
  EXPECT_THAT(Find("call/sum")->control_inputs(), IsEmpty()) << "it waits for what it reads";
}

TEST_F(LowerFunctionsTest, SideEffectsThatNoResultNeedsAreWaitedFor) {
  const FunctionRef function = Function("f", {DType::kResource, DType::kFloat}, [](PassTestGraph& body, auto& args) {
    body.AddNode("UseBoth", "effect", {args[0], args[0]});
    return std::vector<Endpoint>{body.Add("sum", args[1], args[1])};
  });
  t.AddNode("StatefulPartitionedCall", "call", {Handle("v", kPs), t.Input("x")},
            {{"f", function}, {"Tout", std::vector<DType>{DType::kFloat}}});
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Find("call")->control_inputs(), ElementsAre(Find("call/effect")));
}

TEST_F(LowerFunctionsTest, ADeviceInTheBodyIsAReasonAndOtherNodesGetTheCalls) {
  const FunctionRef inner = Function("inner", {DType::kFloat}, [](PassTestGraph& body, auto& args) {
    return std::vector<Endpoint>{body.Add("far", args[0], args[0], "/job:ps/task:1")};
  });
  const FunctionRef outer = Function("outer", {DType::kFloat}, [&](PassTestGraph& body, auto& args) {
    Node* call = body.AddNode("PartitionedCall", "nested", {body.Add("near", args[0], args[0])},
                              {{"f", inner}, {"Tout", std::vector<DType>{DType::kFloat}}});
    return std::vector<Endpoint>{{call, 0}};
  });
  t.AddNode("PartitionedCall", "call", {t.Input("x")}, {{"f", outer}, {"Tout", std::vector<DType>{DType::kFloat}}},
            "/job:worker/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Find("call/near")->requested_device(), "/job:worker/task:0");
  EXPECT_EQ(Find("call/nested/far")->requested_device(), "/job:ps/task:1");
  EXPECT_EQ(OpOf("call/nested"), "Identity");
}

struct ChoiceTest : LowerFunctionsTest {
  /// If `pred`, the variable on the ps, changed; else a constant.
  void AddIf(std::vector<Node*> controls = {}) {
    const std::vector<DType> types = {DType::kResource, DType::kFloat};
    const FunctionRef then_branch = Function("then", types, [](PassTestGraph& body, auto& args) {
      body.AddNode("UseBoth", "effect", {args[0], args[0]});
      return std::vector<Endpoint>{body.Add("sum", Read(body, "read", args[0]), args[1])};
    });
    const FunctionRef else_branch = Function(
        "else", types, [](PassTestGraph& body, auto&) { return std::vector<Endpoint>{body.builder.Scalar(1.0f)}; });
    t.AddNode("If", "if", {Bool("pred"), Handle("v", kPs), t.Input("x")},
              {{"then_branch", then_branch}, {"else_branch", else_branch}, {"Tout", std::vector<DType>{DType::kFloat}}},
              "", std::move(controls));
  }
};

TEST_F(ChoiceTest, AnIfBecomesSwitchesAndAMerge) {
  AddIf({t.AddNode("NoOp", "first")});
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Find("if/pred")->control_inputs(), ElementsAre(Find("first")));
  EXPECT_EQ(Find("if/operand_0")->input(0).node->name(), "v");
  EXPECT_EQ(Find("if/operand_0")->input(1).node, Find("if/pred"));
  EXPECT_EQ(Find("if/then/read")->input(0), (Endpoint{Find("if/operand_0"), 1}));
  EXPECT_EQ(Find("if")->input(0), (Endpoint{Find("if/result_0"), 0}));
  EXPECT_EQ(Find("if/result_0")->input(1).node, Find("if/then/sum"));
  const Node* constant = Find("if/result_0")->input(0).node;
  EXPECT_EQ(constant->op(), "Const");
  EXPECT_THAT(constant->control_inputs(), ElementsAre(Find("if/taken_0"))) << "dead where the branch is not taken";
}

TEST_F(ChoiceTest, AnIfIsDoneWhenTheTakenBranchIs) {
  AddIf();
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(Find("if")->control_inputs().size(), 1u);
  const Node* done = Find("if")->control_inputs()[0];
  EXPECT_EQ(done->op(), "Merge");
  EXPECT_THAT(done->input(0).node->control_inputs(), IsEmpty());
  EXPECT_THAT(done->input(1).node->control_inputs(), ElementsAre(Find("if/then/effect")));
}

TEST_F(ChoiceTest, ACaseChoosesByIndex) {
  std::vector<FunctionRef> branches;
  for (int i = 0; i < 3; ++i) {
    branches.push_back(Function("branch", {DType::kResource}, [](PassTestGraph& body, auto& args) {
      return std::vector<Endpoint>{Read(body, "read", args[0])};
    }));
  }
  t.AddNode("Case", "case",
            {{t.AddNode("Placeholder", "index", {}, {{"dtype", DType::kInt32}, {"shape", PartialShape::Scalar()}}), 0},
             Handle("v", kPs)},
            {{"branches", branches}, {"Tout", std::vector<DType>{DType::kFloat}}});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(OpOf("case/operand_0"), "_SwitchN");
  EXPECT_EQ(Find("case/operand_0")->num_outputs(), 3);
  EXPECT_EQ(Find("case/branch_2/read")->input(0), (Endpoint{Find("case/operand_0"), 2}));
  EXPECT_EQ(Find("case/result_0")->num_inputs(), 3);
}

struct LoopTest : LowerFunctionsTest {
  const std::vector<DType> types{DType::kFloat, DType::kResource};
  FunctionRef Cond() {
    return Function("cond", types, [](PassTestGraph& body, auto& args) {
      return std::vector<Endpoint>{{body.AddNode("ToBool", "more", {Read(body, "limit", args[1])}), 0}};
    });
  }
  FunctionRef Body(bool has_effect) {
    return Function("body", types, [=](PassTestGraph& body, auto& args) {
      if (has_effect) body.AddNode("UseBoth", "effect", {args[1], args[1]});
      return std::vector<Endpoint>{body.Add("sum", args[0], body.builder.Scalar(1.0f)), args[1]};
    });
  }
  Node* AddWhile(bool has_effect) {
    return t.AddNode("While", "loop", {t.Input("x"), Handle("v", kPs)},
                     {{"cond", Cond()}, {"body", Body(has_effect)}, {"T", types}, {"parallel_iterations", 3}});
  }
};

TEST_F(LoopTest, AWhileBecomesAFrame) {
  AddWhile(false);
  ASSERT_TRUE(Run().ok());
  const Result<LoopFrames> frames = FindLoopFrames(t.graph);
  ASSERT_TRUE(frames.ok()) << frames.status().ToString();
  ASSERT_EQ(frames->frames.size(), 2u);
  EXPECT_EQ(frames->frames[1].parallel_iterations, 3);
  EXPECT_EQ(frames->FrameOf(*Find("loop/body/sum")), 1);
  EXPECT_EQ(frames->FrameOf(*Find("loop")), 0);
  EXPECT_TRUE(GetAttrOr<bool>(Find("loop/enter_1")->attrs(), "is_constant", false)) << "the handle never changes";
  EXPECT_EQ(t.graph.Find("loop/merge_1"), nullptr);
  EXPECT_THAT(Find("loop/cond/limit")->control_inputs(), ElementsAre(Find("loop/merge_0")))
      << "what only reads what never changes runs once in each iteration, not ahead";
  EXPECT_EQ(Find("loop/next_0")->input(0).node, Find("loop/body/sum"));
  EXPECT_THAT(Find("loop/next_0")->control_inputs(), IsEmpty());
  EXPECT_EQ(Find("loop")->input(0).node, Find("loop/exit_0"));
}

TEST_F(LoopTest, AnIterationWithSideEffectsIsDoneBeforeTheNext) {
  AddWhile(true);
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(Find("loop/next_0")->control_inputs().size(), 1u);
  const Node* done = Find("loop/next_0")->control_inputs()[0];
  EXPECT_THAT(done->control_inputs(), Contains(Find("loop/body/effect")));
  EXPECT_THAT(Find("loop/body/effect")->control_inputs(), ElementsAre(Find("loop/body/pivot")));
}

TEST_F(LoopTest, HandlesPassByWhatTakesTheCallsPlace) {
  Node* loop = AddWhile(false);
  t.AddNode("ReadVariableOp", "read", {Endpoint{loop, 1}}, kFloat);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Find("read")->input(0).node, Find("v"));
  EXPECT_THAT(Find("read")->control_inputs(), ElementsAre(Find("loop"))) << "it read what was there after the loop";
  ASSERT_EQ(OpOf("loop"), "IdentityN");
  t.AddNode("ReadVariableOp", "later", {Endpoint{Find("loop"), 1}}, kFloat);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Find("later")->input(0).node, Find("v")) << "a later extension, too";
}

TEST_F(LoopTest, ALoopOfHandlesAloneGetsATokenToTurnBy) {
  const std::vector<DType> handle = {DType::kResource};
  const FunctionRef cond = Function("cond", handle, [](PassTestGraph& body, auto& args) {
    return std::vector<Endpoint>{{body.AddNode("ToBool", "more", {Read(body, "read", args[0])}), 0}};
  });
  const FunctionRef body = Function("body", handle, [](PassTestGraph& b, auto& args) {
    b.AddNode("UseBoth", "effect", {args[0], args[0]});
    return std::vector<Endpoint>{args[0]};
  });
  t.AddNode("While", "loop", {Handle("v", kPs)}, {{"cond", cond}, {"body", body}, {"T", handle}});
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Find("loop/cond/read")->control_inputs(), ElementsAre(Find("loop/merge_token")));
  EXPECT_THAT(Find("loop")->control_inputs(), ElementsAre(Find("loop/exit_1")));
}

TEST_F(LowerFunctionsTest, FunctionsThatCallThemselvesAreRefused) {
  FunctionDef function;
  function.signature.name = "endless";
  const Result<OpSignature> signature = OpSignature::Parse("endless(x: f32) -> (y: f32)");
  ASSERT_TRUE(signature.ok());
  function.signature = *signature;
  const auto add = [&](const std::string& name, const std::string& op, const std::string& device) {
    function.nodes.push_back({.name = name, .op = op, .device = device, .inputs = {"x"}, .attrs = {}});
  };
  add("far", "ToBool", "/job:ps/task:0");
  add("near", "ToBool", "/job:worker/task:0");
  for (NodeDef& node : function.nodes) node.attrs["T"] = DType::kFloat;
  add("again", "endless", "");
  function.returns["y"] = "again:y";
  ASSERT_TRUE(t.graph.functions().Add(function).ok());
  t.AddNode("PartitionedCall", "call", {t.Input("x")},
            {{"f", FunctionRef{.name = "endless", .attrs = nullptr}}, {"Tout", std::vector<DType>{DType::kFloat}}},
            "/job:worker/task:0");
  const Status status = Run();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("call each other over 64 deep"));
}

TEST_F(LowerFunctionsTest, AFunctionThatDoesNotFitItsCallIsNamed) {
  const FunctionRef function = Function("short", {DType::kResource}, [](PassTestGraph& body, auto& args) {
    return std::vector<Endpoint>{Read(body, "read", args[0])};
  });
  t.AddNode("StatefulPartitionedCall", "call", {Handle("v", kPs), t.Input("x")},
            {{"f", function}, {"Tout", std::vector<DType>{DType::kFloat}}});
  EXPECT_THAT(Run().message(), AllOf(HasSubstr("'short'"), HasSubstr("takes 1"), HasSubstr("wants 2")));
}

}  // namespace
}  // namespace headrace
