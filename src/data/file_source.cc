// Records and lines of files, file after file. A bad record or file is one error; the next call goes on behind it.
// Memory: one read buffer. Blocks on reads. Skipping records reads only their headers.
#include <memory>

#include "data/stages.h"
#include "format/csv.h"

namespace headrace {

namespace {

/// Reads one kind of file; `Reader` is RecordReader or LineReader.
struct RecordFormat {
  using Reader = RecordReader;
  static Result<std::unique_ptr<Reader>> Open(FileSystem& files, const std::string& path, Compression compression,
                                              int64_t buffer_bytes) {
    return RecordReader::Open(files, path, compression, buffer_bytes);
  }
  static Result<int64_t> Skip(Reader& reader, int64_t count) { return reader.Skip(count); }
};

struct LineFormat {
  using Reader = LineReader;
  static Result<std::unique_ptr<Reader>> Open(FileSystem& files, const std::string& path, Compression compression,
                                              int64_t buffer_bytes) {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
    if (compression != Compression::kNone) file = MakeInflatingFile(std::move(file), path, compression);
    return std::make_unique<LineReader>(std::move(file), std::max<int64_t>(buffer_bytes, 4096));
  }
  static Result<int64_t> Skip(Reader& reader, int64_t count) {
    for (int64_t skipped = 0; skipped < count; ++skipped) {
      std::string_view line;
      bool end = false;
      HR_RETURN_IF_ERROR(reader.Next(&line, &end));
      if (end) return skipped;
    }
    return count;
  }
};

struct FileList {
  std::vector<std::string> paths;
  Compression compression;
  int64_t buffer_bytes;
};

template <typename Format> class FileStage final : public Stage {
 public:
  FileStage(FileSystem* files, const FileList& list) : files_(files), list_(list) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(OpenCurrent(end));
      if (*end) return OkStatus();
      std::string_view text;
      bool file_end = false;
      HR_RETURN_IF_ERROR(reader_->Next(&text, &file_end));
      if (!file_end) {
        element->clear();
        element->push_back(Tensor::Scalar<std::string>(std::string(text)));
        return OkStatus();
      }
      reader_.reset();
    }
  }

  Result<int64_t> Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count) {
      bool end = false;
      HR_RETURN_IF_ERROR(OpenCurrent(&end));
      if (end) break;
      HR_ASSIGN_OR_RETURN(const int64_t some, Format::Skip(*reader_, count - skipped));
      skipped += some;
      if (skipped < count) reader_.reset();
    }
    return skipped;
  }
  bool MayBlock() const override { return true; }

 private:
  Status OpenCurrent(bool* end) {
    *end = reader_ == nullptr && next_file_ == list_.paths.size();
    if (reader_ != nullptr || *end) return OkStatus();
    HR_ASSIGN_OR_RETURN(reader_,
                        Format::Open(*files_, list_.paths[next_file_++], list_.compression, list_.buffer_bytes));
    return OkStatus();
  }

  FileSystem* const files_;
  const FileList& list_;
  size_t next_file_ = 0;
  std::unique_ptr<typename Format::Reader> reader_;
};

template <typename Format>
class FileDataset final : public SpecDataset, public std::enable_shared_from_this<FileDataset<Format>> {
 public:
  explicit FileDataset(FileList list)
      : SpecDataset({{DType::kString}, {PartialShape::Scalar()}}), list_(std::move(list)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    return std::unique_ptr<Stage>(std::make_unique<FileStage<Format>>(context->runtime->files, list_));
  }

 private:
  const FileList list_;
};

}  // namespace

DatasetPtr MakeRecordDataset(std::vector<std::string> paths, Compression compression, int64_t buffer_bytes) {
  return std::make_shared<FileDataset<RecordFormat>>(
      FileList{std::move(paths), compression, FileBufferBytes(buffer_bytes)});
}

DatasetPtr MakeTextLineDataset(std::vector<std::string> paths, Compression compression, int64_t buffer_bytes) {
  return std::make_shared<FileDataset<LineFormat>>(
      FileList{std::move(paths), compression, FileBufferBytes(buffer_bytes)});
}

}  // namespace headrace
