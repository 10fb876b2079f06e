// Tests of optimizer.h: 20 steps give TensorFlow's numbers under TensorFlow's names, on resource and on ref variables.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "session/session_testing.h"

namespace headrace::train {
namespace {

constexpr char kLocal[] = "/job:localhost/replica:0/task:0";
using Values = std::map<std::string, std::vector<float>>;

// "name dense|rows" to the variables after 20 steps: tests/golden/make_optimizer_golden.py.
std::map<std::string, Values> ReadGolden() {
  std::map<std::string, Values> golden;
  std::ifstream file("tests/golden/optimizers.txt");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name, kind, variable;
    words >> name >> kind >> variable;
    std::vector<float>& values = golden[name + " " + kind][variable];
    for (float value = 0; words >> value;) values.push_back(value);
  }
  return golden;
}

// The program of the golden file: a variable of four rows of which three are trained, or two looked up.
struct Program {
  explicit Program(bool use_resource) {
    RegisterSessionTestOps();
    step = GetOrCreateGlobalStep(builder, &variables);
    VariableOptions options;
    options.name = "v";
    options.shape = PartialShape({4, 2});
    options.use_resource = use_resource;
    options.initial_value = [](const GraphBuilder& b) {
      return b.Const(Tensor::FromValues<float>({-.5f, -.375f, -.25f, -.125f, 0, .125f, .25f, .375f}, {4, 2}));
    };
    v = BuildVariable(builder, options, &variables);
  }

  Endpoint Loss(bool rows) {
    const Endpoint target = builder.Const(Tensor::FromValues<float>({1, -1, .5f, .25f, -.75f, 2}, {3, 2}));
    Endpoint picked;
    if (rows) {
      const Endpoint ids = builder.Const(Tensor::Vector<int32_t>({2, 0, 2}));
      const Endpoint axis = builder.Scalar<int32_t>(0);
      picked = v.is_ref() ? builder.Op("GatherV2", {v.snapshot, ids, axis})
                          : builder.Op("ResourceGather", {v.handle, ids}, {{"dtype", DType::kFloat}});
    } else {
      const Endpoint begin = builder.Const(Tensor::Vector<int32_t>({0, 0}));
      const Endpoint size = builder.Const(Tensor::Vector<int32_t>({3, 2}));
      picked = builder.Op("Mul", {builder.Op("Slice", {v.snapshot, begin, size}), builder.Scalar(1.5f)});
    }
    const Endpoint squares = builder.Op("Square", {builder.Op("Sub", {picked, target})});
    return builder.Op("Sum", {squares, builder.Const(Tensor::Vector<int32_t>({0, 1}))});
  }

  Graph graph;
  Status status;
  GraphBuilder builder{&graph, &status};
  VariableCollection variables;
  VariableNodes step, v;
};

struct Case {
  std::string name;
  OptimizerDefinition optimizer;
  std::function<std::map<std::string, Endpoint>(Program&)> hyperparameters = {};
};

std::map<std::string, Endpoint> NextStep(Program& p) {
  return {{"global_step", p.builder.Op("AddV2", {p.step.snapshot, p.builder.Scalar<int64_t>(1)})}};
}

// 0.1 * 0.5 ^ (step / 5), and beta1 as a tensor.
std::map<std::string, Endpoint> Decay(Program& p) {
  const GraphBuilder& b = p.builder;
  const Endpoint step = b.Op("Cast", {p.step.snapshot}, {{"DstT", DType::kFloat}});
  const Endpoint power = b.Op("Pow", {b.Scalar(0.5f), b.Op("RealDiv", {step, b.Scalar(5.0f)})});
  return {{"learning_rate", b.Op("Mul", {b.Scalar(0.1f), power})}, {"beta1", b.Scalar(0.8f)}};
}

std::vector<Case> Cases() {
  const ProximalOptions proximal = {.l1_regularization_strength = 0.01, .l2_regularization_strength = 0.02};
  return {
      {"GradientDescent", GradientDescent(0.1)},
      {"Momentum", Momentum(0.1, 0.9)},
      {"Nesterov", Momentum(0.1, 0.9, true)},
      {"Adagrad", Adagrad(0.1)},
      {"Adadelta", Adadelta(0.5, 0.9, 1e-3)},
      {"Adam", Adam(0.1)},
      {"DecayedAdam", Adam(), Decay},
      {"RMSProp", RmsProp(0.01)},
      {"RMSPropMomentum", RmsProp(0.01, {.decay = 0.8, .momentum = 0.5, .epsilon = 1e-3})},
      {"RMSPropCentered", RmsProp(0.01, {.momentum = 0.5, .epsilon = 1e-3, .centered = true})},
      {"Ftrl", Ftrl(0.1, {.l1_regularization_strength = 0.01, .l2_regularization_strength = 0.02, .beta = 0.1})},
      {"FtrlShrinkage", Ftrl(0.1, {.l2_shrinkage_regularization_strength = 0.05})},
      {"ProximalGradientDescent", ProximalGradientDescent(0.1, proximal)},
      {"ProximalAdagrad", ProximalAdagrad(0.1, proximal)},
      {"AdagradDA", AdagradDa(0.1, proximal), NextStep},
  };
}

Values Train(Program& p, const Case& what, bool rows) {
  ApplyOptions options;
  options.global_step = &p.step;
  if (what.hyperparameters) options.hyperparameters = what.hyperparameters(p);
  const Result<Node*> train = Minimize(p.builder, what.optimizer, p.Loss(rows), &p.variables, options);
  EXPECT_TRUE(train.ok()) << train.status().ToString();
  const Node* init = InitializeAll(p.builder, p.variables);
  EXPECT_TRUE(p.status.ok()) << p.status.ToString();
  if (!train.ok() || !p.status.ok()) return {};
  const std::shared_ptr<TestCluster> cluster = TestCluster::Make({kLocal});
  const auto session = GraphSession::Create(ExportGraphDef(p.graph), cluster->Options(kLocal));
  EXPECT_TRUE(session.ok()) << session.status().ToString();
  if (!session.ok()) return {};
  for (int i = 0; i <= 20; ++i) {
    const Status ran = (*session)->Run({}, {}, {i == 0 ? init->name() : (*train)->name()}).status();
    EXPECT_TRUE(ran.ok()) << ran.ToString();
  }
  Values values;
  for (const VariableNodes& variable : p.variables) {
    const auto fetched = (*session)->Run({}, {variable.snapshot.ToString()}, {});
    EXPECT_TRUE(fetched.ok()) << fetched.status().ToString();
    if (!fetched.ok()) continue;
    const Tensor& value = (*fetched)[0];
    if (value.dtype() == DType::kInt64) {
      values[variable.name] = {static_cast<float>(value.scalar<int64_t>())};
    } else {
      values[variable.name].assign(value.data<float>().begin(), value.data<float>().end());
    }
  }
  return values;
}

TEST(OptimizerTest, TwentyStepsGiveTensorFlowsNumbersUnderTensorFlowsNames) {
  std::map<std::string, Values> golden = ReadGolden();
  ASSERT_EQ(golden.size(), 2 * Cases().size());
  for (const Case& what : Cases()) {
    for (const bool rows : {false, true}) {
      for (const bool use_resource : {false, true}) {
        SCOPED_TRACE(StrCat(what.name, rows ? " rows" : " dense", use_resource ? " resource" : " ref"));
        Program program(use_resource);
        const Values actual = Train(program, what, rows);
        const Values& expected = golden.at(what.name + (rows ? " rows" : " dense"));
        EXPECT_EQ(actual.size(), expected.size());
        for (const auto& [name, values] : expected) {
          ASSERT_TRUE(actual.contains(name)) << name;
          const std::vector<float>& ours = actual.at(name);
          ASSERT_EQ(ours.size(), values.size());
          for (size_t i = 0; i < values.size(); ++i)
            EXPECT_NEAR(ours[i], values[i], 1e-6 + 2e-5 * std::abs(values[i])) << name;
        }
      }
    }
  }
}

TEST(OptimizerTest, AppliedAgainItUsesTheSameSlots) {
  Program p(true);
  OptimizerState state;
  ApplyOptions options;
  options.state = &state;
  ASSERT_TRUE(Minimize(p.builder, Adam(), p.Loss(false), &p.variables, options).ok());
  const size_t before = p.variables.size();
  ASSERT_TRUE(Minimize(p.builder, Adam(), p.Loss(true), &p.variables, options).ok());
  EXPECT_EQ(p.variables.size(), before);
  EXPECT_EQ(state.slots.at("v")[1].name, "v/Adam_1");
  EXPECT_EQ(state.powers[0].name, "beta1_power");
}

TEST(OptimizerTest, TheSlotsOfASliceAreSlicesOfTheWholesSlots) {
  Program p(true);
  p.v.slice = VariableSlice{.full_name = "whole", .full_shape = {6, 2}, .offset = {2, 0}};
  OptimizerState state;
  ApplyOptions options;
  options.state = &state;
  ASSERT_TRUE(Minimize(p.builder, Adam(), p.Loss(false), &p.variables, options, {p.v}).ok());
  EXPECT_EQ(state.slots.at("v")[1].slice->full_name, "whole/Adam_1");
  EXPECT_EQ(state.slots.at("v")[1].slice->offset, p.v.slice->offset);
}

}  // namespace
}  // namespace headrace::train
