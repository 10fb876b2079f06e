#include "checkpoint/bundle_values.h"
#include "format/crc32c.h"
#include "format/example.h"
#include "format/little_endian.h"
#include "headrace/proto/tensor.pb.h"
#include "tensor/tensor_proto.h"

namespace headrace {

namespace {

uint32_t ExtendByLength(uint32_t crc, uint64_t length) {
  return ExtendCrc32c(crc, {reinterpret_cast<const char*>(&length), sizeof(length)});
}

}  // namespace

Result<ValuesExtent> WriteVariants(const Tensor& variants, WritableFile* file) {
  proto::TensorProto message;
  HR_RETURN_IF_ERROR(TensorToProto(variants, &message));
  ValuesExtent extent;
  for (const auto& value : message.variant_val()) {
    const std::string bytes = value.SerializeAsString();
    std::string stored, stored_crc;
    AppendVarint(stored, bytes.size());
    stored += bytes;
    extent.crc = ExtendCrc32c(ExtendByLength(extent.crc, bytes.size()), bytes);
    AppendFixed32(stored_crc, MaskCrc(extent.crc));
    extent.crc = ExtendCrc32c(extent.crc, stored_crc);
    stored += stored_crc;
    extent.size += static_cast<int64_t>(stored.size());
    HR_RETURN_IF_ERROR(file->Append(stored));
  }
  return extent;
}

Result<uint32_t> ReadVariants(std::string_view bytes, const Shape& shape, Tensor* variants) {
  // Each variant takes five bytes at least, which bounds what is allocated.
  if (shape.num_elements() > static_cast<int64_t>(bytes.size()) / 5) {
    return DataLoss(shape.num_elements(), " variants cannot be in ", bytes.size(), " bytes");
  }
  proto::TensorProto message;
  message.set_dtype(proto::DT_VARIANT);
  for (const int64_t extent : shape.dims()) message.mutable_tensor_shape()->add_dim()->set_size(extent);
  WireCursor cursor(bytes);
  uint32_t crc = 0;
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    std::string_view value;
    uint32_t stored_crc;
    if (!cursor.ReadBytes(&value) || !cursor.ReadFixed32(&stored_crc))
      return DataLoss("variant ", i, " cannot be read");
    crc = ExtendCrc32c(ExtendByLength(crc, value.size()), value);
    if (stored_crc != MaskCrc(crc)) {
      return DataLoss("the checksum of variant ", i, " is ", UnmaskCrc(stored_crc), ", computed ", crc);
    }
    crc = ExtendCrc32c(crc, {reinterpret_cast<const char*>(&stored_crc), sizeof(stored_crc)});
    if (value.size() > INT32_MAX ||
        !message.add_variant_val()->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return DataLoss("variant ", i, " is no VariantTensorDataProto");
    }
  }
  if (!cursor.AtEnd()) return DataLoss(cursor.Remaining(), " bytes follow its last variant");
  HR_ASSIGN_OR_RETURN(*variants, TensorFromProto(message));
  return crc;
}

}  // namespace headrace
