#include "cluster/wire.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>

#include "headrace/proto/worker.pb.h"
#include "tensor/tensor_proto.h"

namespace headrace {
namespace {

using google::protobuf::io::CodedInputStream;
using testing::HasSubstr;

constexpr int kTensorField = 1, kRecvField = 1;

Payload MustFinish(WireWriter writer) {
  Result<Payload> payload = writer.Finish();
  EXPECT_TRUE(payload.ok()) << payload.status().ToString();
  return payload.ok() ? *std::move(payload) : Payload();
}

Payload TensorMessage(const Tensor& tensor) {
  WireWriter writer;
  writer.AddInt64(3, 42);
  writer.AddTensor(kTensorField, tensor);
  return MustFinish(std::move(writer));
}

Result<Tensor> Decode(const Payload& payload) {
  Tensor tensor;
  proto::RecvTensorResponse rest;
  HR_RETURN_IF_ERROR(
      DecodeAround(payload, &rest, kTensorField, [&](CodedInputStream* input) { return ReadTensor(input, &tensor); }));
  return tensor;
}

/// The same bytes, delivered one at a time.
Payload InSingleBytes(const Payload& payload) {
  Payload pieces;
  for (const char byte : payload.Flatten()) pieces.Append(std::string(1, byte));
  return pieces;
}

std::vector<Tensor> SomeTensors() {
  std::vector<float> many(1000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i) / 3;
  return {Tensor::Scalar(3.5f),
          Tensor::Scalar(int64_t{-1}),
          Tensor::Vector<int32_t>({1, 2, 3}),
          Tensor::Vector<float>(many),
          Tensor::FromValues<double>({1, 2, 3, 4, 5, 6}, Shape({2, 3})),
          Tensor::FromValues<float>({}, Shape({0, 7})),
          Tensor::Vector(std::vector<bool>{true, false, true}),
          Tensor::Vector<std::string>({"a", "", std::string(5000, 'x')}),
          Tensor::Scalar("text")};
}

void ExpectEqual(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.TypeAndShape(), b.TypeAndShape());
  EXPECT_EQ(a.Summary(2000), b.Summary(2000));
}

TEST(WireTest, TensorsArriveAsTheyWereSentHoweverTheBytesAreCut) {
  for (const Tensor& tensor : SomeTensors()) {
    const Payload payload = TensorMessage(tensor);
    for (const Payload& delivered : {payload, InSingleBytes(payload)}) {
      const Result<Tensor> decoded = Decode(delivered);
      ASSERT_TRUE(decoded.ok()) << tensor.ToString() << ": " << decoded.status().ToString();
      ExpectEqual(*decoded, tensor);
    }
  }
}

TEST(WireTest, ProtobufReadsWhatIsWritten) {
  for (const Tensor& tensor : SomeTensors()) {
    proto::RecvTensorResponse message;
    ASSERT_TRUE(message.ParseFromString(TensorMessage(tensor).Flatten()));
    EXPECT_EQ(message.send_start_micros(), 42);
    const Result<Tensor> decoded = TensorFromProto(message.tensor());
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectEqual(*decoded, tensor);
  }
}

TEST(WireTest, WhatProtobufWritesIsRead) {
  for (const Tensor& tensor : SomeTensors()) {
    proto::RecvTensorResponse message;
    ASSERT_TRUE(TensorToProto(tensor, message.mutable_tensor()).ok());
    const Result<Tensor> decoded = Decode(EncodeMessage(message));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectEqual(*decoded, tensor);
  }
}

TEST(WireTest, TypedListsAreRead) {
  proto::RecvTensorResponse message;
  message.mutable_tensor()->set_dtype(proto::DT_FLOAT);
  message.mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(4);
  message.mutable_tensor()->add_float_val(1);
  message.mutable_tensor()->add_float_val(2);
  const Result<Tensor> decoded = Decode(EncodeMessage(message));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ExpectEqual(*decoded, Tensor::Vector<float>({1, 2, 2, 2}));
}

TEST(WireTest, BigTensorsShareTheirBuffer) {
  const Tensor tensor = Tensor::Vector<float>(std::vector<float>(100'000, 1));
  const Payload payload = TensorMessage(tensor);
  ASSERT_EQ(payload.slices().size(), 2u);
  EXPECT_EQ(payload.slices()[1].bytes.data(), tensor.bytes().data());
}

TEST(WireTest, SliceOfATensorSendsItsOwnRowsOnly) {
  Tensor tensor = Tensor::FromValues<float>(std::vector<float>(4000, 1), Shape({4, 1000}));
  tensor.mutable_data<float>()[2000] = 7;
  const Result<Tensor> decoded = Decode(TensorMessage(tensor.Slice(2, 3)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->TypeAndShape(), "f32[1,1000]");
  EXPECT_EQ(decoded->data<float>()[0], 7);
}

TEST(WireTest, InvalidTensorTravelsAsAnEmptyOne) {
  const Result<Tensor> decoded = Decode(TensorMessage(Tensor()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->TypeAndShape(), "f32[0]");
}

TEST(WireTest, NamedTensorsKeepTheirNamesAndOrder) {
  WireWriter writer;
  writer.AddNamedTensor(kRecvField, "a;b;0:0", Tensor::Scalar(1.0f));
  writer.AddNamedTensor(kRecvField, "", Tensor::Vector<float>(std::vector<float>(2000, 2)));
  proto::RunGraphResponse rest;
  rest.set_status_error_message("kept");
  writer.AddFields(rest);
  std::vector<std::string> seen;
  const Status status = DecodeAround(MustFinish(std::move(writer)), &rest, kRecvField, [&](CodedInputStream* input) {
    std::string name;
    Tensor tensor;
    HR_RETURN_IF_ERROR(ReadNamedTensor(input, &name, &tensor));
    seen.push_back(name + "=" + tensor.TypeAndShape());
    return OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_THAT(seen, testing::ElementsAre("a;b;0:0=f32[]", "=f32[2000]"));
  EXPECT_EQ(rest.status_error_message(), "kept");
}

TEST(WireTest, EveryCutIsAnErrorOrAShorterMessageAndNeverACrash) {
  for (const Tensor& tensor : SomeTensors()) {
    const std::string bytes = TensorMessage(tensor).Flatten();
    for (size_t size = 0; size < bytes.size(); size = size < 200 ? size + 1 : size + 37) {
      const Result<Tensor> decoded = Decode(Payload(bytes.substr(0, size)));
      EXPECT_FALSE(decoded.ok() && decoded->valid()) << size;  // without a tensor: cut before it began
    }
  }
}

TEST(WireTest, ImpossibleSizesAreRefusedBeforeMemoryIsTaken) {
  proto::RecvTensorResponse message;
  message.mutable_tensor()->set_dtype(proto::DT_FLOAT);
  message.mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(int64_t{1} << 62);
  message.mutable_tensor()->set_tensor_content("1234");
  EXPECT_EQ(Decode(EncodeMessage(message)).status().code(), Code::kInvalidArgument);
  message.mutable_tensor()->mutable_tensor_shape()->mutable_dim(0)->set_size(-3);
  EXPECT_EQ(Decode(EncodeMessage(message)).status().code(), Code::kInvalidArgument);
  message.mutable_tensor()->mutable_tensor_shape()->mutable_dim(0)->set_size(2);
  EXPECT_THAT(Decode(EncodeMessage(message)).status().message(),
              HasSubstr("f32[2] has a content of 4 bytes, wanted are 8"));
  message.mutable_tensor()->set_dtype(static_cast<proto::DataType>(77));
  EXPECT_EQ(Decode(EncodeMessage(message)).status().code(), Code::kInvalidArgument);
}

TEST(WireTest, BoolsFromOutsideBecomeZeroOrOne) {
  proto::RecvTensorResponse message;
  message.mutable_tensor()->set_dtype(proto::DT_BOOL);
  message.mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(2);
  message.mutable_tensor()->set_tensor_content(std::string("\xff\x00", 2));
  const Result<Tensor> decoded = Decode(EncodeMessage(message));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(static_cast<const unsigned char*>(decoded->raw())[0], 1);
}

TEST(WireTest, MessageOverTwoGigabytesIsRefused) {
  // Never touched, so it takes no memory.
  const BufferPtr buffer = WrapExternal(nullptr, int64_t{3} << 30, [] {});
  WireWriter writer;
  writer.AddTensor(kTensorField, Tensor(DType::kUint8, Shape({int64_t{3} << 30}), buffer));
  const Status status = writer.Finish().status();
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("u8[3221225472]"));
}

}  // namespace
}  // namespace headrace
