// Gate: the chief holds all workers between two steps while it saves, so that a checkpoint has whole steps only; and it knows who is
// done. The gate's variables stand on the parameter server and are never saved.
#pragma once

#include <headrace/headrace.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace flights {

class Gate {
 public:
  Gate(const hr::Scope& scope, int num_workers)
      : turn_(MakeNumber(scope, "gate/turn")),
        entered_(hr::Placeholder(scope.WithName("gate/value"), hr::DType::kInt64)) {
    for (int i = 0; i < num_workers; ++i) workers_.push_back(MakeNumber(scope, "gate/worker_" + std::to_string(i)));
    set_turn_ = turn_.Assign(entered_);
    for (const hr::Variable& worker : workers_) set_worker_.push_back(worker.Assign(entered_));
  }

  /// Opens the gate for the workers, which wait for all variables to have a value.
  hr::Status Initialize(hr::Session& session) const {
    for (const hr::Variable& worker : workers_) HR_RETURN_IF_ERROR(session.Run(worker.Initialize()));
    return session.Run(turn_.Initialize());
  }

  /// To be called by a worker between two steps: waits while the chief saves.
  hr::Status Pass(hr::Session& session, int worker) {
    HR_ASSIGN_OR_RETURN(const int64_t turn, Read(session, turn_));
    if (turn == 0) return hr::OkStatus();
    HR_RETURN_IF_ERROR(Set(session, set_worker_[static_cast<size_t>(worker)], turn));
    return WaitFor([&]() -> hr::Result<bool> {
      HR_ASSIGN_OR_RETURN(const int64_t now, Read(session, turn_));
      return now != turn;
    });
  }

  /// A worker that has no more steps to do.
  hr::Status Leave(hr::Session& session, int worker) {
    return Set(session, set_worker_[static_cast<size_t>(worker)], kDone);
  }

  /// Runs `save` while the other workers wait. A worker that does not come (it may be lost) is not waited for longer than some seconds.
  hr::Status WhileHeld(hr::Session& session, int chief, const std::function<hr::Status()>& save) {
    HR_RETURN_IF_ERROR(Set(session, set_turn_, ++turns_));
    HR_RETURN_IF_ERROR(WaitFor([&] { return AllAre(session, chief, turns_); }));
    const hr::Status saved = save();
    HR_RETURN_IF_ERROR(Set(session, set_turn_, 0));
    return saved;
  }

  hr::Result<bool> AllDone(hr::Session& session, int chief) { return AllAre(session, chief, kDone); }

 private:
  static constexpr int64_t kDone = INT64_MAX;

  static hr::Variable MakeNumber(const hr::Scope& scope, const std::string& name) {
    return hr::Variable(scope.WithName(name), hr::Zeros({}, hr::DType::kInt64), {.trainable = false});
  }
  static hr::Result<int64_t> Read(hr::Session& session, const hr::Variable& variable) {
    HR_ASSIGN_OR_RETURN(const hr::Tensor value, session.Run(variable.Value()));
    return value.scalar<int64_t>();
  }
  hr::Status Set(hr::Session& session, const hr::Operation& set, int64_t value) {
    return session.Run(set, {.feeds = {{entered_, hr::Tensor::Scalar<int64_t>(value)}}});
  }
  /// Whether all workers but `except` have come to `turn`.
  hr::Result<bool> AllAre(hr::Session& session, int except, int64_t turn) {
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (static_cast<int>(i) == except) continue;
      HR_ASSIGN_OR_RETURN(const int64_t entered, Read(session, workers_[i]));
      if (entered < turn) return false;
    }
    return true;
  }
  static hr::Status WaitFor(const std::function<hr::Result<bool>()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      HR_ASSIGN_OR_RETURN(const bool met, condition());
      if (met) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return hr::OkStatus();
  }

  hr::Variable turn_;
  hr::Output entered_;
  hr::Operation set_turn_;
  std::vector<hr::Variable> workers_;
  std::vector<hr::Operation> set_worker_;
  int64_t turns_ = 0;
};

}  // namespace flights
