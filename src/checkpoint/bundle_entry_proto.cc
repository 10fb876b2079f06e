#include <cstdio>

#include "checkpoint/bundle_entry.h"
#include "headrace/proto/checkpoint.pb.h"

namespace headrace {

namespace {

void SliceToProto(const TensorSlice& slice, proto::TensorSliceProto* out) {
  for (const TensorSlice::Extent& extent : slice.extents) {
    auto* part = out->add_extent();
    part->set_start(extent.start);
    if (extent.length != TensorSlice::Extent::kAll) part->set_length(extent.length);
  }
}

TensorSlice SliceFromProto(const proto::TensorSliceProto& in) {
  TensorSlice slice;
  for (const auto& extent : in.extent()) {
    const bool is_all = extent.has_length_case() == proto::TensorSliceProto::Extent::HAS_LENGTH_NOT_SET;
    slice.extents.push_back({extent.start(), is_all ? TensorSlice::Extent::kAll : extent.length()});
  }
  return slice;
}

template <typename Message> bool ParseMessage(std::string_view bytes, Message* message) {
  return bytes.size() <= INT32_MAX && message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

std::string BundleHeader::Serialize() const {
  proto::BundleHeaderProto out;
  out.set_num_shards(static_cast<int32_t>(num_shards));
  out.set_endianness(big_endian ? proto::BundleHeaderProto::BIG : proto::BundleHeaderProto::LITTLE);
  out.mutable_version()->set_producer(kProducer);
  out.mutable_version()->set_min_consumer(min_consumer);
  return out.SerializeAsString();
}

bool BundleHeader::Parse(std::string_view bytes, BundleHeader* header) {
  proto::BundleHeaderProto in;
  if (!ParseMessage(bytes, &in)) return false;
  header->num_shards = in.num_shards();
  header->big_endian = in.endianness() != proto::BundleHeaderProto::LITTLE;
  header->min_consumer = in.version().min_consumer();
  return header->num_shards > 0;
}

std::string BundleEntry::Serialize() const {
  proto::BundleEntryProto out;
  out.set_dtype(static_cast<proto::DataType>(dtype));
  out.mutable_shape();
  for (const int64_t extent : shape.dims()) out.mutable_shape()->add_dim()->set_size(extent);
  out.set_shard_id(static_cast<int32_t>(shard));
  out.set_offset(offset);
  out.set_size(size);
  out.set_crc32c(masked_crc);
  for (const TensorSlice& slice : slices) SliceToProto(slice, out.add_slices());
  return out.SerializeAsString();
}

bool BundleEntry::Parse(std::string_view bytes, BundleEntry* entry) {
  proto::BundleEntryProto in;
  if (!ParseMessage(bytes, &in)) return false;
  const int dtype = in.dtype();
  if (dtype <= 0 || dtype >= kRefOffset || DTypeSize(DType(dtype)) == 0) return false;
  std::vector<int64_t> dims;
  for (const auto& dim : in.shape().dim()) dims.push_back(dim.size());
  Result<Shape> shape = Shape::Make(dims);
  if (!shape.ok() || in.shape().unknown_rank() || in.shard_id() < 0 || in.offset() < 0 || in.size() < 0) return false;
  *entry = {.dtype = DType(dtype),
            .shape = *std::move(shape),
            .shard = in.shard_id(),
            .offset = in.offset(),
            .size = in.size(),
            .masked_crc = in.crc32c()};
  for (const auto& slice : in.slices()) entry->slices.push_back(SliceFromProto(slice));
  return true;
}

std::string BundleIndexPath(std::string_view prefix) { return StrCat(prefix, ".index"); }

std::string BundleDataPath(std::string_view prefix, int64_t shard, int64_t num_shards) {
  char suffix[64];
  std::snprintf(suffix, sizeof(suffix), ".data-%05lld-of-%05lld", static_cast<long long>(shard),
                static_cast<long long>(num_shards));
  return StrCat(prefix, suffix);
}

}  // namespace headrace
