// Philox 4x32-10: the counter-based random generator behind TensorFlow's seeded streams.
// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011). A (seed, seed2) pair gives the same 128-bit
// blocks here and in TensorFlow: `seed` is the key, `seed2` the upper half of the counter.
#pragma once

#include <array>
#include <cstdint>

namespace headrace {

/// Copyable generator of 128-bit blocks. Thread-compatible.
class Philox {
 public:
  using Block = std::array<uint32_t, 4>;

  Philox(uint64_t seed, uint64_t seed2)
      : counter_{0, 0, static_cast<uint32_t>(seed2), static_cast<uint32_t>(seed2 >> 32)},
        key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {}

  Block Next() {
    const Block block = Encrypt();
    Skip(1);
    return block;
  }
  /// Passes over `blocks` blocks; constant time.
  void Skip(uint64_t blocks) {
    const uint64_t low = (uint64_t{counter_[1]} << 32 | counter_[0]) + blocks;
    counter_[0] = static_cast<uint32_t>(low);
    counter_[1] = static_cast<uint32_t>(low >> 32);
    if (low < blocks && ++counter_[2] == 0) ++counter_[3];
  }

 private:
  Block Encrypt() const {
    Block block = counter_;
    std::array<uint32_t, 2> key = key_;
    for (int round = 0; round < 10; ++round) {
      const uint64_t product0 = uint64_t{0xd2511f53} * block[0];
      const uint64_t product1 = uint64_t{0xcd9e8d57} * block[2];
      block = {static_cast<uint32_t>(product1 >> 32) ^ block[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ block[3] ^ key[1], static_cast<uint32_t>(product0)};
      key[0] += 0x9e3779b9;
      key[1] += 0xbb67ae85;
    }
    return block;
  }

  Block counter_;
  std::array<uint32_t, 2> key_;
};

/// A Philox stream one 32-bit number at a time.
class PhiloxWords {
 public:
  PhiloxWords(uint64_t seed, uint64_t seed2) : blocks_(seed, seed2) {}
  explicit PhiloxWords(const Philox& blocks) : blocks_(blocks) {}
  uint32_t Next() {
    if (used_ == 4) {
      block_ = blocks_.Next();
      used_ = 0;
    }
    return block_[static_cast<size_t>(used_++)];
  }
  /// Passes over `words` numbers; constant time.
  void Skip(uint64_t words) {
    const auto left = static_cast<uint64_t>(4 - used_);
    if (words <= left) {
      used_ += static_cast<int>(words);
      return;
    }
    words -= left;
    blocks_.Skip(words / 4);
    used_ = 4;
    if (words % 4 != 0) {
      block_ = blocks_.Next();
      used_ = static_cast<int>(words % 4);
    }
  }

 private:
  Philox blocks_;
  Philox::Block block_ = {};
  int used_ = 4;
};

}  // namespace headrace
