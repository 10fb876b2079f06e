// The index of a bundle in memory: read whole, written whole.
#pragma once

#include <map>
#include <string>

#include "checkpoint/bundle_entry.h"
#include "os/file_system.h"

namespace headrace {

struct BundleIndex {
  BundleHeader header;
  std::map<std::string, BundleEntry, std::less<>> entries;  // by key: names and SliceKeys
};

/// Errors: kNotFound when there is no such bundle; kDataLoss for a damaged index; kUnimplemented for one of another
/// byte order or of a later version.
Result<BundleIndex> ReadBundleIndex(FileSystem& files, const std::string& prefix);

/// Writes the index under a temporary name, makes it durable and renames it.
Status WriteBundleIndex(FileSystem& files, const std::string& prefix, const BundleIndex& index);

/// The directory part of a path, "" where it has none.
std::string DirectoryOf(const std::string& path);
/// A name beside `path` that no other writer uses.
std::string TemporaryPath(const std::string& path);

}  // namespace headrace
