// What the tests of ops that parse examples share.
#pragma once

#include <random>
#include <string>

namespace headrace {

/// The bytes after one to three random accidents: a flipped bit, some bytes lost, one more.
inline std::string Damaged(std::string bytes, std::mt19937& random) {
  for (unsigned n = 1 + random() % 3; n > 0; --n) {
    const size_t at = random() % bytes.size();
    switch (random() % 3) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:
        bytes.erase(at, 1 + random() % 4);
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(random()));
    }
  }
  return bytes;
}

}  // namespace headrace
