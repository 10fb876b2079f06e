// MakeFunctionRunner: runs graph functions by compiling each into a StepPlan.
#pragma once

#include <memory>
#include <string>

#include "graph/function_library.h"
#include "kernel/function_runner.h"
#include "kernel/resource.h"
#include "kernel/runtime.h"

namespace headrace {

/// What the functions of a runner share; all of it is kept alive by the runner.
struct HR_EXPORT FunctionRunnerOptions {
  FunctionLibrary library;
  std::string device;  // full name
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<ResourceManager> resources;
  /// Keeps each call on the thread that makes it, as the calls of dataset stages want, which run side by side already.
  bool run_inline = true;
};

/// A function is compiled once for its name and attributes. Functions that it calls are compiled when they are first called.
HR_EXPORT std::shared_ptr<FunctionRunner> MakeFunctionRunner(FunctionRunnerOptions options);

}  // namespace headrace
