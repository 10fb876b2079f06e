// Addresses as texts: "host:port", "[::1]:port".
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace headrace {

struct HR_EXPORT HostPort {
  std::string host;  // without brackets
  int port = 0;

  /// Errors: kInvalidArgument, quoting the text and saying what is wrong with it. Port 0 is wrong, unless allowed.
  static Result<HostPort> Parse(std::string_view text, bool allow_port_zero = false);
  std::string ToString() const;
};

/// OK when the host has an address now. Asks the system's resolver, so it may block. Errors: kUnavailable, naming the host.
HR_EXPORT Status ResolveHost(const std::string& host);

/// True when every address of the host is one of this machine's loopback. May block.
HR_EXPORT bool IsLoopback(const std::string& host);

/// A port of 127.0.0.1 that nobody listens on now; somebody may soon. Errors: kUnavailable.
HR_EXPORT Result<int> FreeLoopbackPort();

}  // namespace headrace
