#include "session/remote_receiver.h"

namespace headrace {

namespace {

class DirectoryReceiver final : public RemoteReceiver {
 public:
  explicit DirectoryReceiver(std::weak_ptr<WorkerDirectory> workers) : workers_(std::move(workers)) {}

  void RecvTensor(const std::string& src_task, int64_t step_id, const std::string& key, CancellationToken* cancellation,
                  Rendezvous::Done done) override {
    const std::shared_ptr<WorkerDirectory> workers = workers_.lock();
    if (workers == nullptr) return done(Unavailable("The cluster has ended").AsDerived(), Tensor(), false);
    Result<std::shared_ptr<Worker>> worker = workers->Find(src_task);
    if (!worker.ok()) return done(worker.status(), Tensor(), false);
    Worker* const called = worker->get();
    // The call keeps the worker.
    called->RecvTensor(
        step_id, key, cancellation,
        [worker = *std::move(worker), done = std::move(done)](const Status& status, Tensor value, bool is_dead) {
          done(status, std::move(value), is_dead);
        });
  }

 private:
  const std::weak_ptr<WorkerDirectory> workers_;
};

}  // namespace

std::shared_ptr<RemoteReceiver> MakeDirectoryReceiver(std::weak_ptr<WorkerDirectory> workers) {
  return std::make_shared<DirectoryReceiver>(std::move(workers));
}

}  // namespace headrace
