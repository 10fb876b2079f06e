// What the machine can do at best, beside which bench/run sets the measurements: prints {"memcpy": GB/s, "round_trip": us,
// "loopback": GB/s, "gemm": GFLOP/s} as JSON. Copying is that of one thread, products are those of all cores together, the loopback
// is TCP between two threads.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "kernel/gemm.h"

namespace {

using Clock = std::chrono::steady_clock;

// Seconds of one call, the best of some.
double Best(int repeats, const std::function<void()>& call) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto begin = Clock::now();
    call();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

// Runs `work` on as many threads as the machine has cores.
void OnAllCores(const std::function<void()>& work) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

double CopiedGigabytesPerSecond() {
  constexpr size_t kBytes = size_t{64} << 20;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  return kBytes / Best(7, [&] { std::memcpy(to.data(), from.data(), kBytes); }) / 1e9;
}

double ProductGigaflops() {
  constexpr int64_t kSize = 768;
  constexpr int kTimes = 4;
  const headrace::Gemm gemm{.m = kSize, .n = kSize, .k = kSize};
  const std::vector<float> a(kSize * kSize, 0.5f), b(kSize * kSize, 0.25f);
  const double seconds = Best(20, [&] {
    OnAllCores([&] {
      std::vector<float> c(kSize * kSize);
      for (int i = 0; i < kTimes; ++i) gemm.Rows(a.data(), b.data(), c.data(), 0, kSize);
    });
  });
  const double operations = 2.0 * kSize * kSize * kSize * kTimes * std::max(1u, std::thread::hardware_concurrency());
  return operations / seconds / 1e9;
}

// Two ends of a TCP connection over the loopback; {-1, -1} where there is none.
std::pair<int, int> Connect() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, 1) != 0 || getsockname(listener, generic, &size) != 0 ||
      connect(client, generic, size) != 0) {
    return {-1, -1};
  }
  const int server = accept(listener, nullptr, nullptr), on = 1;
  close(listener);
  for (const int end : {client, server}) setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return {client, server};
}

// Moves `size` bytes; false when the other end is gone.
template <typename Move> bool All(Move move, int end, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t moved = move(end, bytes, size, 0);
    if (moved <= 0) return false;
    bytes += moved;
    size -= static_cast<size_t>(moved);
  }
  return true;
}

// Seconds in which `bytes` go over the connection and one byte comes back.
double Exchanged(size_t bytes, int repeats) {
  const auto [client, server] = Connect();
  if (client < 0) return 1e30;
  std::vector<char> sent(bytes, 1), received(bytes);
  std::thread answering([&, end = server] {
    while (All(recv, end, received.data(), bytes) && All(send, end, received.data(), 1)) {
    }
  });
  const double seconds = Best(repeats, [&, end = client] {
    All(send, end, sent.data(), bytes);
    All(recv, end, sent.data(), 1);
  });
  shutdown(client, SHUT_RDWR);
  answering.join();
  close(client);
  close(server);
  return seconds;
}

}  // namespace

int main() {
  constexpr size_t kBytes = 10'000'000;
  std::printf("{\"memcpy\": %.4g, \"round_trip\": %.4g, \"loopback\": %.4g, \"gemm\": %.4g}\n",
              CopiedGigabytesPerSecond(), Exchanged(1, 5000) * 1e6, kBytes / Exchanged(kBytes, 50) / 1e9,
              ProductGigaflops());
  return 0;
}
