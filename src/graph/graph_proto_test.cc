#include "graph/graph_proto.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "headrace/proto/graph.pb.h"

namespace headrace {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

AttrValue RoundTrip(const AttrValue& value) {
  proto::AttrValue proto;
  EXPECT_TRUE(AttrToProto(value, &proto).ok());
  const Result<AttrValue> back = AttrFromProto(proto);
  EXPECT_TRUE(back.ok()) << back.status().ToString();
  return back.ok() ? *back : AttrValue();
}

TEST(GraphProtoTest, AttributesOfEveryKindComeBack) {
  const FunctionRef function{"f", std::make_shared<AttrMap>(AttrMap{{"T", DType::kFloat}, {"n", 3}})};
  const Tensor tensor = Tensor::Vector<int32_t>({1, 2});
  const std::vector<AttrValue> values = {AttrValue(),
                                         true,
                                         3,
                                         0.5f,
                                         "text",
                                         DType::kString,
                                         PartialShape({1, -1}),
                                         PartialShape(),
                                         tensor,
                                         function,
                                         AttrPlaceholder{"T"},
                                         std::vector<bool>{true, false},
                                         std::vector<int64_t>{1, -1},
                                         std::vector<float>{1.5f},
                                         std::vector<std::string>{"a", ""},
                                         std::vector<DType>{DType::kInt32},
                                         std::vector<PartialShape>{PartialShape({2})},
                                         std::vector<Tensor>{tensor},
                                         std::vector<FunctionRef>{function}};
  for (const AttrValue& value : values) EXPECT_EQ(RoundTrip(value), value) << value.ToString();
  EXPECT_EQ(RoundTrip(AttrValue(std::vector<DType>{})), AttrValue(std::vector<int64_t>{}))
      << "its kind is not on the wire";
}

TEST(GraphProtoTest, ListsOfSeveralKindsAreRefused) {
  proto::AttrValue proto;
  proto.mutable_list()->add_i(1);
  proto.mutable_list()->add_f(1);
  EXPECT_THAT(AttrFromProto(proto).status().message(), HasSubstr("a list has items of 2 kinds"));
}

TEST(GraphProtoTest, FunctionsInAttributesHaveALimitOfDepth) {
  proto::AttrValue proto;
  proto::AttrValue* inner = &proto;
  for (int i = 0; i < 200; ++i) {
    inner->mutable_func()->set_name("f");
    inner = &(*inner->mutable_func()->mutable_attr())["f"];
  }
  EXPECT_THAT(AttrFromProto(proto).status().message(), HasSubstr("nest more than 100 deep"));
}

TEST(GraphProtoTest, FaultsNameNodeAndAttribute) {
  proto::GraphDef proto;
  auto* node = proto.add_node();
  node->set_name("c");
  auto* tensor = (*node->mutable_attr())["value"].mutable_tensor();
  tensor->set_dtype(proto::DT_FLOAT);
  tensor->mutable_tensor_shape()->add_dim()->set_size(-5);
  const Status status = GraphFromProto(proto).status();
  EXPECT_EQ(status.message(), "Attribute 'value': A shape has a negative extent: -5 in [-5] [[{{node c}}]]");
  tensor->mutable_tensor_shape()->mutable_dim(0)->set_size(1000000000000);
  tensor->add_float_val(1);
  EXPECT_EQ(GraphFromProto(proto).status().code(), Code::kResourceExhausted);
}

TEST(GraphProtoTest, VersionsOfOldGraphsAreRead) {
  proto::GraphDef proto;
  proto.set_version(21);
  EXPECT_EQ(GraphFromProto(proto)->versions.producer, 21);
  proto.mutable_versions()->set_producer(2000);
  proto.mutable_versions()->set_min_consumer(12);
  EXPECT_EQ(GraphFromProto(proto)->versions.producer, 2000);
  EXPECT_EQ(GraphFromProto(proto)->versions.min_consumer, 12);
}

TEST(GraphProtoTest, SignaturesComeBack) {
  std::ifstream golden("tests/golden/op_definitions.txt");
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("#") || line.find("= tensor") != std::string::npos) continue;
    const OpSignature signature = *OpSignature::Parse(line);
    proto::OpDef proto;
    ASSERT_TRUE(SignatureToProto(signature, &proto).ok()) << line;
    const Result<OpSignature> back = SignatureFromProto(proto);
    ASSERT_TRUE(back.ok()) << line;
    EXPECT_EQ(back->ToString(), line);
  }
}

// Leaves out what GraphDef does not keep: unknown fields, texts for people.
void Simplify(proto::GraphDef* graph) {
  graph->DiscardUnknownFields();
  for (auto& function : *graph->mutable_library()->mutable_function()) {
    function.clear_resource_arg_unique_id();
    for (auto* args :
         {function.mutable_signature()->mutable_input_arg(), function.mutable_signature()->mutable_output_arg()}) {
      for (auto& arg : *args) {
        arg.clear_handle_data();
        arg.clear_description();
      }
    }
    function.mutable_signature()->clear_description();
    function.mutable_signature()->clear_summary();
  }
}

// TensorFlow writes small constants as lists; ours are raw content. Both are made the latter before they are compared.
void NormalizeConstants(proto::NodeDef* node) {
  for (auto& [name, attr] : *node->mutable_attr()) {
    if (!attr.has_tensor()) continue;
    EXPECT_TRUE(AttrToProto(*AttrFromProto(attr), &attr).ok());
  }
}

TEST(GraphProtoTest, AGraphOfTensorFlowSurvivesTheWayThroughOurs) {
  std::ifstream file("tests/golden/graph_def.pb", std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  proto::GraphDef theirs;
  ASSERT_TRUE(theirs.ParseFromString(bytes.str()));
  ASSERT_GT(theirs.node_size(), 100);
  ASSERT_GT(theirs.library().function_size(), 3);
  const Result<GraphDef> graph = GraphFromProto(theirs);
  ASSERT_TRUE(graph.ok()) << graph.status().ToString();
  proto::GraphDef ours;
  ASSERT_TRUE(GraphToProto(*graph, &ours).ok());
  Simplify(&theirs);
  for (auto& node : *theirs.mutable_node()) NormalizeConstants(&node);
  for (auto& function : *theirs.mutable_library()->mutable_function()) {
    for (auto& node : *function.mutable_node_def()) NormalizeConstants(&node);
  }
  std::string difference;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(theirs, ours)) << difference.substr(0, 2000);
}

}  // namespace
}  // namespace headrace
