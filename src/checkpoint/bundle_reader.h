// BundleReader: reads tensors from a bundle (TensorFlow's checkpoint V2).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/bundle_entry.h"
#include "os/file_system.h"

namespace headrace {

/// Thread-safe. Reads the index when it is opened and the data when it is asked for.
class HR_EXPORT BundleReader {
 public:
  struct Named {
    std::string name;
    DType dtype;
    Shape shape;
  };

  /// Errors: kNotFound when there is no such bundle; kDataLoss for a damaged index, naming the file and the place.
  static Result<std::unique_ptr<BundleReader>> Open(FileSystem& files, std::string prefix);

  /// The tensors, in the order of their names.
  std::vector<Named> List() const;
  /// Errors: kNotFound "Key NAME not found in checkpoint".
  Result<Named> Find(std::string_view name) const;

  /// Reads a whole tensor, from its slices where it is stored in such. Checksums are verified. Nothing is allocated
  /// that the files do not fill. Errors: kNotFound for the tensor or a missing data file; kDataLoss for a file cut
  /// short, bytes that do not fit their checksum, or slices that leave a gap; each names the file and the tensor.
  Result<Tensor> Read(std::string_view name, const std::shared_ptr<MemoryAccount>& account = nullptr) const;
  /// Reads a part of a tensor. Errors: also kInvalidArgument when the tensor has another shape than part.shape.
  Result<Tensor> ReadSlice(std::string_view name, const ShapeAndSlice& part,
                           const std::shared_ptr<MemoryAccount>& account = nullptr) const;

 private:
  using Entries = std::map<std::string, BundleEntry, std::less<>>;

  BundleReader(FileSystem& files, std::string prefix, int64_t num_shards, Entries entries)
      : files_(files), prefix_(std::move(prefix)), num_shards_(num_shards), entries_(std::move(entries)) {}

  /// A slice that is stored, within the whole tensor.
  struct Part {
    std::string label;  // for messages
    TensorSlice slice;
    const BundleEntry* entry;
  };

  Result<const BundleEntry*> FindEntry(std::string_view name) const;
  /// Opened once. `label` says in messages what was wanted there.
  Result<const RandomAccessFile*> DataFile(std::string_view label, int64_t shard) const;
  Status Lost(std::string_view label, const BundleEntry& entry, std::string_view what) const;
  /// Checks that the bytes of `entry` are as many as its shape wants and lie within their file, which it returns.
  Result<const RandomAccessFile*> CheckExtent(std::string_view label, const BundleEntry& entry) const;
  /// Reads what lies in one piece.
  Result<Tensor> ReadEntry(std::string_view label, const BundleEntry& entry,
                           const std::shared_ptr<MemoryAccount>& account) const;
  /// The slices that together hold `wanted`, without gap or overlap.
  Result<std::vector<Part>> PartsOf(std::string_view name, const BundleEntry& entry, const TensorSlice& wanted) const;
  Result<Tensor> Assemble(std::string_view name, const BundleEntry& entry, const TensorSlice& wanted,
                          const std::shared_ptr<MemoryAccount>& account) const;

  FileSystem& files_;
  const std::string prefix_;
  const int64_t num_shards_;
  const Entries entries_;
  mutable std::mutex mutex_;
  mutable std::map<int64_t, std::unique_ptr<RandomAccessFile>>
      data_files_;  // guarded by mutex_; by shard, opened when needed
};

}  // namespace headrace
