// Distributions over Philox blocks, with TensorFlow's bits: group g of a distribution's outputs comes from block g of the stream,
// or, where the number of draws varies, from the blocks that are set aside for group g.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernel/philox.h"
#include "tensor/dtype.h"

namespace headrace {

/// How many 128-bit blocks TensorFlow sets aside for each output; a call of an op passes over that many.
inline constexpr int64_t kReservedBlocksPerOutput = 256;

/// A number in [0, 1) from the low mantissa bits of a word.
inline float UnitFloat(uint32_t word) { return std::bit_cast<float>((word & 0x7fffffu) | 0x3f800000u) - 1.0f; }
inline double UnitDouble(uint32_t high, uint32_t low) {
  return std::bit_cast<double>(uint64_t{high & 0xfffffu} << 32 | low | uint64_t{1023} << 52) - 1.0;
}
inline Half UnitHalf(uint32_t word) {
  return Half(static_cast<float>(Half::FromBits(static_cast<uint16_t>((word & 0x3ffu) | 0x3c00u))) - 1.0f);
}
inline BFloat16 UnitBFloat16(uint32_t word) {
  return BFloat16(static_cast<float>(BFloat16::FromBits(static_cast<uint16_t>((word & 0x7fu) | 0x3f80u))) - 1.0f);
}

/// Two normal numbers from two uniform ones (Box and Muller).
inline std::array<float, 2> NormalPair(uint32_t a, uint32_t b) {
  const float u = std::max(UnitFloat(a), 1.0e-7f);
  const float angle = static_cast<float>(2.0f * std::numbers::pi * UnitFloat(b));
  const float radius = std::sqrt(-2.0f * std::log(u));
  return {std::sin(angle) * radius, std::cos(angle) * radius};
}
inline std::array<double, 2> NormalPair(uint32_t a0, uint32_t a1, uint32_t b0, uint32_t b1) {
  const double u = std::max(UnitDouble(a0, a1), 1.0e-7);
  const double angle = 2 * std::numbers::pi * UnitDouble(b0, b1);
  const double radius = std::sqrt(-2.0 * std::log(u));
  return {std::sin(angle) * radius, std::cos(angle) * radius};
}

/// Uniform in [0, 1).
template <typename T> struct Uniform {
  using Type = T;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  void Fill(Philox& blocks, T* out) const {
    const Philox::Block w = blocks.Next();
    if constexpr (std::is_same_v<T, double>) {
      out[0] = UnitDouble(w[0], w[1]);
      out[1] = UnitDouble(w[2], w[3]);
    } else {
      for (size_t i = 0; i < 4; ++i) {
        if constexpr (std::is_same_v<T, float>) out[i] = UnitFloat(w[i]);
        if constexpr (std::is_same_v<T, Half>) out[i] = UnitHalf(w[i]);
        if constexpr (std::is_same_v<T, BFloat16>) out[i] = UnitBFloat16(w[i]);
      }
    }
  }
};

/// Uniform in [low, high). REQUIRES: low < high.
template <typename T> struct UniformInt {
  using Type = T;
  using Word = std::make_unsigned_t<T>;
  static constexpr int kGroup = sizeof(T) == 8 ? 2 : 4;
  T low;
  T high;
  void Fill(Philox& blocks, T* out) const {
    const Word range = static_cast<Word>(high) - static_cast<Word>(low);
    const Philox::Block w = blocks.Next();
    for (size_t i = 0; i < kGroup; ++i) {
      Word word;
      if constexpr (sizeof(T) == 8) {
        word = uint64_t{w[2 * i + 1]} << 32 | w[2 * i];
      } else {
        word = w[i];
      }
      out[i] = static_cast<T>(static_cast<Word>(low) + word % range);
    }
  }
};

/// Uniform over all values of T.
template <typename T> struct UniformFullInt {
  using Type = T;
  static constexpr int kGroup = sizeof(T) == 8 ? 2 : 4;
  void Fill(Philox& blocks, T* out) const {
    const Philox::Block w = blocks.Next();
    for (size_t i = 0; i < kGroup; ++i) {
      out[i] = static_cast<T>(sizeof(T) == 8 ? uint64_t{w[2 * i + 1]} << 32 | w[2 * i] : w[i]);
    }
  }
};

/// Normal with mean 0 and deviation 1.
template <typename T> struct Normal {
  using Type = T;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  void Fill(Philox& blocks, T* out) const {
    const Philox::Block w = blocks.Next();
    if constexpr (std::is_same_v<T, double>) {
      const std::array<double, 2> pair = NormalPair(w[0], w[1], w[2], w[3]);
      out[0] = pair[0];
      out[1] = pair[1];
    } else {
      const std::array<float, 2> first = NormalPair(w[0], w[1]), second = NormalPair(w[2], w[3]);
      out[0] = static_cast<T>(first[0]);
      out[1] = static_cast<T>(first[1]);
      out[2] = static_cast<T>(second[0]);
      out[3] = static_cast<T>(second[1]);
    }
  }
};

/// Normal, where what lies 2 or more from the mean is drawn again: each group has blocks of its own.
template <typename T> struct TruncatedNormal {
  using Type = T;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  static constexpr int64_t kBlocksPerGroup = kGroup * kReservedBlocksPerOutput / 4;
  void Fill(Philox& blocks, T* out) const {
    int made = 0;
    while (made < kGroup) {
      const Philox::Block w = blocks.Next();
      // A block holds two pairs of floats, or one of doubles.
      for (size_t pair = 0; pair < (kGroup == 2 ? 1 : 2); ++pair) {
        const auto drawn = Pair(w, pair);
        for (size_t i = 0; i < 2 && made < kGroup; ++i) {
          if (std::abs(drawn[i]) < 2) out[made++] = static_cast<T>(drawn[i]);
        }
      }
    }
  }

 private:
  static auto Pair(const Philox::Block& w, size_t pair) {
    if constexpr (std::is_same_v<T, double>) {
      return NormalPair(w[0], w[1], w[2], w[3]);
    } else {
      return NormalPair(w[2 * pair], w[2 * pair + 1]);
    }
  }
};

/// Fills outputs [begin_group * kGroup, end_group * kGroup), cut at `count`, of the stream that begins at `blocks`.
template <typename Distribution, typename T = typename Distribution::Type>
void FillGroups(const Distribution& distribution, Philox blocks, int64_t begin_group, int64_t end_group, int64_t count,
                T* out) {
  constexpr bool kVaries = requires { Distribution::kBlocksPerGroup; };
  constexpr int kGroup = Distribution::kGroup;
  if constexpr (!kVaries) blocks.Skip(static_cast<uint64_t>(begin_group));
  for (int64_t group = begin_group; group < end_group; ++group) {
    Philox own = blocks;
    if constexpr (kVaries) own.Skip(static_cast<uint64_t>(group * Distribution::kBlocksPerGroup));
    Philox& source = kVaries ? own : blocks;
    if (T* to = out + group * kGroup; (group + 1) * kGroup <= count) {
      distribution.Fill(source, to);
    } else {
      std::array<T, kGroup> last;
      distribution.Fill(source, last.data());
      std::copy_n(last.begin(), count - group * kGroup, to);
    }
  }
}

}  // namespace headrace
