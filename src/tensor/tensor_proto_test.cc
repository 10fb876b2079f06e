#include "tensor/tensor_proto.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "headrace/proto/tensor.pb.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += Hex16(static_cast<uint8_t>(c)).substr(14);
  return hex;
}

std::string ValuesHex(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return ToHex(tensor.bytes());
  std::vector<std::string> texts;
  for (const std::string& text : tensor.data<std::string>()) texts.push_back(ToHex(text));
  return StrJoin(texts, ",");
}

proto::TensorProto Proto(DType dtype, std::initializer_list<int64_t> dims) {
  proto::TensorProto proto;
  proto.set_dtype(static_cast<proto::DataType>(dtype));
  ShapeToProto(PartialShape(dims), proto.mutable_tensor_shape());
  return proto;
}

Status DecodeError(const proto::TensorProto& proto, const std::shared_ptr<MemoryAccount>& account = nullptr) {
  return TensorFromProto(proto, account).status();
}

TEST(TensorProtoTest, ReadsWhatTensorFlowWrote) {
  std::ifstream golden("tests/golden/tensor_protos.txt");
  int lines = 0;
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("#")) continue;
    ++lines;
    std::istringstream words(line);
    std::string name, dtype, shape, values, bytes;
    words >> name >> dtype >> shape >> values >> bytes;
    proto::TensorProto proto;
    ASSERT_TRUE(proto.ParseFromString(FromHex(bytes))) << name;
    const Result<Tensor> tensor = TensorFromProto(proto);
    ASSERT_TRUE(tensor.ok()) << name << ": " << tensor.status().ToString();
    EXPECT_EQ(DTypeEnumName(tensor->dtype()), dtype) << name;
    EXPECT_EQ(tensor->shape().ToString(), shape) << name;
    EXPECT_EQ(StrCat("'", ValuesHex(*tensor), "'"), values) << name;
    if (name.starts_with("cpp_")) {
      proto::TensorProto again;
      ASSERT_TRUE(TensorToProto(*tensor, &again).ok());
      EXPECT_EQ(ToHex(again.SerializeAsString()), bytes) << name << ": not written as TensorFlow writes it";
    }
  }
  EXPECT_GT(lines, 170);
}

TEST(TensorProtoTest, EveryKindComesBack) {
  ResourceHandle handle{.device = "/job:ps/replica:0/task:0/device:CPU:0", .container = "localhost", .name = "v"};
  handle.hash_code = 17;
  handle.maybe_type_name = "Var";
  handle.dtypes_and_shapes.push_back({DType::kFloat, PartialShape({-1, 3})});
  const auto object = std::make_shared<const OpaqueVariant>("list", "bytes", std::vector<Tensor>{Tensor::Scalar(3.0f)});
  for (const Tensor& tensor :
       {Tensor::Vector<float>({1, 2}), Tensor::Scalar("text"), Tensor::Scalar(handle), Tensor::Scalar(Variant(object)),
        Tensor::Scalar(Variant()), Tensor::Scalar(true), Tensor::FromValues<int32_t>({}, Shape({0, 2}))}) {
    proto::TensorProto proto, again;
    ASSERT_TRUE(TensorToProto(tensor, &proto).ok());
    const Result<Tensor> back = TensorFromProto(proto);
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_EQ(back->TypeAndShape(), tensor.TypeAndShape());
    ASSERT_TRUE(TensorToProto(*back, &again).ok());
    EXPECT_EQ(again.SerializeAsString(), proto.SerializeAsString());
  }
}

TEST(TensorProtoTest, ContentOfStringsHoldsLengthsThenBytes) {
  proto::TensorProto proto = Proto(DType::kString, {2});
  proto.set_tensor_content(std::string("\x02\x01xyz", 5));
  EXPECT_EQ(TensorFromProto(proto)->data<std::string>()[0], "xy");
  for (const char* bad :
       {"\x02\x01xy", "\x02\x01xyzz", "\x02", "\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\x0fxyz"}) {
    proto.set_tensor_content(bad);
    EXPECT_EQ(DecodeError(proto).code(), Code::kInvalidArgument);
  }
}

TEST(TensorProtoTest, RefusesWhatDoesNotFit) {
  proto::TensorProto proto = Proto(DType::kFloat, {2});
  proto.set_tensor_content("1234567");
  EXPECT_THAT(DecodeError(proto).message(), HasSubstr("TensorProto of f32[2] has 7 bytes of content, wanted are 8"));
  proto = Proto(DType::kFloat, {1});
  proto.add_float_val(1);
  proto.add_float_val(2);
  EXPECT_THAT(DecodeError(proto).message(), HasSubstr("has 2 values, wanted are 1"));
  proto = Proto(DType::kComplex64, {1});
  proto.add_scomplex_val(1);
  EXPECT_THAT(DecodeError(proto).message(), HasSubstr("halves of complex values"));
  for (const int dtype : {0, 34, 77, 101, -5}) {
    EXPECT_EQ(DecodeError(Proto(DType(dtype), {1})).code(), Code::kInvalidArgument) << dtype;
  }
}

TEST(TensorProtoTest, RefusesShapesThatCannotBe) {
  EXPECT_THAT(DecodeError(Proto(DType::kFloat, {-1})).message(), HasSubstr("not known"));
  EXPECT_THAT(DecodeError(Proto(DType::kFloat, {-7})).message(), HasSubstr("negative extent: -7"));
  EXPECT_FALSE(DecodeError(Proto(DType::kFloat, {int64_t{1} << 62, int64_t{1} << 62})).ok());
  EXPECT_FALSE(DecodeError(Proto(DType::kDouble, {int64_t{1} << 62})).ok());
  proto::TensorProto unknown = Proto(DType::kFloat, {});
  unknown.mutable_tensor_shape()->set_unknown_rank(true);
  EXPECT_THAT(DecodeError(unknown).message(), HasSubstr("not known"));
  proto::TensorProto deep = Proto(DType::kFloat, {});
  for (int i = 0; i < 300; ++i) deep.mutable_tensor_shape()->add_dim()->set_size(1);
  EXPECT_THAT(DecodeError(deep).message(), HasSubstr("300 dimensions"));
}

TEST(TensorProtoTest, AFewBytesCannotAskForMuchMemory) {
  proto::TensorProto proto = Proto(DType::kFloat, {1000000, 1000000});
  proto.add_float_val(1);
  EXPECT_EQ(DecodeError(proto).code(), Code::kResourceExhausted);
  EXPECT_EQ(DecodeError(Proto(DType::kString, {int64_t{1} << 40})).code(), Code::kResourceExhausted);
  const auto account = std::make_shared<MemoryAccount>(1000);
  EXPECT_EQ(DecodeError(Proto(DType::kFloat, {1000}), account).code(), Code::kResourceExhausted);
  EXPECT_EQ(account->used_bytes(), 0);
}

TEST(TensorProtoTest, ContentOfBoolsIsZeroOrOne) {
  proto::TensorProto proto = Proto(DType::kBool, {3});
  proto.set_tensor_content(std::string("\0\1\x80", 3));
  const Result<Tensor> tensor = TensorFromProto(proto);
  EXPECT_EQ(ToHex(tensor->bytes()), "000101");
}

TEST(TensorProtoTest, NestedVariantsHaveALimit) {
  proto::TensorProto proto = Proto(DType::kVariant, {});
  proto::TensorProto* inner = &proto;
  for (int i = 0; i < 30; ++i) {
    auto* variant = inner->add_variant_val();
    variant->set_type_name("nested");
    inner = variant->add_tensors();
    *inner = Proto(DType::kVariant, {});
  }
  EXPECT_THAT(DecodeError(proto).message(), HasSubstr("nests variants more than 16 deep"));
}

class Marker final : public VariantObject {
 public:
  explicit Marker(std::string text) : text(std::move(text)) {}
  std::string TypeName() const override { return "test::Marker"; }
  Status Encode(std::string* out) const override {
    *out += text;
    return OkStatus();
  }
  const std::string text;
};

TEST(TensorProtoTest, RegisteredVariantsBecomeObjects) {
  RegisterVariantDecoder("test::Marker",
                         [](const OpaqueVariant& encoded) -> Result<std::shared_ptr<const VariantObject>> {
                           if (encoded.metadata().empty()) return DataLoss("a marker without text");
                           return std::shared_ptr<const VariantObject>(std::make_shared<Marker>(encoded.metadata()));
                         });
  proto::TensorProto proto;
  ASSERT_TRUE(TensorToProto(Tensor::Scalar(Variant(std::make_shared<Marker>("m"))), &proto).ok());
  EXPECT_EQ(TensorFromProto(proto)->scalar<Variant>().As<Marker>()->text, "m");
  proto.mutable_variant_val(0)->clear_metadata();
  EXPECT_EQ(DecodeError(proto).code(), Code::kDataLoss);
}

TEST(ShapeProtoTest, PartialShapesComeBack) {
  for (const PartialShape& shape : {PartialShape(), PartialShape::Scalar(), PartialShape({-1, 2, 0})}) {
    proto::TensorShapeProto proto;
    ShapeToProto(shape, &proto);
    EXPECT_EQ(*ShapeFromProto(proto), shape);
  }
}

}  // namespace
}  // namespace headrace
