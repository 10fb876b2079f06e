// The serving side of rpc: a call as its handler sees it, the table of handlers, and the server that feeds them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "os/clock.h"
#include "rpc/payload.h"
#include "sync/cancellation.h"
#include "sync/thread_pool.h"

namespace headrace {

/// One call that arrived. Thread-safe. Whoever drops the last reference without a reply sends kInternal.
class HR_EXPORT ServerCall {
 public:
  virtual ~ServerCall() = default;
  virtual const Payload& request() const = 0;
  /// Answers; the first reply counts, later ones are dropped. A failure sends no payload.
  virtual void Reply(const Status& status, Payload response) = 0;
  void Reply(const Status& status) { Reply(status, Payload()); }
  /// Cancelled when nobody waits for the answer any more (the client cancelled or went away: kCancelled; its deadline passed:
  /// kDeadlineExceeded), or when the server stops (kUnavailable); in that last case a reply given at once is still sent.
  virtual CancellationToken& cancellation() = 0;
  /// The client's deadline, or kNoDeadline.
  virtual TimePoint deadline() const = 0;
  /// The client's address, for logs.
  virtual std::string client() const = 0;
};

using Handler = std::function<void(std::shared_ptr<ServerCall> call)>;

struct HandlerOptions {
  /// Where the handler runs; null: on the transport's own thread, which it must not block.
  ThreadPool* pool = nullptr;
  /// How many calls the transport can take in before one of them is handled.
  int preposted = 4;
};

/// Handlers by method path. Filled before the server starts, not changed afterwards.
class HR_EXPORT ServiceTable {
 public:
  struct Entry {
    Handler handler;
    HandlerOptions options;
  };

  /// REQUIRES: the path is not in the table.
  void Add(std::string path, Handler handler, HandlerOptions options = {});
  /// Returns the entry, or nullptr.
  const Entry* Find(const std::string& path) const;
  const std::map<std::string, Entry>& entries() const { return entries_; }

  /// Hands `call` to the entry's handler, on its pool where it names one.
  static void Dispatch(const Entry& entry, std::shared_ptr<ServerCall> call);

 private:
  std::map<std::string, Entry> entries_;
};

/// Answers calls on one address until it is stopped.
class HR_EXPORT RpcServer {
 public:
  virtual ~RpcServer() = default;
  /// The port that it listens on.
  virtual int port() const = 0;
  /// Takes no more calls, cancels those that run, and returns when all are answered or `grace` has passed; then cuts them
  /// off. The handlers' own work may go on: what they use must outlive it. Repeatable.
  virtual void Stop(const Status& reason, Duration grace) = 0;
};

}  // namespace headrace
