#include "os/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace headrace {

namespace {

Status ErrnoStatus(const std::string& path, std::string_view action, int error) {
  const std::string message = StrCat(path, ": ", action, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Status(Code::kNotFound, message);
    case EACCES:
    case EPERM:
    case EROFS:
      return Status(Code::kPermissionDenied, message);
    case EEXIST:
      return Status(Code::kAlreadyExists, message);
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return Status(Code::kResourceExhausted, message);
    case EISDIR:
      return Status(Code::kFailedPrecondition, message);
    default:
      return Status(Code::kInternal, message);
  }
}

/// An open file that closes itself.
class Descriptor {
 public:
  Descriptor(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  static Result<Descriptor> Open(const std::string& path, int flags) {
    int fd;
    do {
      fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return ErrnoStatus(path, "cannot open", errno);
    return Descriptor(fd, path);
  }
  Status Close() {
    const int fd = std::exchange(fd_, -1);
    return fd >= 0 && close(fd) != 0 ? ErrnoStatus(path_, "cannot close", errno) : OkStatus();
  }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

class RealSequentialFile final : public SequentialFile {
 public:
  explicit RealSequentialFile(Descriptor file) : file_(std::move(file)) {
    posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  Result<int64_t> Read(int64_t size, char* buffer) override {
    int64_t total = 0;
    while (total < size) {
      const ssize_t got = read(file_.fd(), buffer + total, static_cast<size_t>(size - total));
      if (got == 0) break;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus(file_.path(), "cannot read", errno);
      total += got;
    }
    return total;
  }
  Status Skip(int64_t size) override {
    return lseek(file_.fd(), size, SEEK_CUR) < 0 ? ErrnoStatus(file_.path(), "cannot seek", errno) : OkStatus();
  }

 private:
  Descriptor file_;
};

class RealRandomAccessFile final : public RandomAccessFile {
 public:
  RealRandomAccessFile(Descriptor file, int64_t size) : file_(std::move(file)), size_(size) {}
  Status ReadAt(int64_t offset, int64_t size, char* buffer) const override {
    int64_t total = 0;
    while (total < size) {
      const ssize_t got = pread(file_.fd(), buffer + total, static_cast<size_t>(size - total), offset + total);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus(file_.path(), "cannot read", errno);
      if (got == 0) {
        return OutOfRange(file_.path(), ": the file ends at byte ", offset + total, ", bytes [", offset, ", ",
                          offset + size, ") were asked for");
      }
      total += got;
    }
    return OkStatus();
  }
  int64_t size() const override { return size_; }

 private:
  const Descriptor file_;
  const int64_t size_;
};

/// Collects small appends into one write.
class RealWritableFile final : public WritableFile {
 public:
  explicit RealWritableFile(Descriptor file) : file_(std::move(file)) {}
  ~RealWritableFile() override { (void)Flush().ok(); }

  Status Append(std::string_view bytes) override {
    if (buffer_.size() + bytes.size() > kBufferBytes) HR_RETURN_IF_ERROR(Flush());
    if (bytes.size() >= kBufferBytes) return WriteAll(bytes);
    buffer_ += bytes;
    return OkStatus();
  }
  Status Sync() override {
    HR_RETURN_IF_ERROR(Flush());
    return fdatasync(file_.fd()) != 0 ? ErrnoStatus(file_.path(), "cannot sync", errno) : OkStatus();
  }
  Status Close() override {
    const Status flushed = Flush();
    const Status closed = file_.Close();
    return flushed.ok() ? closed : flushed;
  }

 private:
  static constexpr size_t kBufferBytes = size_t{256} << 10;

  Status Flush() {
    if (buffer_.empty()) return OkStatus();
    const Status status = WriteAll(buffer_);
    buffer_.clear();
    return status;
  }
  Status WriteAll(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(file_.fd(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrnoStatus(file_.path(), "cannot write", errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return OkStatus();
  }

  Descriptor file_;
  std::string buffer_;
};

class SystemFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<SequentialFile>> OpenSequential(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Descriptor file, OpenForReading(path, nullptr));
    return std::unique_ptr<SequentialFile>(std::make_unique<RealSequentialFile>(std::move(file)));
  }
  Result<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    int64_t size = 0;
    HR_ASSIGN_OR_RETURN(Descriptor file, OpenForReading(path, &size));
    return std::unique_ptr<RandomAccessFile>(std::make_unique<RealRandomAccessFile>(std::move(file), size));
  }
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Descriptor file, Descriptor::Open(path, O_WRONLY | O_CREAT | O_TRUNC));
    return std::unique_ptr<WritableFile>(std::make_unique<RealWritableFile>(std::move(file)));
  }
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Descriptor file, Descriptor::Open(path, O_WRONLY | O_CREAT | O_APPEND));
    return std::unique_ptr<WritableFile>(std::make_unique<RealWritableFile>(std::move(file)));
  }
  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }
  Result<int64_t> SizeOf(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus(path, "cannot stat", errno);
    return static_cast<int64_t>(info.st_size);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(from, StrCat("cannot rename to ", to), errno);
    return SyncDirectoryOf(to);
  }
  Status Delete(const std::string& path) override {
    return remove(path.c_str()) != 0 ? ErrnoStatus(path, "cannot delete", errno) : OkStatus();
  }
  Status MakeDirectories(const std::string& path) override {
    for (size_t end = path.find('/', 1); !path.empty(); end = path.find('/', end + 1)) {
      const std::string prefix = path.substr(0, end);
      if (mkdir(prefix.c_str(), 0755) != 0 && errno != EEXIST)
        return ErrnoStatus(prefix, "cannot make the directory", errno);
      if (end == std::string::npos) break;
    }
    return OkStatus();
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    DIR* handle = opendir(directory.empty() ? "." : directory.c_str());
    if (handle == nullptr) return ErrnoStatus(directory, "cannot list", errno);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(handle)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    closedir(handle);
    std::ranges::sort(names);
    return names;
  }
  Result<std::vector<std::string>> Match(const std::string& pattern) override {
    glob_t found = {};
    const int error = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    if (error == GLOB_NOSPACE) return ResourceExhausted(pattern, ": no memory to match it");
    std::ranges::sort(paths);
    return paths;
  }

 private:
  /// A power cut loses what a directory was told until it is synced: a new name, above all.
  static Status SyncDirectoryOf(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
    HR_ASSIGN_OR_RETURN(Descriptor opened, Descriptor::Open(directory, O_RDONLY | O_DIRECTORY));
    if (fsync(opened.fd()) == 0 || errno == EINVAL)
      return OkStatus();  // EINVAL: a file system that knows no such thing
    return ErrnoStatus(directory, "cannot sync", errno);
  }
  static Result<Descriptor> OpenForReading(const std::string& path, int64_t* size) {
    HR_ASSIGN_OR_RETURN(Descriptor file, Descriptor::Open(path, O_RDONLY));
    struct stat info;
    if (fstat(file.fd(), &info) != 0) return ErrnoStatus(path, "cannot stat", errno);
    if (S_ISDIR(info.st_mode)) return ErrnoStatus(path, "cannot read", EISDIR);
    if (size != nullptr) *size = info.st_size;
    return file;
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static auto* files = new SystemFiles;
  return *files;
}

Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
  std::string content;
  while (true) {
    constexpr size_t kPiece = size_t{64} << 10;
    const size_t before = content.size();
    content.resize(before + kPiece);
    HR_ASSIGN_OR_RETURN(const int64_t got, file->Read(kPiece, content.data() + before));
    content.resize(before + static_cast<size_t>(got));
    if (got < static_cast<int64_t>(kPiece)) return content;
  }
}

Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  HR_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(temporary));
  HR_RETURN_IF_ERROR(file->Append(content));
  HR_RETURN_IF_ERROR(file->Sync());
  HR_RETURN_IF_ERROR(file->Close());
  return files.Rename(temporary, path);
}

std::string JoinPath(std::string_view a, std::string_view b) {
  if (a.empty() || (!b.empty() && b.front() == '/')) return std::string(b);
  return a.back() == '/' ? StrCat(a, b) : StrCat(a, "/", b);
}

}  // namespace headrace
