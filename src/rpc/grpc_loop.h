// GrpcLoop: one gRPC completion queue and the few threads that drive it.
//
// The thread that sees an event handles it on the spot: waking another one costs more than most events. While it is busy,
// the next thread polls. Private to rpc.
#pragma once

#include <grpcpp/completion_queue.h>

#include <memory>

#include "sync/thread_pool.h"

namespace headrace {

/// The tag of every operation on a loop's queue.
class GrpcEvent {
 public:
  /// Runs once when the operation is over; may delete the object.
  virtual void Run(bool ok) = 0;

 protected:
  ~GrpcEvent() = default;
};

/// Thread-safe. Operations on the queue keep a reference to the loop until their events have run; the last reference may go
/// away on any thread, the loop's own included.
class GrpcLoop {
 public:
  GrpcLoop(std::unique_ptr<grpc::CompletionQueue> queue, int num_threads);
  ~GrpcLoop();

  grpc::CompletionQueue* queue() const { return queue_.get(); }

  /// The loop of channels that belong to no server; made at first use and never ended.
  static const std::shared_ptr<GrpcLoop>& OfProcess();

 private:
  std::shared_ptr<grpc::CompletionQueue> queue_;  // shared with the threads
  std::unique_ptr<ThreadPool> threads_;
};

}  // namespace headrace
