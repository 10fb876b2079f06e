// The GIL around native code that waits. A thread that took it again while the interpreter ends would be torn out of native
// frames, which C++ answers by terminating the process; so from BeginExit on such threads stay where they are.
#pragma once

#include <nanobind/nanobind.h>

namespace headrace::python {

/// Releases the GIL until the end of its scope. The caller holds it.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease();
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

/// Called by the thread that ends the interpreter, before it does: returns when no other thread is about to take the GIL.
void BeginExit();
/// Whether another thread has called BeginExit.
bool IsExiting();

}  // namespace headrace::python
