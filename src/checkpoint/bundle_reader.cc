#include "checkpoint/bundle_reader.h"

#include <algorithm>

#include "base/checked_math.h"
#include "checkpoint/bundle_index.h"
#include "checkpoint/bundle_values.h"
#include "format/crc32c.h"

namespace headrace {

namespace {

// Enough for the system to be quick, and little enough that the checksum finds the bytes in the cache.
constexpr int64_t kPieceBytes = int64_t{256} << 10;

/// Reads bytes and returns their checksum.
Result<uint32_t> ReadBytes(const RandomAccessFile& file, int64_t offset, int64_t size, char* out) {
  uint32_t crc = 0;
  for (int64_t done = 0; done < size;) {
    const int64_t piece = std::min(kPieceBytes, size - done);
    HR_RETURN_IF_ERROR(file.ReadAt(offset + done, piece, out + done));
    crc = ExtendCrc32c(crc, {out + done, static_cast<size_t>(piece)});
    done += piece;
  }
  return crc;
}

}  // namespace

Result<std::unique_ptr<BundleReader>> BundleReader::Open(FileSystem& files, std::string prefix) {
  HR_ASSIGN_OR_RETURN(BundleIndex index, ReadBundleIndex(files, prefix));
  return std::unique_ptr<BundleReader>(
      new BundleReader(files, std::move(prefix), index.header.num_shards, std::move(index.entries)));
}

std::vector<BundleReader::Named> BundleReader::List() const {
  std::vector<Named> tensors;
  for (const auto& [key, entry] : entries_) {
    if (!IsSliceKey(key)) tensors.push_back({key, entry.dtype, entry.shape});
  }
  return tensors;
}

Result<const BundleEntry*> BundleReader::FindEntry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return NotFound("Key ", name, " not found in checkpoint ", prefix_);
  return &found->second;
}

Result<BundleReader::Named> BundleReader::Find(std::string_view name) const {
  HR_ASSIGN_OR_RETURN(const BundleEntry* entry, FindEntry(name));
  return Named{std::string(name), entry->dtype, entry->shape};
}

Result<const RandomAccessFile*> BundleReader::DataFile(std::string_view label, int64_t shard) const {
  std::lock_guard lock(mutex_);
  std::unique_ptr<RandomAccessFile>& file = data_files_[shard];
  if (file == nullptr) {
    Result<std::unique_ptr<RandomAccessFile>> opened =
        files_.OpenRandomAccess(BundleDataPath(prefix_, shard, num_shards_));
    if (!opened.ok()) {
      return Status(opened.status().code(), StrCat(opened.status().message(), "; ", label, " lies there"));
    }
    file = *std::move(opened);
  }
  return file.get();
}

Status BundleReader::Lost(std::string_view label, const BundleEntry& entry, std::string_view what) const {
  return DataLoss(BundleDataPath(prefix_, entry.shard, num_shards_), ": ", label, " ", entry.dtype, entry.shape,
                  " at byte ", entry.offset, ": ", what);
}

Result<const RandomAccessFile*> BundleReader::CheckExtent(std::string_view label, const BundleEntry& entry) const {
  if (entry.dtype == DType::kResource) return Lost(label, entry, "a checkpoint cannot hold resource handles");
  if (IsPlainData(entry.dtype)) {
    const std::optional<int64_t> size = CheckedMultiply(entry.shape.num_elements(), DTypeSize(entry.dtype));
    if (size != entry.size)
      return Lost(label, entry, StrCat("it has ", entry.size, " bytes, which are not its shape's"));
  }
  HR_ASSIGN_OR_RETURN(const RandomAccessFile* file, DataFile(label, entry.shard));
  if (entry.offset > file->size() || entry.size > file->size() - entry.offset) {
    return Lost(label, entry, StrCat("its ", entry.size, " bytes are not all there, the file has ", file->size()));
  }
  return file;
}

Result<Tensor> BundleReader::ReadEntry(std::string_view label, const BundleEntry& entry,
                                       const std::shared_ptr<MemoryAccount>& account) const {
  HR_ASSIGN_OR_RETURN(const RandomAccessFile* file, CheckExtent(label, entry));
  Tensor tensor;
  uint32_t crc = 0;
  if (IsPlainData(entry.dtype)) {
    HR_ASSIGN_OR_RETURN(tensor, Tensor::Allocate(entry.dtype, entry.shape, account));
    HR_ASSIGN_OR_RETURN(crc, ReadBytes(*file, entry.offset, entry.size, static_cast<char*>(tensor.mutable_raw())));
  } else {
    HR_ASSIGN_OR_RETURN(const BufferPtr buffer, CpuAllocator().Allocate(entry.size, account));
    const std::string_view bytes(static_cast<const char*>(buffer->data()), static_cast<size_t>(entry.size));
    HR_RETURN_IF_ERROR(file->ReadAt(entry.offset, entry.size, static_cast<char*>(buffer->data())));
    const Result<uint32_t> read = entry.dtype == DType::kString ? ReadStrings(bytes, entry.shape, &tensor)
                                                                : ReadVariants(bytes, entry.shape, &tensor);
    if (!read.ok()) return Lost(label, entry, read.status().message());
    crc = *read;
  }
  if (MaskCrc(crc) != entry.masked_crc) {
    return Lost(label, entry, StrCat("its checksum is ", UnmaskCrc(entry.masked_crc), ", computed ", crc));
  }
  return tensor;
}

Result<Tensor> BundleReader::Read(std::string_view name, const std::shared_ptr<MemoryAccount>& account) const {
  HR_ASSIGN_OR_RETURN(const BundleEntry* entry, FindEntry(name));
  if (entry->slices.empty()) return ReadEntry(StrCat("tensor '", name, "'"), *entry, account);
  HR_ASSIGN_OR_RETURN(const TensorSlice all, TensorSlice::AllOf(entry->shape).Within(entry->shape));
  return Assemble(name, *entry, all, account);
}

Result<Tensor> BundleReader::ReadSlice(std::string_view name, const ShapeAndSlice& part,
                                       const std::shared_ptr<MemoryAccount>& account) const {
  HR_ASSIGN_OR_RETURN(const BundleEntry* entry, FindEntry(name));
  if (entry->shape != part.shape) {
    return InvalidArgument("tensor_name = ", name, "; shape in shape_and_slice spec ", part.shape,
                           " does not match the shape stored in checkpoint: ", entry->shape);
  }
  if (!entry->slices.empty()) return Assemble(name, *entry, part.slice, account);
  HR_ASSIGN_OR_RETURN(const Tensor whole, Read(name, account));
  if (part.slice.Covers(part.shape)) return whole;
  HR_ASSIGN_OR_RETURN(const TensorSlice all, TensorSlice::AllOf(part.shape).Within(part.shape));
  HR_ASSIGN_OR_RETURN(Tensor wanted, Tensor::Allocate(entry->dtype, part.slice.shape(), account));
  CopySharedPart(all, whole, part.slice, &wanted);
  return wanted;
}

}  // namespace headrace
