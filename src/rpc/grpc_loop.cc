#include "rpc/grpc_loop.h"

#include "rpc/grpc_log.h"

namespace headrace {

GrpcLoop::GrpcLoop(std::unique_ptr<grpc::CompletionQueue> queue, int num_threads)
    : queue_(std::move(queue)), threads_(MakeThreadPool("rpc", num_threads)) {
  RedirectGrpcLog();
  for (int i = 0; i < num_threads; ++i) {
    threads_->Schedule([queue = queue_] {
      void* tag;
      bool ok;
      while (queue->Next(&tag, &ok)) static_cast<GrpcEvent*>(tag)->Run(ok);
    });
  }
}

GrpcLoop::~GrpcLoop() {
  queue_->Shutdown();
  if (!threads_->InPool()) return;
  // A thread cannot wait for its own end.
  BlockingPool().Schedule([threads = std::shared_ptr<ThreadPool>(std::move(threads_))] {});
}

const std::shared_ptr<GrpcLoop>& GrpcLoop::OfProcess() {
  static const auto& loop =
      *new std::shared_ptr<GrpcLoop>(std::make_shared<GrpcLoop>(std::make_unique<grpc::CompletionQueue>(), 2));
  return loop;
}

}  // namespace headrace
