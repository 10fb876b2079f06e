// FixedLengthRecord: records of equal size between a header and a footer, file after file. A file whose size does not fit is one
// error; the next call goes on with the next file. Memory: one record, the footer and a read buffer. Blocks on reads.
#include <algorithm>
#include <string>

#include "data/stages.h"

namespace headrace {

namespace {

struct FixedLengthFiles {
  std::vector<std::string> paths;
  FixedLengthLayout layout;
  Compression compression;
  int64_t buffer_bytes;
};

class FixedLengthStage final : public Stage {
 public:
  FixedLengthStage(FileSystem* files, const FixedLengthFiles& list) : files_(files), list_(list) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      *end = file_ == nullptr && next_file_ == list_.paths.size();
      if (*end) return OkStatus();
      if (file_ == nullptr) HR_RETURN_IF_ERROR(Open());
      const int64_t record_bytes = list_.layout.record_bytes;
      HR_ASSIGN_OR_RETURN(const int64_t available, Fill(record_bytes + list_.layout.footer_bytes));
      if (available >= record_bytes + list_.layout.footer_bytes) {
        element->assign({Tensor::Scalar<std::string>(unread_.substr(begin_, static_cast<size_t>(record_bytes)))});
        begin_ += static_cast<size_t>(record_bytes);
        body_bytes_ += record_bytes;
        return OkStatus();
      }
      const int64_t rest = available - list_.layout.footer_bytes;
      file_.reset();
      if (rest != 0) return WrongSize(Code::kDataLoss, body_bytes_ + rest);
    }
  }
  bool MayBlock() const override { return true; }

 private:
  const std::string& path() const { return list_.paths[next_file_ - 1]; }

  Status WrongSize(Code code, int64_t body_bytes) const {
    return Status(code, StrCat("Excluding the header (", list_.layout.header_bytes, " bytes) and footer (",
                               list_.layout.footer_bytes, " bytes), input file \"", path(), "\" has body length ",
                               body_bytes, " bytes, which is not an exact multiple of the record length (",
                               list_.layout.record_bytes, " bytes)."));
  }

  /// Opens the next file behind its header. The size of one that is not compressed is checked before anything is read.
  Status Open() {
    ++next_file_;
    body_bytes_ = 0;
    begin_ = 0;
    unread_.clear();
    if (list_.compression == Compression::kNone) {
      HR_ASSIGN_OR_RETURN(const int64_t size, files_->SizeOf(path()));
      const int64_t body = size - list_.layout.header_bytes - list_.layout.footer_bytes;
      if (body < 0 || body % list_.layout.record_bytes != 0) return WrongSize(Code::kInvalidArgument, body);
    }
    HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files_->OpenSequential(path()));
    if (list_.compression != Compression::kNone) file = MakeInflatingFile(std::move(file), path(), list_.compression);
    HR_RETURN_IF_ERROR(file->Skip(list_.layout.header_bytes));
    file_ = std::move(file);
    return OkStatus();
  }

  /// Makes `size` bytes available at begin_; returns how many there are, fewer only at the end of the file. After an error the
  /// file is given up.
  Result<int64_t> Fill(int64_t size) {
    while (static_cast<int64_t>(unread_.size() - begin_) < size) {
      unread_.erase(0, begin_);
      begin_ = 0;
      // In steps, so that a record's size alone asks for no memory.
      const size_t had = unread_.size();
      const auto step = static_cast<size_t>(list_.buffer_bytes);
      unread_.resize(had + step);
      Result<int64_t> read = file_->Read(list_.buffer_bytes, unread_.data() + had);
      unread_.resize(had + static_cast<size_t>(read.ok() ? *read : 0));
      if (!read.ok()) {
        file_.reset();
        return read.status();
      }
      if (*read == 0) break;
    }
    return static_cast<int64_t>(unread_.size() - begin_);
  }

  FileSystem* const files_;
  const FixedLengthFiles& list_;
  size_t next_file_ = 0;
  std::unique_ptr<SequentialFile> file_;
  std::string unread_;  // [begin_, end)
  size_t begin_ = 0;
  int64_t body_bytes_ = 0;
};

class FixedLengthDataset final : public SpecDataset {
 public:
  explicit FixedLengthDataset(FixedLengthFiles list)
      : SpecDataset({{DType::kString}, {PartialShape::Scalar()}}), list_(std::move(list)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    return std::unique_ptr<Stage>(std::make_unique<FixedLengthStage>(context->runtime->files, list_));
  }

 private:
  const FixedLengthFiles list_;
};

}  // namespace

Result<DatasetPtr> MakeFixedLengthRecordDataset(std::vector<std::string> paths, const FixedLengthLayout& layout,
                                                Compression compression, int64_t buffer_bytes) {
  constexpr int64_t kMost = int64_t{1} << 40;
  const auto check = [](std::string_view name, int64_t value, int64_t least) {
    if (value >= least && value < kMost) return OkStatus();
    return InvalidArgument("`", name, "` must be ", least == 0 ? ">= 0" : "> 0", " and below 2^40, got ", value);
  };
  HR_RETURN_IF_ERROR(check("header_bytes", layout.header_bytes, 0));
  HR_RETURN_IF_ERROR(check("record_bytes", layout.record_bytes, 1));
  HR_RETURN_IF_ERROR(check("footer_bytes", layout.footer_bytes, 0));
  return DatasetPtr(std::make_shared<FixedLengthDataset>(
      FixedLengthFiles{std::move(paths), layout, compression, FileBufferBytes(buffer_bytes)}));
}

}  // namespace headrace
