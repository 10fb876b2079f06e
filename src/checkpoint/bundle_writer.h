// BundleWriter: writes tensors into a bundle of one shard. MergeBundles: makes one bundle of several, copying no data.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/bundle_entry.h"
#include "os/file_system.h"

namespace headrace {

/// One thread at a time. Readers see the bundle once Finish has returned OK; a writer that is dropped before leaves
/// nothing.
class HR_EXPORT BundleWriter {
 public:
  /// Makes the directory of `prefix` where it is missing. Errors: the file system's.
  static Result<std::unique_ptr<BundleWriter>> Create(FileSystem& files, std::string prefix);
  ~BundleWriter();

  /// Errors: kInvalidArgument for an empty name, a name that is there already, a resource tensor; the file's.
  Status Add(std::string_view name, const Tensor& tensor);
  /// Adds a part of the tensor `name`, which is stored as soon as all its parts are added, here or in bundles merged
  /// with this one. Errors: kInvalidArgument also when the parts' dtypes or whole shapes differ.
  Status AddSlice(std::string_view name, const ShapeAndSlice& part, const Tensor& tensor);
  /// Makes the data durable and gives the files their names, the index last. An older bundle of the same prefix is
  /// without an index from the moment its data is replaced.
  Status Finish();

 private:
  BundleWriter(FileSystem& files, std::string prefix);
  Status AddEntry(std::string name, const Tensor& tensor);
  Result<uint32_t> WritePlain(const Tensor& tensor);

  FileSystem& files_;
  const std::string prefix_;
  const std::string temporary_data_;
  std::unique_ptr<WritableFile> data_;  // null when finished
  int64_t offset_ = 0;
  std::map<std::string, BundleEntry, std::less<>> entries_;
};

/// Makes the bundles `prefixes` one bundle, `destination`: renames their data files and merges their indexes. Parts of
/// one tensor that lie in several bundles come together. Errors: kInvalidArgument for a tensor that two of them have;
/// kNotFound for a missing bundle (or, with `allow_missing_files`, only when all are missing); kDataLoss for a damaged
/// index.
HR_EXPORT Status MergeBundles(FileSystem& files, std::span<const std::string> prefixes, const std::string& destination,
                              bool allow_missing_files = false);

}  // namespace headrace
