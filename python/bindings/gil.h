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

/// Takes the GIL until the end of its scope, on any thread, unless the interpreter is ending.
class GilAcquire {
 public:
  GilAcquire();
  ~GilAcquire();
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;
  bool held() const { return held_; }

 private:
  bool held_;
  PyGILState_STATE state_;
};

/// For a thread that may neither go on nor be unwound.
[[noreturn]] void StayForEver();

/// Called by the thread that ends the interpreter, before it does: returns when no other thread is about to take the GIL.
void BeginExit();
/// Whether another thread has called BeginExit.
bool IsExiting();

}  // namespace headrace::python
