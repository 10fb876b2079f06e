#include "format/record_file.h"

#include <algorithm>
#include <cstring>

#include "format/crc32c.h"
#include "format/little_endian.h"

namespace headrace {

namespace {

constexpr int64_t kHeaderBytes = 12;
constexpr int64_t kFooterBytes = 4;

std::string HexCrc(uint32_t crc) { return "0x" + Hex16(crc).substr(8); }

}  // namespace

Result<Compression> ParseCompression(std::string_view text) {
  if (text.empty()) return Compression::kNone;
  if (text == "ZLIB") return Compression::kZlib;
  if (text == "GZIP") return Compression::kGzip;
  return InvalidArgument("Unknown compression type '", text, "': expected '', 'ZLIB' or 'GZIP'");
}

Result<std::unique_ptr<RecordReader>> RecordReader::Open(FileSystem& files, const std::string& path,
                                                         Compression compression, int64_t buffer_bytes) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
  if (compression != Compression::kNone) file = MakeInflatingFile(std::move(file), path, compression);
  return std::unique_ptr<RecordReader>(new RecordReader(path, std::move(file), std::max<int64_t>(buffer_bytes, 4096)));
}

template <typename... Args> Status RecordReader::Corrupt(const Args&... args) {
  return DataLoss(path_, ": record ", record_number_, " at byte ", offset_, ": ", args...);
}

Result<int64_t> RecordReader::Fill(int64_t size) {
  const auto wanted = static_cast<size_t>(size);
  while (end_ - begin_ < wanted) {
    if (begin_ > 0 && buffer_.size() - begin_ < wanted) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) buffer_.resize(std::min(buffer_.size() * 2, std::max(buffer_.size(), wanted)));
    const auto room = static_cast<int64_t>(buffer_.size() - end_);
    HR_ASSIGN_OR_RETURN(const int64_t got, file_->Read(room, buffer_.data() + end_));
    end_ += static_cast<size_t>(got);
    if (got < room) break;
  }
  return static_cast<int64_t>(std::min(end_ - begin_, wanted));
}

Status RecordReader::ReadHeader(uint64_t* length, bool* end) {
  *end = at_end_;
  if (at_end_) return OkStatus();
  at_end_ = true;  // unless the header is whole
  HR_ASSIGN_OR_RETURN(const int64_t got, Fill(kHeaderBytes));
  if (got == 0) {
    *end = true;
    return OkStatus();
  }
  if (got < kHeaderBytes) return Corrupt("truncated header: ", got, " of ", kHeaderBytes, " bytes");
  const char* header = buffer_.data() + begin_;
  *length = LoadFixed64(header);
  const uint32_t stored = UnmaskCrc(LoadFixed32(header + 8));
  const uint32_t computed = Crc32c({header, 8});
  if (stored != computed) {
    return Corrupt("length checksum is ", HexCrc(stored), ", computed ", HexCrc(computed), " (length ", *length, ")");
  }
  if (*length > uint64_t{1} << 62) return Corrupt("length ", *length, " is too large");
  at_end_ = false;
  begin_ += kHeaderBytes;
  return OkStatus();
}

Status RecordReader::Next(std::string_view* record, bool* end) {
  uint64_t length = 0;
  HR_RETURN_IF_ERROR(ReadHeader(&length, end));
  if (*end) return OkStatus();
  const auto size = static_cast<int64_t>(length);
  HR_ASSIGN_OR_RETURN(const int64_t got, Fill(size + kFooterBytes));
  if (got < size + kFooterBytes) {
    at_end_ = true;
    return Corrupt("truncated record: ", got, " of ", size + kFooterBytes, " bytes after its header");
  }
  const char* data = buffer_.data() + begin_;
  *record = std::string_view(data, length);
  const uint32_t stored = UnmaskCrc(LoadFixed32(data + size));
  const uint32_t computed = Crc32c(*record);
  Status status;
  if (stored != computed) status = Corrupt("data checksum is ", HexCrc(stored), ", computed ", HexCrc(computed));
  begin_ += length + kFooterBytes;
  offset_ += kHeaderBytes + size + kFooterBytes;
  ++record_number_;
  return status;
}

Result<int64_t> RecordReader::Skip(int64_t count) {
  for (int64_t skipped = 0; skipped < count; ++skipped) {
    uint64_t length = 0;
    bool end = false;
    HR_RETURN_IF_ERROR(ReadHeader(&length, &end));
    if (end) return skipped;
    const auto rest = static_cast<int64_t>(length) + kFooterBytes;
    const auto buffered = static_cast<int64_t>(end_ - begin_);
    if (rest <= buffered) {
      begin_ += static_cast<size_t>(rest);
    } else {
      // All but the last byte by seeking; reading that one shows whether the file reaches so far.
      begin_ = end_ = 0;
      HR_RETURN_IF_ERROR(file_->Skip(rest - buffered - 1));
      HR_ASSIGN_OR_RETURN(const int64_t last, Fill(1));
      if (last < 1) {
        at_end_ = true;
        return Corrupt("truncated record: the file ends within its ", rest, " bytes after the header");
      }
      begin_ += 1;
    }
    offset_ += kHeaderBytes + rest;
    ++record_number_;
  }
  return count;
}

Result<std::unique_ptr<RecordWriter>> RecordWriter::Create(FileSystem& files, const std::string& path,
                                                           Compression compression) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  if (compression != Compression::kNone) file = MakeDeflatingFile(std::move(file), compression);
  return std::unique_ptr<RecordWriter>(new RecordWriter(std::move(file)));
}

Status RecordWriter::Write(std::string_view record) {
  std::string header, footer;  // both fit into the strings themselves
  AppendFixed64(header, record.size());
  AppendFixed32(header, MaskCrc(Crc32c(header)));
  AppendFixed32(footer, MaskCrc(Crc32c(record)));
  HR_RETURN_IF_ERROR(file_->Append(header));
  HR_RETURN_IF_ERROR(file_->Append(record));
  return file_->Append(footer);
}

Status RecordWriter::Sync() { return file_->Sync(); }

Status RecordWriter::Close() { return file_->Close(); }

}  // namespace headrace
