// A file system in memory: files are strings under one lock; directories need not be made.
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "os/file_system.h"

namespace headrace {

namespace {

using Content = std::shared_ptr<std::string>;

class MemorySequentialFile final : public SequentialFile {
 public:
  explicit MemorySequentialFile(Content content) : content_(std::move(content)) {}
  Result<int64_t> Read(int64_t size, char* buffer) override {
    const size_t got = std::min(static_cast<size_t>(size), content_->size() - position_);
    content_->copy(buffer, got, position_);
    position_ += got;
    return static_cast<int64_t>(got);
  }
  Status Skip(int64_t size) override {
    position_ = std::min(content_->size(), position_ + static_cast<size_t>(size));
    return OkStatus();
  }

 private:
  const Content content_;
  size_t position_ = 0;
};

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  MemoryRandomAccessFile(std::string path, Content content) : path_(std::move(path)), content_(std::move(content)) {}
  Status ReadAt(int64_t offset, int64_t size, char* buffer) const override {
    if (offset < 0 || size < 0 || offset > this->size() - size) {
      return OutOfRange(path_, ": the file ends at byte ", this->size(), ", bytes [", offset, ", ", offset + size,
                        ") were asked for");
    }
    content_->copy(buffer, static_cast<size_t>(size), static_cast<size_t>(offset));
    return OkStatus();
  }
  int64_t size() const override { return static_cast<int64_t>(content_->size()); }

 private:
  const std::string path_;
  const Content content_;
};

class MemoryWritableFile final : public WritableFile {
 public:
  explicit MemoryWritableFile(Content content) : content_(std::move(content)) {}
  Status Append(std::string_view bytes) override {
    content_->append(bytes);
    return OkStatus();
  }
  Status Sync() override { return OkStatus(); }
  Status Close() override { return OkStatus(); }

 private:
  const Content content_;
};

/// A file that is open keeps its content when it is replaced, as on a real file system.
class MemoryFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<SequentialFile>> OpenSequential(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Content content, Find(path));
    return std::unique_ptr<SequentialFile>(std::make_unique<MemorySequentialFile>(std::move(content)));
  }
  Result<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Content content, Find(path));
    return std::unique_ptr<RandomAccessFile>(std::make_unique<MemoryRandomAccessFile>(path, std::move(content)));
  }
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    std::lock_guard lock(mutex_);
    Content& content = files_[path];
    content = std::make_shared<std::string>();
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(content));
  }
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override {
    std::lock_guard lock(mutex_);
    Content& content = files_[path];
    if (content == nullptr) content = std::make_shared<std::string>();
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(content));
  }
  bool Exists(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return files_.contains(path);
  }
  Result<int64_t> SizeOf(const std::string& path) override {
    HR_ASSIGN_OR_RETURN(Content content, Find(path));
    return static_cast<int64_t>(content->size());
  }
  Status Rename(const std::string& from, const std::string& to) override {
    std::lock_guard lock(mutex_);
    const auto found = files_.find(from);
    if (found == files_.end()) return NotFound(from, ": no such file");
    Content content = found->second;
    files_.erase(found);
    files_[to] = std::move(content);
    return OkStatus();
  }
  Status Delete(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return files_.erase(path) > 0 ? OkStatus() : NotFound(path, ": no such file");
  }
  Status MakeDirectories(const std::string&) override { return OkStatus(); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    const std::string prefix = directory.empty() || directory.back() == '/' ? directory : directory + "/";
    std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [path, content] : files_) {
      if (path.starts_with(prefix))
        names.insert(path.substr(prefix.size(), path.find('/', prefix.size()) - prefix.size()));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<std::vector<std::string>> Match(const std::string& pattern) override {
    std::lock_guard lock(mutex_);
    std::vector<std::string> paths;
    for (const auto& [path, content] : files_) {
      if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) paths.push_back(path);
    }
    return paths;
  }

 private:
  Result<Content> Find(const std::string& path) {
    std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return NotFound(path, ": no such file");
    return found->second;
  }

  std::mutex mutex_;
  std::map<std::string, Content> files_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeInMemoryFileSystem() { return std::make_unique<MemoryFiles>(); }

}  // namespace headrace
