#include "checkpoint/snapshot.h"

#include <algorithm>

#include "checkpoint/bundle_writer.h"

namespace headrace {

Result<std::vector<SavedTensor>> TakeSnapshot(std::span<const NamedVariable> variables) {
  std::vector<SavedTensor> tensors;
  for (const NamedVariable& named : variables) {
    Tensor value = named.variable->Read();
    if (!value.valid()) return FailedPrecondition("Variable '", named.name, "' has no value to save");
    tensors.push_back({named.name, std::move(value)});
  }
  return tensors;
}

Status WriteBundle(FileSystem& files, const std::string& prefix, std::vector<SavedTensor> tensors) {
  std::ranges::sort(tensors, {}, &SavedTensor::name);
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<BundleWriter> writer, BundleWriter::Create(files, prefix));
  for (SavedTensor& tensor : tensors) {
    HR_RETURN_IF_ERROR(writer->Add(tensor.name, tensor.value));
    tensor.value = Tensor();  // a variable that waits for its update gets its buffer back
  }
  return writer->Finish();
}

}  // namespace headrace
