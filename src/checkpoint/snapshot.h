// Snapshots: the values of variables at one moment, saved while training goes on. Taking one shares the variables'
// buffers; an update that comes later writes to a copy (see kernel/variable.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernel/variable.h"
#include "os/file_system.h"

namespace headrace {

struct HR_EXPORT SavedTensor {
  std::string name;
  Tensor value;
};

struct HR_EXPORT NamedVariable {
  std::string name;
  std::shared_ptr<Variable> variable;
};

/// Errors: kFailedPrecondition, naming it, for a variable without a value.
HR_EXPORT Result<std::vector<SavedTensor>> TakeSnapshot(std::span<const NamedVariable> variables);

/// Writes a bundle with these tensors, in the order of their names. Errors: as BundleWriter.
HR_EXPORT Status WriteBundle(FileSystem& files, const std::string& prefix, std::vector<SavedTensor> tensors);

}  // namespace headrace
