// KeyRows: numbers keys 0, 1, 2, ... as they come; the hash index of a lookup table.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace headrace {

/// Open addressing with linear probing; the numbers stay dense. Not thread-safe.
template <typename K> class KeyRows {
 public:
  int64_t size() const { return static_cast<int64_t>(keys_.size()); }
  /// By number.
  const std::vector<K>& keys() const { return keys_; }

  /// Returns the key's number, or -1.
  int64_t Find(const K& key) const { return slots_.empty() ? -1 : slots_[SlotOf(key)]; }

  /// Returns the key's number, a new one at the end where it had none.
  int64_t Insert(const K& key) {
    if (2 * (keys_.size() + 1) > slots_.size()) Grow();
    int64_t& row = slots_[SlotOf(key)];
    if (row < 0) {
      row = size();
      keys_.push_back(key);
    }
    return row;
  }

  /// Takes the key away and returns the number that it had, which the last key takes over; -1 where it was not there.
  int64_t Remove(const K& key) {
    if (slots_.empty()) return -1;
    const size_t slot = SlotOf(key);
    const int64_t row = slots_[slot];
    if (row < 0) return -1;
    CloseGap(slot);
    if (row != size() - 1) {
      slots_[SlotOf(keys_.back())] = row;
      keys_[static_cast<size_t>(row)] = std::move(keys_.back());
    }
    keys_.pop_back();
    return row;
  }

  void Clear() {
    keys_.clear();
    slots_.clear();
  }

 private:
  static uint64_t Hash(int64_t key) {
    uint64_t x = static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15ull;
    return x ^ (x >> 32);
  }
  static uint64_t Hash(const std::string& key) { return std::hash<std::string_view>()(key); }

  /// The slot that holds the key, or the empty one where it belongs.
  size_t SlotOf(const K& key) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = static_cast<size_t>(Hash(key)) & mask;
    while (slots_[slot] >= 0 && !(keys_[static_cast<size_t>(slots_[slot])] == key)) slot = (slot + 1) & mask;
    return slot;
  }

  /// Empties a slot; moves back the ones behind it that would not be found any more.
  void CloseGap(size_t gap) {
    const size_t mask = slots_.size() - 1;
    slots_[gap] = -1;
    for (size_t slot = (gap + 1) & mask; slots_[slot] >= 0; slot = (slot + 1) & mask) {
      const size_t home = static_cast<size_t>(Hash(keys_[static_cast<size_t>(slots_[slot])])) & mask;
      const bool reachable = ((slot - home) & mask) < ((slot - gap) & mask);
      if (reachable) continue;
      slots_[gap] = slots_[slot];
      slots_[slot] = -1;
      gap = slot;
    }
  }

  void Grow() {
    slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), -1);
    for (size_t row = 0; row < keys_.size(); ++row) slots_[SlotOf(keys_[row])] = static_cast<int64_t>(row);
  }

  std::vector<K> keys_;
  std::vector<int64_t> slots_;  // numbers, -1 where empty; as many as a power of 2
};

}  // namespace headrace
