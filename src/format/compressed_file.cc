// ZLIB and GZIP views of files, over zlib.
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "format/record_file.h"

namespace headrace {

namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;

int WindowBits(Compression compression) { return compression == Compression::kGzip ? kGzipWindow : kZlibWindow; }

class InflatingFile final : public SequentialFile {
 public:
  InflatingFile(std::unique_ptr<SequentialFile> file, std::string path, Compression compression)
      : file_(std::move(file)), path_(std::move(path)), input_(kPieceBytes) {
    ready_ = inflateInit2(&stream_, WindowBits(compression)) == Z_OK;
  }
  ~InflatingFile() override { inflateEnd(&stream_); }

  Result<int64_t> Read(int64_t size, char* buffer) override {
    if (!ready_) return Internal(path_, ": zlib cannot start");
    int64_t total = 0;
    while (total < size && !at_end_) {
      HR_ASSIGN_OR_RETURN(const int64_t got, Inflate(std::min<int64_t>(size - total, kPieceBytes), buffer + total));
      total += got;
    }
    return total;
  }
  Status Skip(int64_t size) override {
    std::vector<char> dropped(static_cast<size_t>(std::min<int64_t>(size, kPieceBytes)));
    while (size > 0) {
      HR_ASSIGN_OR_RETURN(const int64_t got, Read(std::min<int64_t>(size, kPieceBytes), dropped.data()));
      if (got == 0) break;
      size -= got;
    }
    return OkStatus();
  }

 private:
  Result<int64_t> Inflate(int64_t size, char* buffer) {
    if (stream_.avail_in == 0) {
      HR_ASSIGN_OR_RETURN(const int64_t got, file_->Read(kPieceBytes, input_.data()));
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(got);
      if (got == 0) {
        at_end_ = true;
        return within_stream_ ? Result<int64_t>(DataLoss(path_, ": the compressed data is cut short")) : int64_t{0};
      }
      consumed_ += got;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = static_cast<uInt>(size);
    within_stream_ = true;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {  // another stream may follow (concatenated gzip files)
      within_stream_ = false;
      inflateReset(&stream_);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      at_end_ = true;
      return DataLoss(path_, ": bad compressed data before byte ", consumed_ - stream_.avail_in, ": ",
                      stream_.msg == nullptr ? "unknown error" : stream_.msg);
    }
    return size - static_cast<int64_t>(stream_.avail_out);
  }

  const std::unique_ptr<SequentialFile> file_;
  const std::string path_;
  std::vector<char> input_;
  z_stream stream_ = {};
  int64_t consumed_ = 0;
  bool ready_ = false;
  bool within_stream_ = false;
  bool at_end_ = false;
};

class DeflatingFile final : public WritableFile {
 public:
  DeflatingFile(std::unique_ptr<WritableFile> file, Compression compression)
      : file_(std::move(file)), output_(kPieceBytes) {
    ready_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WindowBits(compression), 8,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~DeflatingFile() override { deflateEnd(&stream_); }

  Status Append(std::string_view bytes) override { return Deflate(bytes, Z_NO_FLUSH); }
  Status Sync() override {
    HR_RETURN_IF_ERROR(Deflate({}, Z_SYNC_FLUSH));
    return file_->Sync();
  }
  Status Close() override {
    HR_RETURN_IF_ERROR(Deflate({}, Z_FINISH));
    return file_->Close();
  }

 private:
  Status Deflate(std::string_view bytes, int flush) {
    if (!ready_) return Internal("zlib cannot start");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      deflate(&stream_, flush);
      HR_RETURN_IF_ERROR(file_->Append({output_.data(), output_.size() - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return OkStatus();
  }

  const std::unique_ptr<WritableFile> file_;
  std::vector<char> output_;
  z_stream stream_ = {};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<SequentialFile> MakeInflatingFile(std::unique_ptr<SequentialFile> file, std::string path,
                                                  Compression compression) {
  return std::make_unique<InflatingFile>(std::move(file), std::move(path), compression);
}

std::unique_ptr<WritableFile> MakeDeflatingFile(std::unique_ptr<WritableFile> file, Compression compression) {
  return std::make_unique<DeflatingFile>(std::move(file), compression);
}

}  // namespace headrace
