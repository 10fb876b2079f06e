#include "checkpoint/bundle_writer.h"

#include <algorithm>

#include "checkpoint/bundle_index.h"
#include "checkpoint/bundle_values.h"
#include "format/crc32c.h"

namespace headrace {

namespace {

// Enough for the system to be quick, and little enough that the checksum finds the bytes in the cache.
constexpr size_t kPieceBytes = size_t{256} << 10;

}  // namespace

BundleWriter::BundleWriter(FileSystem& files, std::string prefix)
    : files_(files), prefix_(std::move(prefix)), temporary_data_(TemporaryPath(BundleDataPath(prefix_, 0, 1))) {}

Result<std::unique_ptr<BundleWriter>> BundleWriter::Create(FileSystem& files, std::string prefix) {
  const std::string directory = DirectoryOf(prefix);
  if (!directory.empty()) HR_RETURN_IF_ERROR(files.MakeDirectories(directory));
  std::unique_ptr<BundleWriter> writer(new BundleWriter(files, std::move(prefix)));
  HR_ASSIGN_OR_RETURN(writer->data_, files.Create(writer->temporary_data_));
  return writer;
}

BundleWriter::~BundleWriter() {
  if (data_ == nullptr) return;
  data_.reset();
  (void)files_.Delete(temporary_data_).ok();
}

Status BundleWriter::Add(std::string_view name, const Tensor& tensor) {
  if (name.empty() || IsSliceKey(name)) return InvalidArgument(prefix_, ": a tensor cannot have the name '", name, "'");
  return AddEntry(std::string(name), tensor);
}

Result<uint32_t> BundleWriter::WritePlain(const Tensor& tensor) {
  uint32_t crc = 0;
  for (std::string_view rest = tensor.bytes(); !rest.empty();) {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    crc = ExtendCrc32c(crc, piece);
    HR_RETURN_IF_ERROR(data_->Append(piece));
    rest.remove_prefix(piece.size());
  }
  return crc;
}

Status BundleWriter::AddEntry(std::string name, const Tensor& tensor) {
  if (data_ == nullptr) return FailedPrecondition(prefix_, ": the bundle is finished");
  if (!tensor.valid()) return InvalidArgument(prefix_, ": tensor '", name, "' has no value");
  if (tensor.dtype() == DType::kResource)
    return InvalidArgument(prefix_, ": tensor '", name, "' holds resource handles, which cannot be saved");
  if (entries_.contains(name)) return InvalidArgument(prefix_, ": tensor '", name, "' is added twice");
  BundleEntry entry{.dtype = tensor.dtype(), .shape = tensor.shape(), .offset = offset_, .size = tensor.size_bytes()};
  if (tensor.dtype() == DType::kString || tensor.dtype() == DType::kVariant) {
    HR_ASSIGN_OR_RETURN(const ValuesExtent extent, tensor.dtype() == DType::kString
                                                       ? WriteStrings(tensor.data<std::string>(), data_.get())
                                                       : WriteVariants(tensor, data_.get()));
    entry.size = extent.size;
    entry.masked_crc = MaskCrc(extent.crc);
  } else {
    HR_ASSIGN_OR_RETURN(const uint32_t crc, WritePlain(tensor));
    entry.masked_crc = MaskCrc(crc);
  }
  offset_ += entry.size;
  entries_.emplace(std::move(name), std::move(entry));
  return OkStatus();
}

Status BundleWriter::AddSlice(std::string_view name, const ShapeAndSlice& part, const Tensor& tensor) {
  if (name.empty() || IsSliceKey(name)) return InvalidArgument(prefix_, ": a tensor cannot have the name '", name, "'");
  if (tensor.shape() != part.slice.shape()) {
    return InvalidArgument(prefix_, ": slice ", part.slice, " of tensor '", name, "' is of shape ", part.slice.shape(),
                           ", the value is ", tensor);
  }
  if (part.slice.Covers(part.shape)) return Add(name, tensor);
  TensorSlice slice = part.slice;
  for (int i = 0; i < slice.rank(); ++i) {
    TensorSlice::Extent& extent = slice.extents[static_cast<size_t>(i)];
    if (extent.start == 0 && extent.length == part.shape.dim(i)) extent = {};
  }
  const auto found = entries_.find(name);
  if (found != entries_.end()) {
    const BundleEntry& whole = found->second;
    if (whole.slices.empty() || whole.dtype != tensor.dtype() || whole.shape != part.shape) {
      return InvalidArgument(prefix_, ": tensor '", name, "' is ", whole.dtype, whole.shape, ", slice ", slice,
                             " is of ", tensor.dtype(), part.shape);
    }
  }
  HR_RETURN_IF_ERROR(AddEntry(SliceKey(name, slice), tensor));
  BundleEntry& whole = entries_[std::string(name)];
  whole.dtype = tensor.dtype();
  whole.shape = part.shape;
  whole.slices.push_back(std::move(slice));
  return OkStatus();
}

Status BundleWriter::Finish() {
  if (data_ == nullptr) return FailedPrecondition(prefix_, ": the bundle is finished");
  HR_RETURN_IF_ERROR(data_->Sync());
  HR_RETURN_IF_ERROR(data_->Close());
  const std::string index_path = BundleIndexPath(prefix_);
  if (files_.Exists(index_path)) HR_RETURN_IF_ERROR(files_.Delete(index_path));
  HR_RETURN_IF_ERROR(files_.Rename(temporary_data_, BundleDataPath(prefix_, 0, 1)));
  data_.reset();
  return WriteBundleIndex(files_, prefix_, {.entries = std::move(entries_)});
}

namespace {

/// Puts `entry`, of a bundle whose first shard becomes `first_shard`, into the merged index.
Status MergeEntry(const std::string& prefix, const std::string& key, BundleEntry entry, int64_t first_shard,
                  BundleIndex* merged) {
  entry.shard += first_shard;
  const auto [position, inserted] = merged->entries.try_emplace(key, entry);
  if (inserted) return OkStatus();
  BundleEntry& present = position->second;
  if (present.slices.empty() || entry.slices.empty()) {
    return InvalidArgument(prefix, ": tensor '", key, "' is in another bundle too");
  }
  if (present.dtype != entry.dtype || present.shape != entry.shape) {
    return InvalidArgument(prefix, ": tensor '", key, "' is ", entry.dtype, entry.shape, ", in another bundle it is ",
                           present.dtype, present.shape);
  }
  present.slices.insert(present.slices.end(), entry.slices.begin(), entry.slices.end());
  return OkStatus();
}

struct Renaming {
  std::string from;
  std::string to;
};

}  // namespace

Status MergeBundles(FileSystem& files, std::span<const std::string> prefixes, const std::string& destination,
                    bool allow_missing_files) {
  BundleIndex merged{.header = {.num_shards = 0}};
  std::vector<Renaming> renamings;
  Status missing;
  for (const std::string& prefix : prefixes) {
    Result<BundleIndex> index = ReadBundleIndex(files, prefix);
    if (!index.ok() && index.status().code() == Code::kNotFound && allow_missing_files) {
      missing = index.status();
      continue;
    }
    HR_RETURN_IF_ERROR(index.status());
    for (auto& [key, entry] : index->entries) {
      HR_RETURN_IF_ERROR(MergeEntry(prefix, key, std::move(entry), merged.header.num_shards, &merged));
    }
    for (int64_t shard = 0; shard < index->header.num_shards; ++shard) {
      const std::string data = BundleDataPath(prefix, shard, index->header.num_shards);
      HR_RETURN_IF_ERROR(files.SizeOf(data).status());
      renamings.push_back({data, ""});
    }
    merged.header.num_shards += index->header.num_shards;
  }
  if (renamings.empty()) return missing.ok() ? InvalidArgument("No bundles to merge into ", destination) : missing;
  for (size_t i = 0; i < renamings.size(); ++i) {
    renamings[i].to = BundleDataPath(destination, static_cast<int64_t>(i), merged.header.num_shards);
  }
  const std::string directory = DirectoryOf(destination), index_path = BundleIndexPath(destination);
  if (!directory.empty()) HR_RETURN_IF_ERROR(files.MakeDirectories(directory));
  if (files.Exists(index_path)) HR_RETURN_IF_ERROR(files.Delete(index_path));
  for (const Renaming& renaming : renamings) HR_RETURN_IF_ERROR(files.Rename(renaming.from, renaming.to));
  HR_RETURN_IF_ERROR(WriteBundleIndex(files, destination, merged));
  for (const std::string& prefix : prefixes) {
    if (prefix != destination) (void)files.Delete(BundleIndexPath(prefix)).ok();
  }
  return OkStatus();
}

}  // namespace headrace
