#include "ops/data_flow/element_store.h"

#include <deque>
#include <map>
#include <utility>

#include "kernel/philox.h"
#include "os/clock.h"

namespace headrace {

namespace {

class FifoStore final : public ElementStore {
 public:
  void Put(QueueElement element) override { elements_.push_back(std::move(element)); }
  QueueElement Take() override {
    QueueElement element = std::move(elements_.front());
    elements_.pop_front();
    return element;
  }
  void PutBack(QueueElement element) override { elements_.push_front(std::move(element)); }
  int64_t size() const override { return static_cast<int64_t>(elements_.size()); }

 private:
  std::deque<QueueElement> elements_;
};

class RandomStore final : public ElementStore {
 public:
  RandomStore(uint64_t seed, uint64_t seed2) : words_(seed, seed2) {}
  void Put(QueueElement element) override { elements_.push_back(std::move(element)); }
  QueueElement Take() override {
    QueueElement& chosen = elements_[words_.Next() % elements_.size()];
    QueueElement element = std::exchange(chosen, std::move(elements_.back()));
    elements_.pop_back();
    return element;
  }
  void PutBack(QueueElement element) override { Put(std::move(element)); }
  int64_t size() const override { return static_cast<int64_t>(elements_.size()); }

 private:
  std::vector<QueueElement> elements_;
  PhiloxWords words_;
};

class PriorityStore final : public ElementStore {
 public:
  void Put(QueueElement element) override {
    const int64_t priority = element[0].scalar<int64_t>();
    elements_.emplace(priority, std::move(element));
  }
  QueueElement Take() override { return std::move(elements_.extract(elements_.begin()).mapped()); }
  void PutBack(QueueElement element) override {
    const int64_t priority = element[0].scalar<int64_t>();
    elements_.emplace_hint(elements_.lower_bound(priority), priority, std::move(element));
  }
  int64_t size() const override { return static_cast<int64_t>(elements_.size()); }

 private:
  std::multimap<int64_t, QueueElement> elements_;
};

}  // namespace

std::unique_ptr<ElementStore> MakeFifoStore() { return std::make_unique<FifoStore>(); }

std::unique_ptr<ElementStore> MakeRandomStore(int64_t seed, int64_t seed2) {
  if (seed == 0 && seed2 == 0) return std::make_unique<RandomStore>(RandomBits(), RandomBits());
  return std::make_unique<RandomStore>(static_cast<uint64_t>(seed), static_cast<uint64_t>(seed2));
}

std::unique_ptr<ElementStore> MakePriorityStore() { return std::make_unique<PriorityStore>(); }

}  // namespace headrace
