#include "ops/io/record_sources.h"

#include <algorithm>
#include <utility>

#include "format/csv.h"

namespace headrace {

namespace {

class TextLines final : public RecordSource {
 public:
  TextLines(std::string path, std::unique_ptr<SequentialFile> file, int64_t skipped)
      : path_(std::move(path)), lines_(std::move(file)), skipped_(skipped) {}

  Status Next(KeyedRecord* record, bool* end) override {
    std::string_view line;
    do {
      HR_RETURN_IF_ERROR(lines_.Next(&line, end));
      if (*end) return OkStatus();
    } while (++number_ <= skipped_);
    *record = {StrCat(path_, ":", number_), std::string(line)};
    return OkStatus();
  }

 private:
  const std::string path_;
  LineReader lines_;
  const int64_t skipped_;
  int64_t number_ = 0;
};

class TfRecords final : public RecordSource {
 public:
  TfRecords(std::string path, std::unique_ptr<RecordReader> reader)
      : path_(std::move(path)), reader_(std::move(reader)) {}

  Status Next(KeyedRecord* record, bool* end) override {
    const int64_t offset = reader_->offset();
    std::string_view data;
    HR_RETURN_IF_ERROR(reader_->Next(&data, end));
    if (!*end) *record = {StrCat(path_, ":", offset), std::string(data)};
    return OkStatus();
  }

 private:
  const std::string path_;
  const std::unique_ptr<RecordReader> reader_;
};

/// A footer is known only when the file has ended, so the bytes of one are always read ahead.
class FixedLengthRecords final : public RecordSource {
 public:
  FixedLengthRecords(std::string path, std::unique_ptr<SequentialFile> file, const FixedLength& layout)
      : path_(std::move(path)), file_(std::move(file)), layout_(layout) {}

  Status Next(KeyedRecord* record, bool* end) override {
    const int64_t hop = layout_.hop_bytes > 0 ? layout_.hop_bytes : layout_.record_bytes;
    HR_RETURN_IF_ERROR(Drop(number_ == 0 ? layout_.header_bytes : hop));
    HR_RETURN_IF_ERROR(Fill(layout_.record_bytes + layout_.footer_bytes));
    *end = static_cast<int64_t>(buffer_.size() - begin_) < layout_.record_bytes + layout_.footer_bytes;
    if (*end) return OkStatus();
    *record = {StrCat(path_, ":", number_++), buffer_.substr(begin_, static_cast<size_t>(layout_.record_bytes))};
    return OkStatus();
  }

 private:
  static constexpr int64_t kReadBytes = int64_t{64} << 10;

  Status Drop(int64_t bytes) {
    const int64_t buffered = std::min(bytes, static_cast<int64_t>(buffer_.size() - begin_));
    begin_ += static_cast<size_t>(buffered);
    return bytes == buffered ? OkStatus() : file_->Skip(bytes - buffered);
  }
  /// Makes `bytes` available at begin_; fewer only at the file's end. Grows as bytes arrive: the size may be anything.
  Status Fill(int64_t bytes) {
    while (static_cast<int64_t>(buffer_.size() - begin_) < bytes) {
      buffer_.erase(0, std::exchange(begin_, 0));
      const size_t size = buffer_.size();
      buffer_.resize(size + kReadBytes);
      HR_ASSIGN_OR_RETURN(const int64_t got, file_->Read(kReadBytes, buffer_.data() + size));
      buffer_.resize(size + static_cast<size_t>(got));
      if (got == 0) break;
    }
    return OkStatus();
  }

  const std::string path_;
  const std::unique_ptr<SequentialFile> file_;
  const FixedLength layout_;
  std::string buffer_;
  size_t begin_ = 0;
  int64_t number_ = 0;
};

class OneRecord final : public RecordSource {
 public:
  explicit OneRecord(KeyedRecord record) : record_(std::move(record)) {}
  Status Next(KeyedRecord* record, bool* end) override {
    *end = std::exchange(is_given_, true);
    if (!*end) *record = std::move(record_);
    return OkStatus();
  }

 private:
  KeyedRecord record_;
  bool is_given_ = false;
};

using OpenedSource = Result<std::unique_ptr<RecordSource>>;

template <typename Source, typename... Args> OpenedSource MakeSource(Args&&... args) {
  return std::unique_ptr<RecordSource>(std::make_unique<Source>(std::forward<Args>(args)...));
}

}  // namespace

OpenRecordSource TextLineSource(int64_t skip_header_lines) {
  return [skip_header_lines](FileSystem& files, const std::string& path) -> OpenedSource {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
    return MakeSource<TextLines>(path, std::move(file), skip_header_lines);
  };
}

OpenRecordSource TfRecordSource(Compression compression) {
  return [compression](FileSystem& files, const std::string& path) -> OpenedSource {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<RecordReader> reader, RecordReader::Open(files, path, compression));
    return MakeSource<TfRecords>(path, std::move(reader));
  };
}

OpenRecordSource FixedLengthSource(const FixedLength& layout, Compression compression) {
  return [layout, compression](FileSystem& files, const std::string& path) -> OpenedSource {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
    if (compression != Compression::kNone) file = MakeInflatingFile(std::move(file), path, compression);
    return MakeSource<FixedLengthRecords>(path, std::move(file), layout);
  };
}

OpenRecordSource WholeFileSource() {
  return [](FileSystem& files, const std::string& path) -> OpenedSource {
    HR_ASSIGN_OR_RETURN(std::string content, ReadWholeFile(files, path));
    return MakeSource<OneRecord>(KeyedRecord{path, std::move(content)});
  };
}

OpenRecordSource IdentitySource() {
  return [](FileSystem&, const std::string& path) -> OpenedSource {
    return MakeSource<OneRecord>(KeyedRecord{path, path});
  };
}

}  // namespace headrace
