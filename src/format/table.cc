#include "format/table.h"

#include <snappy.h>

#include "format/crc32c.h"
#include "format/example.h"
#include "format/little_endian.h"
#include "format/table_layout.h"

namespace headrace {

namespace {

using Visit = std::function<Status(std::string_view key, std::string_view value)>;

struct Handle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

bool ReadHandle(WireCursor* cursor, Handle* handle) {
  return cursor->ReadVarint(&handle->offset) && cursor->ReadVarint(&handle->size);
}

/// Reads one table from front to back.
class TableScan {
 public:
  TableScan(std::string path, std::unique_ptr<RandomAccessFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Status Run(const Visit& visit);

 private:
  template <typename... Args> Status Malformed(const Args&... args) const {
    return DataLoss(path_, ": not a sound table: ", args...);
  }
  Status ReadFooter(Handle* index) const;
  Status ReadBlock(const Handle& handle, std::string* content) const;
  Status Inflate(const Handle& handle, std::string* content) const;
  Status ForEachEntry(const Handle& handle, std::string_view content, const Visit& visit) const;

  const std::string path_;
  const std::unique_ptr<RandomAccessFile> file_;
};

Status TableScan::ReadFooter(Handle* index) const {
  const auto footer_bytes = static_cast<int64_t>(kTableFooterBytes);
  if (file_->size() < footer_bytes) return Malformed("it has ", file_->size(), " bytes, fewer than a footer's");
  char footer[kTableFooterBytes];
  HR_RETURN_IF_ERROR(file_->ReadAt(file_->size() - footer_bytes, footer_bytes, footer));
  const uint64_t magic = LoadFixed64(footer + kTableHandlesBytes);
  if (magic != kTableMagic) return Malformed("its last 8 bytes are 0x", Hex16(magic), ", not 0x", Hex16(kTableMagic));
  WireCursor cursor(std::string_view(footer, kTableHandlesBytes));
  Handle meta;
  if (!ReadHandle(&cursor, &meta) || !ReadHandle(&cursor, index))
    return Malformed("the footer's handles cannot be read");
  return OkStatus();
}

Status TableScan::ReadBlock(const Handle& handle, std::string* content) const {
  const auto available = static_cast<uint64_t>(file_->size() - kBlockTrailerBytes);
  if (handle.offset > available || handle.size > available - handle.offset) {
    return Malformed("a block of ", handle.size, " bytes at byte ", handle.offset, " lies outside the file of ",
                     file_->size());
  }
  const auto stored_bytes = static_cast<int64_t>(handle.size) + kBlockTrailerBytes;
  content->resize(static_cast<size_t>(stored_bytes));
  HR_RETURN_IF_ERROR(file_->ReadAt(static_cast<int64_t>(handle.offset), stored_bytes, content->data()));
  const char type = (*content)[handle.size];
  const uint32_t stored_crc = UnmaskCrc(LoadFixed32(content->data() + handle.size + 1));
  const uint32_t crc = Crc32c(std::string_view(*content).substr(0, handle.size + 1));
  if (crc != stored_crc) {
    return Malformed("the block at byte ", handle.offset, " has checksum ", stored_crc, ", computed ", crc);
  }
  content->resize(handle.size);
  if (type == kStoredAsIs) return OkStatus();
  if (type == kStoredWithSnappy) return Inflate(handle, content);
  return Malformed("the block at byte ", handle.offset, " is of unknown type ", static_cast<int>(type));
}

Status TableScan::Inflate(const Handle& handle, std::string* content) const {
  // Three bytes of Snappy yield 64 at most: a length above that is a lie, and no reason to ask for memory.
  constexpr size_t kMostPerByte = 22;
  size_t length = 0;
  std::string inflated;
  if (!snappy::GetUncompressedLength(content->data(), content->size(), &length) ||
      length / kMostPerByte > content->size() || !snappy::Uncompress(content->data(), content->size(), &inflated)) {
    return Malformed("the block at byte ", handle.offset, " does not inflate");
  }
  *content = std::move(inflated);
  return OkStatus();
}

Status TableScan::ForEachEntry(const Handle& handle, std::string_view content, const Visit& visit) const {
  const auto malformed = [&] {
    return Malformed("the block at byte ", handle.offset, " has an entry that cannot be read");
  };
  if (content.size() < 4) return malformed();
  const uint64_t restarts = LoadFixed32(content.data() + content.size() - 4);
  if (restarts > (content.size() - 4) / 4) return malformed();
  WireCursor cursor(content.substr(0, content.size() - 4 - restarts * 4));
  std::string key;
  while (!cursor.AtEnd()) {
    uint64_t shared, unshared, value_bytes;
    std::string_view rest, value;
    if (!cursor.ReadVarint(&shared) || !cursor.ReadVarint(&unshared) || !cursor.ReadVarint(&value_bytes) ||
        shared > key.size() || !cursor.ReadRaw(unshared, &rest) || !cursor.ReadRaw(value_bytes, &value)) {
      return malformed();
    }
    key.resize(shared);
    key += rest;
    HR_RETURN_IF_ERROR(visit(key, value));
  }
  return OkStatus();
}

Status TableScan::Run(const Visit& visit) {
  Handle index;
  HR_RETURN_IF_ERROR(ReadFooter(&index));
  std::string index_content, content, last_key;
  HR_RETURN_IF_ERROR(ReadBlock(index, &index_content));
  bool any_key = false;
  uint64_t end = 0;  // of the blocks read so far: each byte is read once, whatever the index says
  const auto visit_entry = [&](std::string_view key, std::string_view value) -> Status {
    if (any_key && key <= last_key) return Malformed("the keys do not ascend");
    any_key = true;
    last_key = key;
    return visit(key, value);
  };
  const auto visit_block = [&](std::string_view, std::string_view value) -> Status {
    WireCursor cursor(value);
    Handle handle;
    if (!ReadHandle(&cursor, &handle)) return Malformed("the index has a handle that cannot be read");
    if (handle.offset < end) return Malformed("two blocks cover byte ", handle.offset);
    HR_RETURN_IF_ERROR(ReadBlock(handle, &content));
    end = handle.offset + handle.size;
    return ForEachEntry(handle, content, visit_entry);
  };
  return ForEachEntry(index, index_content, visit_block);
}

}  // namespace

Status ReadTable(FileSystem& files, const std::string& path, const Visit& visit) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.OpenRandomAccess(path));
  return TableScan(path, std::move(file)).Run(visit);
}

}  // namespace headrace
