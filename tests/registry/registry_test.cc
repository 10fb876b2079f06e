// Walks the registry: each op equals its golden line, has a shape function, a gradient or a reason for none, and kernels.
// Then a graph that TensorFlow made is imported with the real ops.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "graph/graph_proto.h"
#include "graph/import.h"
#include "headrace/proto/graph.pb.h"
#include "ops/register.h"

namespace headrace {
namespace {

// Ops without a kernel of their own: whoever runs or prepares a graph does their work.
const std::set<std::string, std::less<>> kProvidedByTheRuntime = {};

std::map<std::string, std::string> GoldenSignatures() {
  std::map<std::string, std::string> golden;
  std::ifstream file("tests/golden/op_definitions.txt");
  for (std::string line; std::getline(file, line);) golden.emplace(line.substr(0, line.find('(')), line);
  return golden;
}

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() { RegisterAllOps(); }
  static std::vector<const OpDefinition*> Ops() { return OpRegistry::Global().All(); }
};

TEST_F(RegistryTest, SignaturesAreTensorFlows) {
  const auto golden = GoldenSignatures();
  ASSERT_GT(Ops().size(), 100u);
  for (const OpDefinition* op : Ops()) {
    const auto line = golden.find(op->name());
    ASSERT_NE(line, golden.end()) << op->name() << " is not an op of TensorFlow";
    EXPECT_EQ(op->signature().ToString(), line->second);
  }
}

TEST_F(RegistryTest, EveryOpHasAShapeFunction) {
  for (const OpDefinition* op : Ops()) EXPECT_TRUE(op->shape_function()) << op->name();
}

TEST_F(RegistryTest, EveryOpHasAGradientOrAReasonForNone) {
  for (const OpDefinition* op : Ops()) {
    const bool has_gradient = static_cast<bool>(op->gradient_function());
    EXPECT_NE(has_gradient, !op->no_gradient_reason().empty()) << op->name() << " must have one of the two";
  }
}

TEST_F(RegistryTest, EveryOpHasKernels) {
  for (const OpDefinition* op : Ops()) {
    EXPECT_NE(op->kernels().empty(), !kProvidedByTheRuntime.contains(op->name())) << op->name();
    for (const KernelDefinition& kernel : op->kernels()) EXPECT_TRUE(kernel.factory) << op->name();
  }
}

// A kernel that names an attribute which does not exist can never be found.
TEST_F(RegistryTest, KernelsAreChosenByAttributesOfTypes) {
  for (const OpDefinition* op : Ops()) {
    for (const KernelDefinition& kernel : op->kernels()) {
      for (const auto& [name, types] : kernel.types) {
        const AttrSignature* attr = op->signature().FindAttr(name);
        ASSERT_NE(attr, nullptr) << op->name() << " has no attribute " << name;
        EXPECT_TRUE(attr->kind == "type" || attr->kind == "list(type)") << op->name() << " " << name;
      }
    }
  }
}

TEST_F(RegistryTest, HostMemoryArgumentsExist) {
  for (const OpDefinition* op : Ops()) {
    for (const KernelDefinition& kernel : op->kernels()) {
      for (const std::string& name : kernel.host_memory_args) {
        const auto named = [&name](const ArgSignature& arg) { return arg.name == name; };
        EXPECT_TRUE(std::ranges::any_of(op->signature().inputs, named) ||
                    std::ranges::any_of(op->signature().outputs, named))
            << op->name() << " has no argument " << name;
      }
    }
  }
}

TEST_F(RegistryTest, AGraphOfTensorFlowImports) {
  std::ifstream file("tests/golden/train_graph_def.pb", std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  proto::GraphDef proto;
  ASSERT_TRUE(proto.ParseFromString(bytes.str()));
  const Result<GraphDef> def = GraphFromProto(proto);
  ASSERT_TRUE(def.ok()) << def.status().ToString();
  Graph graph;
  const Status status = ImportGraphDef(*def, &graph);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(graph.num_nodes(), proto.node_size());
  // TensorFlow's own inference wrote _output_shapes.
  int compared = 0;
  for (const Node* node : graph.Nodes()) {
    const auto expected = GetAttrOr<std::vector<PartialShape>>(node->attrs(), "_output_shapes", {});
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(node->output_shapes()[i].ToString(), expected[i].ToString()) << node->ToString() << " output " << i;
      ++compared;
    }
  }
  EXPECT_GT(compared, 400);
}

}  // namespace
}  // namespace headrace
