#include "rpc/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/strings.h"
#include "os/clock.h"

namespace headrace {
namespace {

constexpr int64_t kMaxPort = 65535;

struct AddressListEnd {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListEnd>;

Result<AddressList> Resolve(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) return Unavailable("host '", host, "' cannot be resolved: ", gai_strerror(error));
  return AddressList(list);
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24 == 127;
  }
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

bool CanBindLoopback(int port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return false;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(socket_fd);
  return bound;
}

}  // namespace

Result<HostPort> HostPort::Parse(std::string_view text, bool allow_port_zero) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return InvalidArgument("address '", text, "' has no port: 'host:port' is wanted");
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return InvalidArgument("address '", text, "' has several colons: an IPv6 address stands in brackets, '[::1]:port'");
  }
  if (host.empty()) return InvalidArgument("address '", text, "' has no host: 'host:port' is wanted");
  for (const char c : host) {
    const bool legal =
        std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
    if (!legal) return InvalidArgument("address '", text, "' has a character in its host that no host has: '", c, "'");
  }
  int64_t port;
  if (!ParseInt64(text.substr(colon + 1), &port) || port < (allow_port_zero ? 0 : 1) || port > kMaxPort) {
    return InvalidArgument("address '", text, "' has a bad port: '", text.substr(colon + 1), "' is not between 1 and ",
                           kMaxPort);
  }
  return HostPort{.host = std::string(host), .port = static_cast<int>(port)};
}

std::string HostPort::ToString() const {
  return host.find(':') == std::string::npos ? StrCat(host, ':', port) : StrCat('[', host, "]:", port);
}

Status ResolveHost(const std::string& host) { return Resolve(host).status(); }

bool IsLoopback(const std::string& host) {
  const Result<AddressList> list = Resolve(host);
  if (!list.ok()) return false;
  for (const addrinfo* entry = list->get(); entry != nullptr; entry = entry->ai_next) {
    if (!IsLoopback(entry->ai_addr)) return false;
  }
  return true;
}

Result<int> FreeLoopbackPort() {
  // Below the range that the system takes for outgoing connections, so that none of those gets it in between.
  constexpr int kFirst = 15'000, kCount = 17'000, kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    const int port = kFirst + static_cast<int>(RandomBits() % kCount);
    if (CanBindLoopback(port)) return port;
  }
  return Unavailable("no free port on 127.0.0.1 in ", kTries, " tries: ", std::strerror(errno));
}

}  // namespace headrace
