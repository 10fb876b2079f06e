#include "checkpoint/bundle_index.h"

#include "format/table.h"
#include "os/clock.h"

namespace headrace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash == 0 ? 1 : slash);
}

std::string TemporaryPath(const std::string& path) { return StrCat(path, ".tmp-", Hex16(RandomBits())); }

namespace {

Status ParseIndexEntry(const std::string& path, std::string_view key, std::string_view value, BundleIndex* index,
                       bool* any) {
  if (!*any) {
    if (!key.empty() || !BundleHeader::Parse(value, &index->header))
      return DataLoss(path, ": the bundle has no sound header");
    *any = true;
    if (index->header.big_endian) return Unimplemented(path, ": the bundle was written by a big-endian machine");
    if (index->header.min_consumer > BundleHeader::kProducer) {
      return Unimplemented(path, ": the bundle wants readers of version ", index->header.min_consumer, ", this is ",
                           BundleHeader::kProducer);
    }
    return OkStatus();
  }
  BundleEntry entry;
  if (!BundleEntry::Parse(value, &entry)) return DataLoss(path, ": the entry of tensor '", key, "' cannot be read");
  if (entry.shard >= index->header.num_shards) {
    return DataLoss(path, ": tensor '", key, "' lies in shard ", entry.shard, " of ", index->header.num_shards);
  }
  index->entries.emplace_hint(index->entries.end(), key, std::move(entry));
  return OkStatus();
}

}  // namespace

Result<BundleIndex> ReadBundleIndex(FileSystem& files, const std::string& prefix) {
  const std::string path = BundleIndexPath(prefix);
  BundleIndex index;
  bool any = false;
  const Status status = ReadTable(files, path, [&](std::string_view key, std::string_view value) {
    return ParseIndexEntry(path, key, value, &index, &any);
  });
  if (status.code() == Code::kNotFound) {
    return NotFound("Failed to find any matching files for ", prefix, ": ", status.message());
  }
  HR_RETURN_IF_ERROR(status);
  if (!any) return DataLoss(path, ": the bundle has no header");
  return index;
}

Status WriteBundleIndex(FileSystem& files, const std::string& prefix, const BundleIndex& index) {
  const std::string path = BundleIndexPath(prefix), temporary = TemporaryPath(path);
  const auto write = [&]() -> Status {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(temporary));
    TableWriter writer(std::move(file));
    HR_RETURN_IF_ERROR(writer.Add("", index.header.Serialize()));
    for (const auto& [key, entry] : index.entries) HR_RETURN_IF_ERROR(writer.Add(key, entry.Serialize()));
    HR_RETURN_IF_ERROR(writer.Finish());
    return files.Rename(temporary, path);
  };
  const Status status = write();
  if (!status.ok()) (void)files.Delete(temporary).ok();
  return status;
}

}  // namespace headrace
