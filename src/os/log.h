// Log lines: "2026-01-31 12:00:00.123 I master: message", to a sink that a test or a program may replace.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/strings.h"

namespace headrace {

enum class LogLevel { kInfo, kWarning, kError };

using LogSink = std::function<void(LogLevel level, std::string_view room, std::string_view message)>;

/// Replaces the sink and returns the one before. The first sink writes to standard error. Thread-safe.
HR_EXPORT LogSink SetLogSink(LogSink sink);
HR_EXPORT void WriteLog(LogLevel level, std::string_view room, std::string_view message);

template <typename... Args> void LogInfo(std::string_view room, const Args&... args) {
  WriteLog(LogLevel::kInfo, room, StrCat(args...));
}
template <typename... Args> void LogWarning(std::string_view room, const Args&... args) {
  WriteLog(LogLevel::kWarning, room, StrCat(args...));
}
template <typename... Args> void LogError(std::string_view room, const Args&... args) {
  WriteLog(LogLevel::kError, room, StrCat(args...));
}

}  // namespace headrace
