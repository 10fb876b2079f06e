// FileSystem: the only door to files. Versions: the real one, and one in memory (for tests).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace headrace {

/// Reads a file from its beginning. One thread at a time.
class HR_EXPORT SequentialFile {
 public:
  virtual ~SequentialFile() = default;
  /// Reads up to `size` bytes into `buffer`; returns how many, fewer only at the end of the file. Errors: kUnavailable, kInternal.
  virtual Result<int64_t> Read(int64_t size, char* buffer) = 0;
  /// Moves forward; past the end is the end.
  virtual Status Skip(int64_t size) = 0;
};

/// Reads anywhere. Thread-safe.
class HR_EXPORT RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  /// Reads exactly `size` bytes at `offset` into `buffer`. Errors: kOutOfRange when the file ends before.
  virtual Status ReadAt(int64_t offset, int64_t size, char* buffer) const = 0;
  virtual int64_t size() const = 0;
};

/// Writes a file. One thread at a time. Dropping it without Close may lose data.
class HR_EXPORT WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(std::string_view bytes) = 0;
  /// Makes what was written durable.
  virtual Status Sync() = 0;
  virtual Status Close() = 0;
};

/// Thread-safe. Every error names the path. Errors: kNotFound, kPermissionDenied, kAlreadyExists, kResourceExhausted (disk
/// full), kInternal.
class HR_EXPORT FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<SequentialFile>> OpenSequential(const std::string& path) = 0;
  virtual Result<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) = 0;
  /// Creates or replaces the file.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  /// Opens the file to write behind what it holds; makes it where there is none.
  virtual Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  virtual Result<int64_t> SizeOf(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to` atomically
  virtual Status Delete(const std::string& path) = 0;                         // a file, or an empty directory
  virtual Status MakeDirectories(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;  // names, sorted
  /// Files that match a shell pattern (* ? [a-z]), in any path component, sorted; whole paths.
  virtual Result<std::vector<std::string>> Match(const std::string& pattern) = 0;
};

/// The machine's files.
HR_EXPORT FileSystem& RealFileSystem();

/// A file system that lives in memory; for tests.
HR_EXPORT std::unique_ptr<FileSystem> MakeInMemoryFileSystem();

HR_EXPORT Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path);
/// Writes `path` by way of a temporary file beside it, so that a reader sees the old content or the new, never a part.
HR_EXPORT Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view content);
/// Joins two parts with one "/".
HR_EXPORT std::string JoinPath(std::string_view a, std::string_view b);

}  // namespace headrace
