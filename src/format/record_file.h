// TFRecord files.
//
//   file   = { record }
//   record = length        uint64, little-endian
//            length_crc    uint32: masked crc32c of the 8 length bytes
//            data          `length` bytes
//            data_crc      uint32: masked crc32c of data
//
// There is no file header. The whole file may be compressed (ZLIB or GZIP).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_system.h"

namespace headrace {

enum class Compression { kNone, kZlib, kGzip };

/// Reads "", "ZLIB" or "GZIP". Errors: kInvalidArgument, quoting the text.
HR_EXPORT Result<Compression> ParseCompression(std::string_view text);

/// Reads records in order. One thread at a time.
class HR_EXPORT RecordReader {
 public:
  static constexpr int64_t kDefaultBufferBytes = int64_t{256} << 10;

  /// Errors: as FileSystem::OpenSequential.
  static Result<std::unique_ptr<RecordReader>> Open(FileSystem& files, const std::string& path,
                                                    Compression compression = Compression::kNone,
                                                    int64_t buffer_bytes = kDefaultBufferBytes);

  /// Points `*record` at the next record's data, valid until the next call, or sets `*end`.
  /// Errors: kDataLoss with file, record number, byte offset and the checksum that does not fit, also for a record cut short
  /// (inside its header too). After a wrong data checksum the next call goes on with the next record; after any other error
  /// the file is at its end, since nothing says where the next record begins.
  Status Next(std::string_view* record, bool* end);
  /// Passes over up to `count` records, checking headers but not data; returns how many there were.
  Result<int64_t> Skip(int64_t count);

  /// The number of the record that Next reads next, and its offset in the (uncompressed) file.
  int64_t record_number() const { return record_number_; }
  int64_t offset() const { return offset_; }

 private:
  RecordReader(std::string path, std::unique_ptr<SequentialFile> file, int64_t buffer_bytes)
      : path_(std::move(path)), file_(std::move(file)), buffer_(static_cast<size_t>(buffer_bytes)) {}

  Status ReadHeader(uint64_t* length, bool* end);
  /// Makes `size` bytes available at begin_; fewer only at the end of the file. A record larger than the buffer grows it in
  /// steps as its bytes arrive, so that a wrong length cannot make it ask for memory that no file fills.
  Result<int64_t> Fill(int64_t size);
  template <typename... Args> Status Corrupt(const Args&... args);

  const std::string path_;
  const std::unique_ptr<SequentialFile> file_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // unread bytes are [begin_, end_) of the buffer
  size_t end_ = 0;
  int64_t record_number_ = 0;
  int64_t offset_ = 0;
  bool at_end_ = false;
};

/// Writes records in order. One thread at a time.
class HR_EXPORT RecordWriter {
 public:
  static Result<std::unique_ptr<RecordWriter>> Create(FileSystem& files, const std::string& path,
                                                      Compression compression = Compression::kNone);
  Status Write(std::string_view record);
  /// Makes what was written durable.
  Status Sync();
  Status Close();

 private:
  explicit RecordWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  const std::unique_ptr<WritableFile> file_;
};

/// Views of compressed files. `path` is for messages. Errors while reading: kDataLoss.
HR_EXPORT std::unique_ptr<SequentialFile> MakeInflatingFile(std::unique_ptr<SequentialFile> file, std::string path,
                                                            Compression compression);
HR_EXPORT std::unique_ptr<WritableFile> MakeDeflatingFile(std::unique_ptr<WritableFile> file, Compression compression);

}  // namespace headrace
