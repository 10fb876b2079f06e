// See gil.h.
#include "gil.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "sync/notification.h"

namespace headrace::python {
namespace {

std::atomic<bool> exiting{false};
std::atomic<std::thread::id> exiting_thread{};
std::atomic<int> num_acquiring{0};  // threads between the check of `exiting` and their taking of the GIL

}  // namespace

void StayForEver() {
  static auto* never = new Notification;  // threads are in it when static objects go
  while (true) never->Wait();
}

bool IsExiting() { return exiting.load() && exiting_thread.load() != std::this_thread::get_id(); }

GilRelease::~GilRelease() {
  num_acquiring.fetch_add(1);
  if (IsExiting()) {
    num_acquiring.fetch_sub(1);
    StayForEver();
  }
  PyEval_RestoreThread(state_);
  num_acquiring.fetch_sub(1);
}

GilAcquire::GilAcquire() : held_(false), state_() {
  num_acquiring.fetch_add(1);
  if (!IsExiting() && Py_IsInitialized()) {
    state_ = PyGILState_Ensure();
    held_ = true;
  }
  num_acquiring.fetch_sub(1);
}

GilAcquire::~GilAcquire() {
  if (held_) PyGILState_Release(state_);
}

void BeginExit() {
  exiting_thread.store(std::this_thread::get_id());
  exiting.store(true);
  PyThreadState* state = PyEval_SaveThread();
  while (num_acquiring.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  PyEval_RestoreThread(state);
}

}  // namespace headrace::python
