// Device names: "/job:ps/replica:0/task:1/device:CPU:0", in every legal form, whole or in part.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace headrace {

/// A device specification; missing fields are unspecified.
struct HR_EXPORT DeviceName {
  std::optional<std::string> job;
  std::optional<int> replica;
  std::optional<int> task;
  std::optional<std::string> type;  // upper case
  std::optional<int> id;

  /// Reads "", "/", parts in any order, repeated parts (the last wins), "*", and the old forms /cpu:0, /gpu:1, /CPU:0.
  /// Errors: kInvalidArgument, quoting the text.
  static Result<DeviceName> Parse(std::string_view text);
  /// Reads a name with all fields present. Errors: kInvalidArgument.
  static Result<DeviceName> ParseFull(std::string_view text);

  /// Writes what is specified: "/job:ps/task:1/device:CPU:0".
  std::string ToString() const;
  bool IsFull() const { return job && replica && task && type && id; }
  /// True when every field specified here has the same value in `full`.
  bool Matches(const DeviceName& full) const;
  /// True when no field is specified differently in both.
  bool IsCompatibleWith(const DeviceName& other) const;
  /// Takes over from `inner` what it specifies (the inner scope wins).
  DeviceName MergedWith(const DeviceName& inner) const;
  /// "/job:J/replica:R/task:T", the part that names the process.
  std::string TaskName() const;

  friend bool operator==(const DeviceName&, const DeviceName&) = default;
};

}  // namespace headrace
