// Values come as raw content or in a list of their type; Spread copies the latter and repeats the last value. Content of strings,
// handles and variants is: the lengths of all elements as varints, then their bytes. A 4-bit element is the low half of a byte.
#include "tensor/tensor_proto.h"

#include <algorithm>
#include <map>

#include "base/checked_math.h"
#include "headrace/proto/tensor.pb.h"

namespace headrace {

namespace {

constexpr int64_t kMaxExpandedBytes = int64_t{1} << 31;
constexpr int kMaxVariantDepth = 16;

std::map<std::string, VariantDecoder, std::less<>>& VariantDecoders() {
  static auto* decoders = new std::map<std::string, VariantDecoder, std::less<>>;
  return *decoders;
}

// One decoding: the message, what it is charged to, and how deep it lies in variants.
struct Decoding {
  const proto::TensorProto& proto;
  const std::shared_ptr<MemoryAccount>& account;
  int depth;
  DType dtype;
  Shape shape;
};

Result<Tensor> DecodeTensor(const proto::TensorProto& proto, const std::shared_ptr<MemoryAccount>& account, int depth);

Status DecodeElement(const Decoding& /*decoding*/, const std::string& in, std::string* out) {
  *out = in;
  return OkStatus();
}

Status DecodeElement(const Decoding& /*decoding*/, const proto::ResourceHandleProto& in, ResourceHandle* out) {
  out->device = in.device();
  out->container = in.container();
  out->name = in.name();
  out->hash_code = in.hash_code();
  out->maybe_type_name = in.maybe_type_name();
  for (const auto& typed : in.dtypes_and_shapes()) {
    HR_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromProto(typed.shape()));
    out->dtypes_and_shapes.push_back({static_cast<DType>(typed.dtype()), std::move(shape)});
  }
  return OkStatus();
}

Status DecodeElement(const Decoding& decoding, const proto::VariantTensorDataProto& in, Variant* out) {
  if (in.type_name().empty()) return OkStatus();
  std::vector<Tensor> tensors;
  for (const auto& tensor : in.tensors()) {
    HR_ASSIGN_OR_RETURN(tensors.emplace_back(), DecodeTensor(tensor, decoding.account, decoding.depth + 1));
  }
  auto opaque = std::make_shared<const OpaqueVariant>(in.type_name(), in.metadata(), std::move(tensors));
  const auto decoder = VariantDecoders().find(in.type_name());
  if (decoder == VariantDecoders().end()) {
    *out = Variant(std::move(opaque));
    return OkStatus();
  }
  HR_ASSIGN_OR_RETURN(std::shared_ptr<const VariantObject> object, decoder->second(*opaque));
  *out = Variant(std::move(object));
  return OkStatus();
}

Status WrongCount(const Decoding& decoding, int64_t count, std::string_view what) {
  return InvalidArgument("TensorProto of ", decoding.dtype, decoding.shape, " has ", count, " ", what, ", wanted are ",
                         decoding.shape.num_elements());
}

// Allocates for `count` given values, the last of which fills the rest.
Result<Tensor> AllocateExpanded(const Decoding& decoding, int64_t count) {
  const int64_t wanted = decoding.shape.num_elements();
  if (count > wanted) return WrongCount(decoding, count, "values");
  const auto size_bytes = CheckedMultiply(wanted, DTypeSize(decoding.dtype));
  if (count < wanted && (!size_bytes || *size_bytes > kMaxExpandedBytes)) {
    return ResourceExhausted("TensorProto of ", decoding.dtype, decoding.shape, " states ", count,
                             " values; expanding them would take more than ", kMaxExpandedBytes, " bytes");
  }
  return Tensor::Allocate(decoding.dtype, decoding.shape, decoding.account);
}

// `value_at(i)` gives the i-th of `count` values.
template <typename T, typename ValueAt>
Result<Tensor> Spread(const Decoding& decoding, int64_t count, ValueAt value_at) {
  HR_ASSIGN_OR_RETURN(Tensor tensor, AllocateExpanded(decoding, count));
  T* out = static_cast<T*>(tensor.mutable_raw());
  const int64_t wanted = decoding.shape.num_elements();
  for (int64_t i = 0; i < count; ++i) out[i] = value_at(static_cast<int>(i));
  if (count < wanted) std::fill(out + count, out + wanted, count == 0 ? T() : T(out[count - 1]));
  return tensor;
}

template <typename T, typename List> Result<Tensor> SpreadList(const Decoding& decoding, const List& list) {
  return Spread<T>(decoding, list.size(), [&list](int i) { return static_cast<T>(list.Get(i)); });
}

template <typename T, typename List> Result<Tensor> SpreadPairs(const Decoding& decoding, const List& list) {
  if (list.size() % 2 != 0) return WrongCount(decoding, list.size(), "halves of complex values");
  return Spread<T>(decoding, list.size() / 2, [&list](int i) { return T(list.Get(2 * i), list.Get(2 * i + 1)); });
}

Result<Tensor> DecodePlainList(const Decoding& decoding) {
  const proto::TensorProto& in = decoding.proto;
  switch (decoding.dtype) {
    case DType::kFloat:
      return SpreadList<float>(decoding, in.float_val());
    case DType::kDouble:
      return SpreadList<double>(decoding, in.double_val());
    case DType::kBool:
      return SpreadList<bool>(decoding, in.bool_val());
    case DType::kInt32:
    case DType::kQint32:
      return SpreadList<int32_t>(decoding, in.int_val());
    case DType::kInt16:
    case DType::kQint16:
      return SpreadList<int16_t>(decoding, in.int_val());
    case DType::kUint16:
    case DType::kQuint16:
      return SpreadList<uint16_t>(decoding, in.int_val());
    case DType::kInt8:
    case DType::kQint8:
      return SpreadList<int8_t>(decoding, in.int_val());
    case DType::kUint8:
    case DType::kQuint8:
      return SpreadList<uint8_t>(decoding, in.int_val());
    case DType::kInt64:
      return SpreadList<int64_t>(decoding, in.int64_val());
    case DType::kUint32:
      return SpreadList<uint32_t>(decoding, in.uint32_val());
    case DType::kUint64:
      return SpreadList<uint64_t>(decoding, in.uint64_val());
    case DType::kHalf:
    case DType::kBfloat16:
      return SpreadList<uint16_t>(decoding, in.half_val());
    case DType::kInt4:
    case DType::kUint4:
      return Spread<uint8_t>(decoding, in.int_val_size(),
                             [&in](int i) { return static_cast<uint8_t>(in.int_val(i) & 15); });
    case DType::kComplex64:
      return SpreadPairs<std::complex<float>>(decoding, in.scomplex_val());
    case DType::kComplex128:
      return SpreadPairs<std::complex<double>>(decoding, in.dcomplex_val());
    default: {
      const std::string& bytes = in.float8_val();  // the float8 kinds are left
      return Spread<uint8_t>(decoding, std::ssize(bytes),
                             [&bytes](int i) { return static_cast<uint8_t>(bytes[static_cast<size_t>(i)]); });
    }
  }
}

Result<Tensor> DecodePlainContent(const Decoding& decoding) {
  const std::string& content = decoding.proto.tensor_content();
  const auto size_bytes = CheckedMultiply(decoding.shape.num_elements(), DTypeSize(decoding.dtype));
  if (size_bytes != std::ssize(content)) {
    return InvalidArgument("TensorProto of ", decoding.dtype, decoding.shape, " has ", content.size(),
                           " bytes of content, wanted are ",
                           size_bytes ? std::to_string(*size_bytes) : "more than 2^63");
  }
  HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(decoding.dtype, decoding.shape, decoding.account));
  std::memcpy(tensor.mutable_raw(), content.data(), content.size());
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  if (decoding.dtype == DType::kBool) {
    std::transform(bytes, bytes + content.size(), bytes, [](uint8_t byte) { return byte != 0; });
  } else if (decoding.dtype == DType::kInt4 || decoding.dtype == DType::kUint4) {
    std::transform(bytes, bytes + content.size(), bytes, [](uint8_t byte) { return byte & 15; });
  }
  return tensor;
}

// Takes a varint of at most 32 bits off the text.
bool TakeVarint(std::string_view* text, uint32_t* value) {
  uint64_t result = 0;
  for (int shift = 0; shift <= 28 && !text->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(text->front());
    text->remove_prefix(1);
    result |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) {
      *value = static_cast<uint32_t>(result);
      return result <= UINT32_MAX;
    }
  }
  return false;
}

template <typename T, typename ElementProto> Result<Tensor> DecodeObjectContent(const Decoding& decoding) {
  std::string_view rest = decoding.proto.tensor_content();
  const int64_t count = decoding.shape.num_elements();
  const Status malformed = InvalidArgument("TensorProto of ", decoding.dtype, decoding.shape, " has content of ",
                                           rest.size(), " bytes that does not hold its elements");
  if (count > std::ssize(rest)) return malformed;  // each length takes a byte at least
  std::vector<uint32_t> lengths(static_cast<size_t>(count));
  for (uint32_t& length : lengths) {
    if (!TakeVarint(&rest, &length)) return malformed;
  }
  HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(decoding.dtype, decoding.shape, decoding.account));
  T* out = static_cast<T*>(tensor.mutable_raw());
  for (const uint32_t length : lengths) {
    if (length > rest.size()) return malformed;
    const std::string_view bytes = rest.substr(0, length);
    rest.remove_prefix(length);
    if constexpr (std::is_same_v<T, std::string>) {
      *out++ = bytes;
    } else {
      ElementProto element;
      if (!element.ParseFromArray(bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), INT32_MAX))))
        return malformed;
      HR_RETURN_IF_ERROR(DecodeElement(decoding, element, out++));
    }
  }
  return rest.empty() ? Result<Tensor>(std::move(tensor)) : malformed;
}

template <typename T, typename List> Result<Tensor> DecodeObjects(const Decoding& decoding, const List& list) {
  if (!decoding.proto.tensor_content().empty()) return DecodeObjectContent<T, typename List::value_type>(decoding);
  HR_ASSIGN_OR_RETURN(Tensor tensor, AllocateExpanded(decoding, list.size()));
  const auto out = tensor.mutable_data<T>();
  for (int i = 0; i < list.size(); ++i)
    HR_RETURN_IF_ERROR(DecodeElement(decoding, list.Get(i), &out[static_cast<size_t>(i)]));
  const auto given = static_cast<size_t>(list.size());
  if (given > 0) std::fill(out.begin() + list.size(), out.end(), out[given - 1]);
  return tensor;
}

Result<Tensor> DecodeTensor(const proto::TensorProto& proto, const std::shared_ptr<MemoryAccount>& account, int depth) {
  if (depth > kMaxVariantDepth)
    return InvalidArgument("TensorProto nests variants more than ", kMaxVariantDepth, " deep");
  const auto dtype = static_cast<DType>(proto.dtype());
  if (DTypeSize(dtype) == 0 || IsRef(dtype)) {
    return InvalidArgument("TensorProto has dtype ", static_cast<int>(proto.dtype()), ", which is not one of a value");
  }
  HR_ASSIGN_OR_RETURN(const PartialShape partial, ShapeFromProto(proto.tensor_shape()));
  if (!partial.IsFullyKnown())
    return InvalidArgument("TensorProto of ", dtype, " has a shape that is not known: ", partial);
  HR_ASSIGN_OR_RETURN(Shape shape, partial.ToShape());
  const Decoding decoding{proto, account, depth, dtype, std::move(shape)};
  if (dtype == DType::kString) return DecodeObjects<std::string>(decoding, proto.string_val());
  if (dtype == DType::kResource) return DecodeObjects<ResourceHandle>(decoding, proto.resource_handle_val());
  if (dtype == DType::kVariant) return DecodeObjects<Variant>(decoding, proto.variant_val());
  return proto.tensor_content().empty() ? DecodePlainList(decoding) : DecodePlainContent(decoding);
}

void EncodeHandle(const ResourceHandle& handle, proto::ResourceHandleProto* out) {
  out->set_device(handle.device);
  out->set_container(handle.container);
  out->set_name(handle.name);
  out->set_hash_code(handle.hash_code);
  out->set_maybe_type_name(handle.maybe_type_name);
  for (const ResourceHandle::TypedShape& typed : handle.dtypes_and_shapes) {
    auto* entry = out->add_dtypes_and_shapes();
    entry->set_dtype(static_cast<proto::DataType>(typed.type));
    ShapeToProto(typed.shape, entry->mutable_shape());
  }
}

Status EncodeVariant(const Variant& variant, proto::VariantTensorDataProto* out) {
  if (variant.empty()) return OkStatus();
  out->set_type_name(variant.object()->TypeName());
  HR_RETURN_IF_ERROR(variant.object()->Encode(out->mutable_metadata()));
  if (const auto opaque = variant.As<OpaqueVariant>()) {
    for (const Tensor& tensor : opaque->tensors()) HR_RETURN_IF_ERROR(TensorToProto(tensor, out->add_tensors()));
  }
  return OkStatus();
}

}  // namespace

void RegisterVariantDecoder(std::string type_name, VariantDecoder decoder) {
  VariantDecoders()[std::move(type_name)] = std::move(decoder);
}

Result<Tensor> TensorFromProto(const proto::TensorProto& proto, const std::shared_ptr<MemoryAccount>& account) {
  return DecodeTensor(proto, account, 0);
}

Status TensorToProto(const Tensor& tensor, proto::TensorProto* proto) {
  if (!tensor.valid()) return InvalidArgument("An invalid tensor has no TensorProto");
  proto->Clear();
  proto->set_dtype(static_cast<proto::DataType>(tensor.dtype()));
  auto* shape = proto->mutable_tensor_shape();
  for (const int64_t extent : tensor.shape().dims()) shape->add_dim()->set_size(extent);
  if (IsPlainData(tensor.dtype())) {
    if (tensor.num_elements() > 0) proto->set_tensor_content(tensor.raw(), static_cast<size_t>(tensor.size_bytes()));
    return OkStatus();
  }
  if (tensor.dtype() == DType::kString) {
    proto->mutable_string_val()->Reserve(static_cast<int>(std::min<int64_t>(tensor.num_elements(), INT32_MAX)));
    for (const std::string& text : tensor.data<std::string>()) proto->add_string_val(text);
    return OkStatus();
  }
  if (tensor.dtype() == DType::kResource) {
    for (const ResourceHandle& handle : tensor.data<ResourceHandle>())
      EncodeHandle(handle, proto->add_resource_handle_val());
    return OkStatus();
  }
  for (const Variant& variant : tensor.data<Variant>())
    HR_RETURN_IF_ERROR(EncodeVariant(variant, proto->add_variant_val()));
  return OkStatus();
}

Result<PartialShape> ShapeFromProto(const proto::TensorShapeProto& proto) {
  if (proto.unknown_rank()) return PartialShape();
  if (proto.dim_size() > Shape::kMaxRank) {
    return InvalidArgument("A shape has ", proto.dim_size(), " dimensions; at most ", Shape::kMaxRank,
                           " are supported");
  }
  std::vector<int64_t> dims;
  dims.reserve(static_cast<size_t>(proto.dim_size()));
  for (const auto& dim : proto.dim()) dims.push_back(dim.size());
  PartialShape shape(std::move(dims));
  for (const int64_t extent : shape.dims()) {
    if (extent < PartialShape::kUnknownDim)
      return InvalidArgument("A shape has a negative extent: ", extent, " in ", shape);
  }
  return shape;
}

void ShapeToProto(const PartialShape& shape, proto::TensorShapeProto* proto) {
  proto->Clear();
  if (!shape.has_rank()) proto->set_unknown_rank(true);
  for (const int64_t extent : shape.dims()) proto->add_dim()->set_size(extent);
}

}  // namespace headrace
