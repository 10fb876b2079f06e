// What is to be read from Examples: features by key, and which of an op's outputs each one fills.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

/// A feature, all but its key.
struct ExampleFeature {
  enum class Form {
    kFixed,   // the same number of values in each example
    kPadded,  // any number of rows; shorter examples are filled up with the default
    kSparse,  // any number of values, with their coordinates
    kRagged,  // any number of values, with where each example's begin
  };
  DType dtype = DType::kInvalid;
  Form form = Form::kFixed;
  PartialShape stated_shape;         // kFixed, kPadded: as the op was given it
  int64_t num_elements = 1;          // kFixed: of an example; kPadded: of a row
  DType split_type = DType::kInt64;  // kRagged
  int dense_index = 0;               // kFixed, kPadded: which dense feature it is, and so which default it has
  int values_output = 0;
  int indices_output = 0;  // kSparse
  int shape_output = 0;    // kSparse
  int splits_output = 0;   // kRagged
};

/// A feature list: a feature in each of any number of rows. Its form is kPadded, for rows of a fixed shape, which are filled up
/// with zeros or empty strings; kSparse; or kRagged, where splits_output tells where each row's values begin.
struct ListFeature : ExampleFeature {
  bool may_be_missing = true;
  int lengths_output = -1;       // kPadded: the number of rows; -1: not wanted
  int outer_splits_output = -1;  // kRagged: where each example's rows begin
};

/// Finds keys. Keys that are equal share a slot.
class KeyTable {
 public:
  explicit KeyTable(const std::vector<std::string_view>& keys);

  /// The slot of `key`, or -1.
  int Find(std::string_view key) const {
    const uint64_t hash = Hash(key);
    for (size_t bucket = hash & mask_;; bucket = (bucket + 1) & mask_) {
      const Entry& entry = buckets_[bucket];
      if (entry.slot < 0 || (entry.hash == hash && names_[static_cast<size_t>(entry.slot)] == key)) return entry.slot;
    }
  }
  int num_slots() const { return static_cast<int>(names_.size()); }
  const std::string& name(int slot) const { return names_[static_cast<size_t>(slot)]; }
  /// By the position in the keys given.
  int slot(size_t i) const { return slots_[i]; }
  /// True when made from these keys.
  bool IsOf(const std::vector<std::string_view>& keys) const;

 private:
  struct Entry {
    uint64_t hash = 0;
    int slot = -1;
  };
  /// Cheap: length, beginning and end. The keys come from the program, so that nobody chooses them to collide.
  static uint64_t Hash(std::string_view key) {
    uint64_t front = 0, back = 0;
    if (key.size() >= 8) {
      std::memcpy(&front, key.data(), 8);
      std::memcpy(&back, key.data() + key.size() - 8, 8);
    } else if (key.size() >= 4) {
      std::memcpy(&front, key.data(), 4);
      std::memcpy(&back, key.data() + key.size() - 4, 4);
    } else if (!key.empty()) {
      front = static_cast<unsigned char>(key.front());
      back = static_cast<uint64_t>(static_cast<unsigned char>(key[key.size() / 2])) << 8 |
             static_cast<unsigned char>(key.back());
    }
    uint64_t hash = (front ^ (back * 0x9e3779b97f4a7c15) ^ key.size()) * 0xff51afd7ed558ccd;
    return hash ^ hash >> 32;
  }

  size_t mask_ = 0;
  std::vector<Entry> buckets_;
  std::vector<std::string> names_;  // by slot
  std::vector<int> slots_;          // by position
};

}  // namespace headrace
