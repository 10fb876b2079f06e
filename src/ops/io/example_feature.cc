#include "ops/io/example_feature.h"

#include <algorithm>
#include <bit>

#include "ops/io/example_values.h"

namespace headrace {

void AssignBytes(std::string* out, std::string_view bytes) { out->assign(bytes); }

KeyTable::KeyTable(const std::vector<std::string_view>& keys) {
  mask_ = std::bit_ceil(2 * keys.size() + 2) - 1;
  buckets_.resize(mask_ + 1);
  for (const std::string_view key : keys) {
    int slot = Find(key);
    if (slot < 0) {
      slot = num_slots();
      names_.emplace_back(key);
      const uint64_t hash = Hash(key);
      size_t bucket = hash & mask_;
      while (buckets_[bucket].slot >= 0) bucket = (bucket + 1) & mask_;
      buckets_[bucket] = {hash, slot};
    }
    slots_.push_back(slot);
  }
}

bool KeyTable::IsOf(const std::vector<std::string_view>& keys) const {
  if (keys.size() != slots_.size()) return false;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (name(slots_[i]) != keys[i]) return false;
  }
  return true;
}

}  // namespace headrace
