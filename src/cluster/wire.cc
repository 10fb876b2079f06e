#include "cluster/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>

#include "base/checked_math.h"
#include "format/little_endian.h"
#include "headrace/proto/tensor.pb.h"
#include "tensor/tensor_proto.h"

namespace headrace {
namespace {

using google::protobuf::MessageLite;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr int64_t kMaxMessageBytes = std::numeric_limits<int32_t>::max();
constexpr int64_t kShareFromBytes = 1024;

// Field numbers of TensorProto, TensorShapeProto and NamedTensorProto.
constexpr int kDType = 1, kTensorShape = 2, kContent = 4, kDim = 2, kDimSize = 1, kName = 1, kNamedTensor = 2;

constexpr uint32_t Tag(int field, WireFormatLite::WireType type) {
  return static_cast<uint32_t>(field) << 3 | static_cast<uint32_t>(type);
}
constexpr uint32_t LengthTag(int field) { return Tag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED); }
constexpr uint32_t VarintTag(int field) { return Tag(field, WireFormatLite::WIRETYPE_VARINT); }

int64_t VarintSize(uint64_t value) { return static_cast<int64_t>(CodedOutputStream::VarintSize64(value)); }

void AppendLengthField(std::string& out, int field, int64_t length) {
  AppendVarint(out, LengthTag(field));
  AppendVarint(out, static_cast<uint64_t>(length));
}

/// Lets protobuf read a payload slice by slice.
class PayloadStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit PayloadStream(const Payload& payload) : payload_(payload) {}

  bool Next(const void** data, int* size) override {
    if (next_ == payload_.slices().size()) return false;
    const std::string_view bytes = payload_.slices()[next_++].bytes.substr(offset_);
    offset_ = 0;
    *data = bytes.data();
    *size = static_cast<int>(bytes.size());
    read_ += *size;
    return true;
  }
  void BackUp(int count) override {
    offset_ = payload_.slices()[--next_].bytes.size() - static_cast<size_t>(count);
    read_ -= count;
  }
  bool Skip(int count) override {
    const void* data;
    int size;
    while (count > 0) {
      if (!Next(&data, &size)) return false;
      if (size > count) BackUp(size - count);
      count -= std::min(size, count);
    }
    return true;
  }
  int64_t ByteCount() const override { return read_; }

 private:
  const Payload& payload_;
  size_t next_ = 0;    // slice
  size_t offset_ = 0;  // in that slice
  int64_t read_ = 0;
};

Status Malformed(std::string_view what) { return InvalidArgument("malformed message: ", what); }

/// dtype and shape of a TensorProto, as they stand before its content.
std::string TensorHeader(DType dtype, const Shape& shape) {
  std::string dims;
  for (const int64_t extent : shape.dims()) {
    const int64_t size = 1 + VarintSize(static_cast<uint64_t>(extent));
    AppendLengthField(dims, kDim, size);
    AppendVarint(dims, VarintTag(kDimSize));
    AppendVarint(dims, static_cast<uint64_t>(extent));
  }
  std::string header;
  AppendVarint(header, VarintTag(kDType));
  AppendVarint(header, static_cast<uint64_t>(dtype));
  AppendLengthField(header, kTensorShape, static_cast<int64_t>(dims.size()));
  return header + dims;
}

/// A TensorProto taken apart: what stands before the content, and whether the content is the tensor's own bytes.
struct TensorParts {
  std::string header;
  int64_t content_bytes = 0;

  int64_t size_bytes() const { return static_cast<int64_t>(header.size()) + content_bytes; }
};

Result<TensorParts> TakeApart(const Tensor& tensor) {
  TensorParts parts;
  if (!tensor.valid()) {
    parts.header = TensorHeader(DType::kFloat, Shape({0}));
  } else if (IsPlainData(tensor.dtype())) {
    parts.header = TensorHeader(tensor.dtype(), tensor.shape());
    parts.content_bytes = tensor.size_bytes();
    if (parts.content_bytes > 0) AppendLengthField(parts.header, kContent, parts.content_bytes);
  } else {
    proto::TensorProto message;
    HR_RETURN_IF_ERROR(TensorToProto(tensor, &message));
    if (message.ByteSizeLong() > static_cast<size_t>(kMaxMessageBytes)) {
      return ResourceExhausted("tensor ", tensor, " takes ", message.ByteSizeLong(), " bytes, a message holds ",
                               kMaxMessageBytes);
    }
    parts.header = message.SerializeAsString();
  }
  if (parts.size_bytes() > kMaxMessageBytes) {
    return ResourceExhausted("tensor ", tensor, " takes ", parts.size_bytes(), " bytes, a message holds ",
                             kMaxMessageBytes);
  }
  return parts;
}

bool ReadLength(CodedInputStream* input, int* length) {
  uint32_t value;
  if (!input->ReadVarint32(&value) || value > static_cast<uint32_t>(kMaxMessageBytes)) return false;
  *length = static_cast<int>(value);
  return true;
}

bool ReadDim(CodedInputStream* input, std::vector<int64_t>* dims) {
  int length;
  if (!ReadLength(input, &length)) return false;
  const auto limit = input->PushLimit(length);
  uint64_t size = 0;
  while (const uint32_t tag = input->ReadTag()) {
    if (tag == VarintTag(kDimSize) ? !input->ReadVarint64(&size) : !WireFormatLite::SkipField(input, tag)) return false;
  }
  const bool whole = input->ConsumedEntireMessage();
  input->PopLimit(limit);
  dims->push_back(static_cast<int64_t>(size));
  return whole;
}

/// Reads the extents of a TensorShapeProto. False for bad bytes, and for anything but extents.
bool ReadShape(CodedInputStream* input, std::vector<int64_t>* dims) {
  int length;
  if (!ReadLength(input, &length)) return false;
  const auto limit = input->PushLimit(length);
  while (const uint32_t tag = input->ReadTag()) {
    if (tag != LengthTag(kDim) || dims->size() > Shape::kMaxRank || !ReadDim(input, dims)) return false;
  }
  const bool whole = input->ConsumedEntireMessage();
  input->PopLimit(limit);
  return whole;
}

/// Any byte that is not zero means true, but only 1 is a bool in memory.
void NormalizeBools(Tensor* tensor) {
  auto* bytes = static_cast<unsigned char*>(tensor->mutable_raw());
  for (int64_t i = 0; i < tensor->size_bytes(); ++i) bytes[i] = bytes[i] != 0;
}

/// The parts of a TensorProto, collected while it is read. Content that comes after dtype and shape and has their size goes
/// straight into the tensor; everything else goes through protobuf in the end.
class TensorReader {
 public:
  explicit TensorReader(CodedInputStream* input) : input_(input), rest_stream_(&rest_), rest_output_(&rest_stream_) {}

  Status Read(Tensor* tensor) {
    while (const uint32_t tag = input_->ReadTag()) {
      HR_RETURN_IF_ERROR(ReadField(tag));
    }
    if (!input_->ConsumedEntireMessage()) return Malformed("a tensor is cut off");
    if (tensor_.valid()) {
      *tensor = std::move(tensor_);
      return OkStatus();
    }
    rest_output_.Trim();
    proto::TensorProto message;
    if (!message.ParseFromString(rest_)) return Malformed("a tensor cannot be parsed");
    message.set_dtype(static_cast<proto::DataType>(dtype_));
    for (const int64_t extent : dims_) message.mutable_tensor_shape()->add_dim()->set_size(extent);
    HR_ASSIGN_OR_RETURN(*tensor, TensorFromProto(message));
    return OkStatus();
  }

 private:
  Status ReadField(uint32_t tag) {
    if (tag == VarintTag(kDType)) {
      return input_->ReadVarint32(&dtype_) ? OkStatus() : Malformed("a tensor's dtype is cut off");
    }
    if (tag == LengthTag(kTensorShape) && dims_.empty()) {
      return ReadShape(input_, &dims_) ? OkStatus() : Malformed("a tensor's shape is not known extents");
    }
    if (tag == LengthTag(kContent) && IsPlainData(DType(dtype_)) && !tensor_.valid()) return ReadContent();
    if (!WireFormatLite::SkipField(input_, tag, &rest_output_)) return Malformed("a tensor's field is cut off");
    return OkStatus();
  }

  Status ReadContent() {
    int length;
    if (!ReadLength(input_, &length)) return Malformed("a tensor's content is cut off");
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims_));
    const DType dtype = DType(dtype_);
    const auto wanted = CheckedMultiply(shape.num_elements(), DTypeSize(dtype));
    if (!wanted || *wanted != length) {
      return InvalidArgument("tensor ", dtype, shape, " has a content of ", length, " bytes, wanted are ",
                             wanted.value_or(-1));
    }
    // Memory is taken for bytes that are here, not for those that a header promises.
    if (length > input_->BytesUntilLimit()) return Malformed("a tensor's content is cut off");
    HR_ASSIGN_OR_RETURN(tensor_, Tensor::Allocate(dtype, shape));
    if (!input_->ReadRaw(tensor_.mutable_raw(), length)) return Malformed("a tensor's content is cut off");
    if (dtype == DType::kBool) NormalizeBools(&tensor_);
    return OkStatus();
  }

  CodedInputStream* const input_;
  uint32_t dtype_ = 0;
  std::vector<int64_t> dims_;
  Tensor tensor_;
  std::string rest_;
  StringOutputStream rest_stream_;
  CodedOutputStream rest_output_;
};

/// Runs `read` on the submessage that begins with its length.
Status ReadSubmessage(CodedInputStream* input, const std::function<Status(CodedInputStream*)>& read) {
  int length;
  if (!ReadLength(input, &length)) return Malformed("a length is cut off");
  if (input->BytesUntilLimit() >= 0 && length > input->BytesUntilLimit()) return Malformed("a submessage is cut off");
  const auto limit = input->PushLimit(length);
  HR_RETURN_IF_ERROR(read(input));
  if (!input->ConsumedEntireMessage()) return Malformed("a submessage is not read to its end");
  input->PopLimit(limit);
  return OkStatus();
}

}  // namespace

Payload EncodeMessage(const MessageLite& message) { return Payload(message.SerializeAsString()); }

Status DecodeMessage(const Payload& payload, MessageLite* message) {
  PayloadStream stream(payload);
  CodedInputStream input(&stream);
  if (message->ParseFromCodedStream(&input) && input.ConsumedEntireMessage()) return OkStatus();
  return Malformed(StrCat("not a ", message->GetTypeName()));
}

void WireWriter::AddFields(const MessageLite& message) { message.AppendToString(&pending_); }

void WireWriter::AddInt64(int field, int64_t value) {
  AppendVarint(pending_, VarintTag(field));
  AppendVarint(pending_, static_cast<uint64_t>(value));
}

void WireWriter::AddTensor(int field, const Tensor& tensor) {
  const Result<TensorParts> parts = TakeApart(tensor);
  if (!parts.ok()) return KeepRootCause(&status_, parts.status());
  AppendLengthField(pending_, field, parts->size_bytes());
  pending_ += parts->header;
  if (parts->content_bytes > 0) AddContent(tensor);
}

void WireWriter::AddNamedTensor(int field, std::string_view name, const Tensor& tensor) {
  const Result<TensorParts> parts = TakeApart(tensor);
  if (!parts.ok()) return KeepRootCause(&status_, parts.status());
  std::string head;
  AppendLengthField(head, kName, static_cast<int64_t>(name.size()));
  head += name;
  AppendLengthField(head, kNamedTensor, parts->size_bytes());
  AppendLengthField(pending_, field, static_cast<int64_t>(head.size()) + parts->size_bytes());
  pending_ += head;
  pending_ += parts->header;
  if (parts->content_bytes > 0) AddContent(tensor);
}

void WireWriter::AddContent(const Tensor& tensor) {
  if (tensor.size_bytes() < kShareFromBytes) {
    pending_ += tensor.bytes();
    return;
  }
  payload_.Append(std::move(pending_));
  pending_.clear();
  payload_.AppendShared(tensor.bytes(), tensor.buffer());
}

Result<Payload> WireWriter::Finish() {
  HR_RETURN_IF_ERROR(status_);
  if (!pending_.empty()) payload_.Append(std::move(pending_));
  if (payload_.size_bytes() > kMaxMessageBytes) {
    return ResourceExhausted("the tensors of one message take ", payload_.size_bytes(), " bytes, a message holds ",
                             kMaxMessageBytes);
  }
  return std::move(payload_);
}

Status ReadTensor(CodedInputStream* input, Tensor* tensor) { return TensorReader(input).Read(tensor); }

Status ReadNamedTensor(CodedInputStream* input, std::string* name, Tensor* tensor) {
  while (const uint32_t tag = input->ReadTag()) {
    if (tag == LengthTag(kName)) {
      if (!WireFormatLite::ReadString(input, name)) return Malformed("a tensor's name is cut off");
    } else if (tag == LengthTag(kNamedTensor)) {
      HR_RETURN_IF_ERROR(
          ReadSubmessage(input, [tensor](CodedInputStream* inner) { return ReadTensor(inner, tensor); }));
    } else if (!WireFormatLite::SkipField(input, tag)) {
      return Malformed("a named tensor's field is cut off");
    }
  }
  if (!tensor->valid()) return Malformed(StrCat("tensor '", *name, "' has no value"));
  return OkStatus();
}

Status DecodeAround(const Payload& payload, MessageLite* message, int field,
                    const std::function<Status(CodedInputStream*)>& read) {
  PayloadStream stream(payload);
  CodedInputStream input(&stream);
  const auto whole = input.PushLimit(static_cast<int>(std::min(payload.size_bytes(), kMaxMessageBytes)));
  std::string rest;
  {
    StringOutputStream rest_stream(&rest);
    CodedOutputStream rest_output(&rest_stream);
    while (const uint32_t tag = input.ReadTag()) {
      if (tag == LengthTag(field)) {
        HR_RETURN_IF_ERROR(ReadSubmessage(&input, read));
      } else if (!WireFormatLite::SkipField(&input, tag, &rest_output)) {
        return Malformed(StrCat("not a ", message->GetTypeName()));
      }
    }
  }
  if (!input.ConsumedEntireMessage()) return Malformed(StrCat("not a ", message->GetTypeName()));
  input.PopLimit(whole);
  if (!message->ParseFromString(rest)) return Malformed(StrCat("not a ", message->GetTypeName()));
  return OkStatus();
}

}  // namespace headrace
