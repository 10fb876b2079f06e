// The local rendezvous: a hashed table of keys, each of which is sent once and received once. Callbacks run without the lock.
#include "kernel/rendezvous.h"

#include <charconv>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace headrace {

namespace {

template <typename T> bool ParseWhole(std::string_view text, T* value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

/// Lower-case digits only, 16 of them: what every peer writes.
bool ParseIncarnation(std::string_view text, uint64_t* value) {
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  return ParseWhole(text, value, 16);
}

class LocalRendezvous final : public Rendezvous {
 public:
  ~LocalRendezvous() override { StartAbort(Aborted("The rendezvous of the step has ended")); }

  Status Send(const std::string& key, Tensor value, bool is_dead) override {
    Receiver receiver;
    {
      std::lock_guard lock(mutex_);
      if (!abort_.ok()) return abort_;
      Entry& entry = entries_[key];
      if (entry.sent) return Aborted("Rendezvous: key sent twice: ", key);
      entry.sent = true;
      if (entry.receiver.done == nullptr) {
        entry.value = std::move(value);
        entry.is_dead = is_dead;
        return OkStatus();
      }
      receiver = std::exchange(entry.receiver, Receiver());
    }
    receiver.StopListening();
    receiver.done(OkStatus(), std::move(value), is_dead);
    return OkStatus();
  }

  void RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) override {
    Tensor value;
    bool is_dead = false;
    const Status status = TakeOrWait(key, cancellation, &done, &value, &is_dead);
    if (done != nullptr) done(status, std::move(value), is_dead);
  }

  void StartAbort(const Status& status) override {
    std::unordered_map<std::string, Entry> aborted;
    {
      std::lock_guard lock(mutex_);
      if (!abort_.ok()) return;
      abort_ = status;
      aborted.swap(entries_);
    }
    for (auto& [key, entry] : aborted) {
      if (entry.receiver.done == nullptr) continue;
      entry.receiver.StopListening();
      entry.receiver.done(status, Tensor(), false);
    }
  }

 private:
  struct Receiver {
    Done done;
    CancellationToken* cancellation = nullptr;
    uint64_t cancel_id = 0;

    void StopListening() const {
      if (cancellation != nullptr) cancellation->Deregister(cancel_id);
    }
  };
  struct Entry {
    bool sent = false;
    bool received = false;
    bool is_dead = false;
    Tensor value;       // sent, and not yet received
    Receiver receiver;  // waiting for the sender
  };

  /// Leaves `*done` empty when the receiver waits.
  Status TakeOrWait(const std::string& key, CancellationToken* cancellation, Done* done, Tensor* value, bool* is_dead) {
    std::lock_guard lock(mutex_);
    if (!abort_.ok()) return abort_;
    Entry& entry = entries_[key];
    if (entry.received) return Aborted("Rendezvous: key received twice: ", key);
    if (entry.sent) {
      entry.received = true;
      *value = std::move(entry.value);
      *is_dead = entry.is_dead;
      return OkStatus();
    }
    uint64_t cancel_id = 0;
    if (cancellation != nullptr) {
      cancel_id = cancellation->OnCancel([this, key] { CancelReceiver(key); });
      if (cancel_id == 0) return cancellation->status().AsDerived();
    }
    entry.received = true;
    entry.receiver = Receiver{std::exchange(*done, nullptr), cancellation, cancel_id};
    return OkStatus();
  }

  void CancelReceiver(const std::string& key) {
    Receiver receiver;
    {
      std::lock_guard lock(mutex_);
      const auto found = entries_.find(key);
      if (found == entries_.end() || found->second.receiver.done == nullptr) return;
      receiver = std::exchange(found->second.receiver, Receiver());
    }
    receiver.done(receiver.cancellation->status().AsDerived(), Tensor(), false);
  }

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  // guarded by mutex_
  Status abort_;                                    // guarded by mutex_
};

}  // namespace

Result<RendezvousKey> RendezvousKey::Parse(std::string_view text) {
  std::string_view parts[5];
  std::string_view rest = text;
  for (int i = 0; i < 5; ++i) {
    const size_t end = i < 4 ? rest.find(';') : rest.size();
    if (end == std::string_view::npos) return InvalidArgument("Invalid rendezvous key: ", text);
    parts[i] = rest.substr(0, end);
    rest.remove_prefix(i < 4 ? end + 1 : end);
  }
  RendezvousKey key;
  const size_t colon = parts[4].find(':');
  if (parts[0].empty() || parts[2].empty() || parts[3].empty() || colon == std::string_view::npos ||
      !ParseIncarnation(parts[1], &key.src_incarnation) || !ParseWhole(parts[4].substr(0, colon), &key.frame_id) ||
      !ParseWhole(parts[4].substr(colon + 1), &key.iteration)) {
    return InvalidArgument("Invalid rendezvous key: ", text);
  }
  key.src_device = parts[0];
  key.dst_device = parts[2];
  key.edge_name = parts[3];
  return key;
}

std::string RendezvousKey::ToString() const {
  return StrCat(src_device, ';', Hex16(src_incarnation), ';', dst_device, ';', edge_name, ';', frame_id, ':',
                iteration);
}

std::shared_ptr<Rendezvous> MakeLocalRendezvous() { return std::make_shared<LocalRendezvous>(); }

}  // namespace headrace
