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

// What TensorFlow has a kernel for and we do not, and why.
struct Lack {
  std::string_view ops;  // a name, or the end of one after "*"
  std::set<DType> types;
  std::string_view reason;
  bool Covers(std::string_view op, DType type) const {
    if (!types.contains(type)) return false;
    return ops.starts_with("*") ? op.find(ops.substr(1)) != std::string_view::npos : op == ops;
  }
};
const Lack kLacks[] = {
    {"AsString", {DType::kVariant}, "a variant has no text of its own"},
    {"ScatterNdNonAliasingAdd", {DType::kBool}, "sums of truth values are in no program"},
    {"Conj", {DType::kVariant}, "passes variants on as they are, for lists"},
    {"BatchMatMulV3", {DType::kInt8, DType::kUint8}, "operands of two types, for quantized models"},
    {"ClipByValue", {DType::kComplex64, DType::kComplex128}, "complex numbers have no order"},
    {"*Apply", {DType::kComplex64, DType::kComplex128}, "optimizers are for real weights"},
};

// "op attr" -> declared types for which TensorFlow has no kernel either.
std::map<std::string, std::set<std::string>> AbsentInTensorFlow() {
  std::map<std::string, std::set<std::string>> absent;
  std::ifstream file("tests/golden/absent_kernels.txt");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (line.starts_with("#") || colon == std::string::npos) continue;
    std::istringstream types(line.substr(colon + 1));
    for (std::string type; types >> type;) absent[line.substr(0, colon)].insert(type);
  }
  return absent;
}

bool HasKernel(const OpDefinition& op, const std::string& attr, DType type) {
  return std::ranges::any_of(op.kernels(), [&](const KernelDefinition& kernel) {
    const auto types = kernel.types.find(attr);
    return types == kernel.types.end() || std::ranges::count(types->second, type) > 0;
  });
}

TEST_F(RegistryTest, EveryDeclaredTypeHasAKernelWhereTensorFlowHasOne) {
  const auto absent = AbsentInTensorFlow();
  ASSERT_GT(absent.size(), 300u);
  std::set<const Lack*> used;
  for (const OpDefinition* op : Ops()) {
    for (const AttrSignature& attr : op->signature().attrs) {
      if (attr.kind != "type" || op->kernels().empty()) continue;
      const auto also_absent = absent.find(op->name() + " " + attr.name);
      for (const DType type : attr.allowed_types) {
        if (HasKernel(*op, attr.name, type)) continue;
        if (also_absent != absent.end() && also_absent->second.contains(StrCat(type))) continue;
        const auto lack = std::ranges::find_if(kLacks, [&](const Lack& l) { return l.Covers(op->name(), type); });
        EXPECT_NE(lack, std::end(kLacks)) << StrCat(op->name(), " has no kernel for ", attr.name, "=", type);
        if (lack != std::end(kLacks)) used.insert(lack);
      }
    }
  }
  for (const Lack& lack : kLacks) EXPECT_TRUE(used.contains(&lack)) << lack.ops << " is not lacking any more";
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
