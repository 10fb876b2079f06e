// Sorted string tables: the format of a checkpoint's index, and of leveldb's files.
//
//   table     = { block } meta_block index_block footer     data blocks, then an empty block, then the index
//   block     = content type crc
//   content   = { entry } { restart: uint32 } restart_count: uint32
//   entry     = varint shared, varint unshared, varint value_length, `unshared` bytes of key, the value
//               its key is the first `shared` bytes of the key before, then those of its own; shared = 0 at restarts
//   type      = one byte: 0 as is, 1 compressed with Snappy
//   crc       = uint32: masked crc32c of content (as stored) and type
//   index     = a block whose entries are: a key >= all keys of a data block and < those of the next -> handle
//   handle    = varint offset, varint size of content, both of a block
//   footer    = handle of meta_block, handle of index_block, zeros up to 40 bytes, magic: uint64
//
// All integers are little-endian, keys are in byte order, offsets count from the beginning of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_system.h"

namespace headrace {

/// Calls `visit` for each entry in the order of the keys, until it returns an error. What it is given is valid during
/// the call. Memory: one block at a time, never more than the file can fill. Errors: kDataLoss with file and offset for
/// a wrong checksum or a malformed part; those of the file and of `visit`.
HR_EXPORT Status ReadTable(FileSystem& files, const std::string& path,
                           const std::function<Status(std::string_view key, std::string_view value)>& visit);

/// Writes a table, byte for byte as TensorFlow does; nothing is compressed. One thread at a time.
class HR_EXPORT TableWriter {
 public:
  explicit TableWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  /// Errors: kInvalidArgument unless `key` is above the one before; the file's.
  Status Add(std::string_view key, std::string_view value);
  /// Writes the index, makes all durable and closes the file.
  Status Finish();

 private:
  /// A block being filled.
  struct Block {
    std::string content;
    std::vector<uint32_t> restarts;
    int entries_since_restart = 0;
    std::string last_key;

    void Add(std::string_view key, std::string_view value, int restart_interval);
    std::string Take();
  };

  /// Writes a block and appends its handle to `*handle`.
  Status WriteBlock(Block* block, std::string* handle);
  /// Enters the finished data block in the index, under a key below `next_key` (or none, at the end).
  void IndexPending(const std::string& separator);

  const std::unique_ptr<WritableFile> file_;
  int64_t offset_ = 0;
  bool any_key_ = false;
  std::string last_key_;
  Block data_;
  Block index_;
  std::string pending_handle_;  // of a data block that the index does not have yet
};

}  // namespace headrace
