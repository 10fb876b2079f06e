#include "executor/loop_key.h"

#include <cstring>
#include <utility>

namespace headrace {
namespace {

// MurmurHash64A, with the seed that peers use.
constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
constexpr uint64_t kSeed = 0xDECAFCAFFE;
constexpr int kShift = 47;

uint64_t Scramble(uint64_t value) {
  value *= kMultiplier;
  value ^= value >> kShift;
  return value * kMultiplier;
}

uint64_t Combine(uint64_t a, uint64_t b) { return a ^ (b + 0x9e3779b97f4a7800 + (a << 10) + (a >> 4)); }

}  // namespace

uint64_t HashOfFrameName(std::string_view name) {
  uint64_t hash = kSeed ^ (name.size() * kMultiplier);
  while (name.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, name.data(), sizeof(word));
    hash = (hash ^ Scramble(word)) * kMultiplier;
    name.remove_prefix(sizeof(word));
  }
  if (!name.empty()) {
    uint64_t rest = 0;
    std::memcpy(&rest, name.data(), name.size());  // little-endian, as the format is
    hash = (hash ^ rest) * kMultiplier;
  }
  hash = (hash ^ (hash >> kShift)) * kMultiplier;
  return hash ^ (hash >> kShift);
}

uint64_t ChildFrameId(uint64_t parent_id, int64_t iteration, uint64_t name_hash) {
  return Combine(parent_id, Combine(static_cast<uint64_t>(iteration), name_hash));
}

void LoopRendezvous::Bind(Rendezvous* step, uint64_t frame_id, int64_t iteration) {
  step_ = step;
  place_ = StrCat(frame_id, ":", iteration);
}

std::string LoopRendezvous::KeyHere(const std::string& key) const {
  const size_t end = key.rfind(';') + 1;  // before the key's own "0:0"
  std::string here;
  here.reserve(end + place_.size());
  here.append(key, 0, end);
  return here += place_;
}

Status LoopRendezvous::Send(const std::string& key, Tensor value, bool is_dead) {
  return step_->Send(KeyHere(key), std::move(value), is_dead);
}

void LoopRendezvous::RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) {
  step_->RecvAsync(KeyHere(key), cancellation, std::move(done));
}

}  // namespace headrace
