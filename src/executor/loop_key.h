// The names of loop iterations on the wire. Both ends of an edge inside a loop, also of another make, compute the same frame id,
// and so meet iteration by iteration. Private to the executor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/rendezvous.h"

namespace headrace {

/// The 64-bit hash that peers use for a frame's name.
uint64_t HashOfFrameName(std::string_view name);
/// The id of the frame that was entered from that iteration of the frame `parent_id`. Outside of loops the id is 0.
uint64_t ChildFrameId(uint64_t parent_id, int64_t iteration, uint64_t name_hash);

/// The step's rendezvous as the nodes of one iteration see it: their keys name frame and iteration.
class LoopRendezvous final : public Rendezvous {
 public:
  void Bind(Rendezvous* step, uint64_t frame_id, int64_t iteration);
  Status Send(const std::string& key, Tensor value, bool is_dead) override;
  void RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) override;
  void StartAbort(const Status& status) override { step_->StartAbort(status); }

 private:
  std::string KeyHere(const std::string& key) const;

  Rendezvous* step_ = nullptr;
  std::string place_;  // "frame:iteration"
};

}  // namespace headrace
