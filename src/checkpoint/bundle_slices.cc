// Tensors that a bundle keeps in slices.
#include "checkpoint/bundle_reader.h"

namespace headrace {

// Bounds the work of finding out whether slices overlap.
constexpr size_t kMostSlices = size_t{1} << 14;

Result<std::vector<BundleReader::Part>> BundleReader::PartsOf(std::string_view name, const BundleEntry& entry,
                                                              const TensorSlice& wanted) const {
  const auto lost = [&](const auto&... args) {
    return DataLoss(BundleIndexPath(prefix_), ": tensor '", name, "' ", entry.dtype, entry.shape, ": ", args...);
  };
  if (entry.slices.size() > kMostSlices)
    return lost("it has ", entry.slices.size(), " slices, the limit is ", kMostSlices);
  std::vector<Part> parts;
  int64_t found = 0;
  for (const TensorSlice& stored : entry.slices) {
    const Result<TensorSlice> slice = stored.Within(entry.shape);
    if (!slice.ok()) return lost(slice.status().message());
    const int64_t shared = slice->SharedElements(wanted);
    if (shared == 0) continue;
    for (const Part& other : parts) {
      if (slice->SharedElements(other.slice) != 0) return lost("slices ", other.slice, " and ", *slice, " overlap");
    }
    const auto part = entries_.find(SliceKey(name, stored));
    if (part == entries_.end()) return lost("its slice ", stored, " is not there");
    if (part->second.dtype != entry.dtype || part->second.shape != slice->shape()) {
      return lost("its slice ", stored, " is ", part->second.dtype, part->second.shape);
    }
    parts.push_back({StrCat("tensor '", name, "' slice ", *slice), *slice, &part->second});
    HR_RETURN_IF_ERROR(CheckExtent(parts.back().label, part->second).status());
    found += shared;
  }
  const int64_t wanted_elements = wanted.shape().num_elements();
  if (found != wanted_elements)
    return lost("its slices hold ", found, " of the ", wanted_elements, " elements of ", wanted);
  return parts;
}

Result<Tensor> BundleReader::Assemble(std::string_view name, const BundleEntry& entry, const TensorSlice& wanted,
                                      const std::shared_ptr<MemoryAccount>& account) const {
  // The parts are known to be there, to lie in the files and to leave no gap before memory is asked for.
  HR_ASSIGN_OR_RETURN(const std::vector<Part> parts, PartsOf(name, entry, wanted));
  if (parts.size() == 1 && parts[0].slice == wanted) return ReadEntry(parts[0].label, *parts[0].entry, account);
  HR_ASSIGN_OR_RETURN(Tensor assembled, Tensor::Allocate(entry.dtype, wanted.shape(), account));
  for (const Part& part : parts) {
    HR_ASSIGN_OR_RETURN(const Tensor value, ReadEntry(part.label, *part.entry, account));
    CopySharedPart(part.slice, value, wanted, &assembled);
  }
  return assembled;
}

}  // namespace headrace
