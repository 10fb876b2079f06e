#include "os/log.h"

#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "os/clock.h"

namespace headrace {

namespace {

void WriteToStandardError(LogLevel level, std::string_view room, std::string_view message) {
  const int64_t micros = RealClock().WallMicros();
  const std::time_t seconds = micros / 1'000'000;
  std::tm parts;
  gmtime_r(&seconds, &parts);
  char time[32];
  std::strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &parts);
  std::fprintf(stderr, "%s.%03d %c %.*s: %.*s\n", time, static_cast<int>(micros / 1000 % 1000),
               "IWE"[static_cast<int>(level)], static_cast<int>(room.size()), room.data(),
               static_cast<int>(message.size()), message.data());
}

struct Log {
  std::mutex mutex;
  LogSink sink = WriteToStandardError;
};

Log& TheLog() {
  static auto* log = new Log;
  return *log;
}

}  // namespace

LogSink SetLogSink(LogSink sink) {
  std::lock_guard lock(TheLog().mutex);
  return std::exchange(TheLog().sink, std::move(sink));
}

void WriteLog(LogLevel level, std::string_view room, std::string_view message) {
  std::lock_guard lock(TheLog().mutex);
  TheLog().sink(level, room, message);
}

}  // namespace headrace
