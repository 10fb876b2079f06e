#include "tensor/buffer.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "tensor/charge.h"

namespace headrace {

bool MemoryAccount::Charge(int64_t bytes) {
  int64_t used = used_bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_bytes_ - used) return false;
  } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kPooledFrom = int64_t{64} << 10;  // smaller blocks are left to malloc
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kKeptBytes = int64_t{1} << 30;  // what the pool holds on to at most

/// Rounds up to one of four sizes per power of two, so that at most a fifth of a block is waste.
int64_t RoundToClass(int64_t size_bytes) {
  const int64_t step = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(size_bytes))) / 4;
  return (size_bytes + step - 1) / step * step;
}

/// Free large blocks, by size class.
class BlockPool {
 public:
  void* Take(int64_t block_bytes) {
    {
      std::lock_guard lock(mutex_);
      std::vector<void*>& blocks = BlocksOf(block_bytes);
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        kept_bytes_ -= block_bytes;
        return block;
      }
    }
    const int64_t alignment = block_bytes >= kHugePage ? kHugePage : kAlignment;
    void* block = std::aligned_alloc(static_cast<size_t>(alignment),
                                     static_cast<size_t>((block_bytes + alignment - 1) / alignment * alignment));
    if (block != nullptr && block_bytes >= kHugePage) madvise(block, static_cast<size_t>(block_bytes), MADV_HUGEPAGE);
    return block;
  }

  void Give(void* block, int64_t block_bytes) {
    {
      std::lock_guard lock(mutex_);
      if (kept_bytes_ + block_bytes <= kKeptBytes) {
        BlocksOf(block_bytes).push_back(block);
        kept_bytes_ += block_bytes;
        return;
      }
    }
    std::free(block);
  }

 private:
  std::vector<void*>& BlocksOf(int64_t block_bytes) {
    const auto word = static_cast<uint64_t>(block_bytes);
    const int log2 = std::bit_width(word) - 1;
    return blocks_[static_cast<size_t>(log2)][(word >> (log2 - 2)) & 3];
  }

  std::mutex mutex_;
  int64_t kept_bytes_ = 0;
  std::vector<void*> blocks_[64][4];
};

BlockPool& Pool() {
  static auto* pool = new BlockPool;  // never destroyed: buffers may outlive static objects
  return *pool;
}

/// The Buffer object and, for small blocks, its data share one allocation.
class CpuBuffer final : public Buffer {
 public:
  static constexpr int64_t kHeaderBytes = kAlignment;

  /// `allocation` is what free() takes back with the buffer itself.
  CpuBuffer(void* data, int64_t size_bytes, int64_t block_bytes, void* allocation,
            const std::shared_ptr<MemoryAccount>& account)
      : Buffer(data, size_bytes), block_bytes_(block_bytes), allocation_(allocation), account_(account) {}

  void Destroy() override {
    if (account_ != nullptr) account_->Release(size_bytes());
    const int64_t block_bytes = block_bytes_;
    void* block = data();
    void* allocation = allocation_;
    this->~CpuBuffer();
    if (block_bytes > 0) Pool().Give(block, block_bytes);
    std::free(allocation);
  }

 private:
  const int64_t block_bytes_;  // 0 when the data follows the header
  void* const allocation_;
  const std::shared_ptr<MemoryAccount> account_;
};
static_assert(sizeof(CpuBuffer) <= CpuBuffer::kHeaderBytes);

class CpuAllocatorImpl final : public Allocator {
 public:
  Result<BufferPtr> Allocate(int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account) override {
    if (size_bytes < 0) return InvalidArgument("Cannot allocate ", size_bytes, " bytes");
    HR_RETURN_IF_ERROR(ChargeAccount(account, size_bytes));
    Buffer* buffer = size_bytes < kPooledFrom ? AllocateSmall(size_bytes, account) : AllocateLarge(size_bytes, account);
    if (buffer == nullptr) {
      if (account != nullptr) account->Release(size_bytes);
      return ResourceExhausted("OOM when allocating ", size_bytes, " bytes: the system has no memory");
    }
    return BufferPtr(buffer);
  }

 private:
  static Buffer* AllocateSmall(int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account) {
    // Aligned by hand: glibc's aligned_alloc goes past the caches that make malloc fast.
    void* allocation = std::malloc(static_cast<size_t>(CpuBuffer::kHeaderBytes + size_bytes + kAlignment));
    if (allocation == nullptr) return nullptr;
    char* block = static_cast<char*>(allocation) + (-reinterpret_cast<uintptr_t>(allocation) & (kAlignment - 1));
    return new (block) CpuBuffer(block + CpuBuffer::kHeaderBytes, size_bytes, 0, allocation, account);
  }

  static Buffer* AllocateLarge(int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account) {
    if (size_bytes > (int64_t{1} << 62)) return nullptr;
    const int64_t block_bytes = RoundToClass(size_bytes);
    void* data = Pool().Take(block_bytes);
    if (data == nullptr) return nullptr;
    void* header = std::malloc(sizeof(CpuBuffer));
    if (header == nullptr) {
      Pool().Give(data, block_bytes);
      return nullptr;
    }
    return new (header) CpuBuffer(data, size_bytes, block_bytes, header, account);
  }
};

class ExternalBuffer final : public Buffer {
 public:
  ExternalBuffer(void* data, int64_t size_bytes, std::function<void()> release)
      : Buffer(data, size_bytes), release_(std::move(release)) {}
  void Destroy() override {
    release_();
    delete this;
  }

 private:
  const std::function<void()> release_;
};

}  // namespace

Allocator& CpuAllocator() {
  static auto* allocator = new CpuAllocatorImpl;
  return *allocator;
}

BufferPtr WrapExternal(void* data, int64_t size_bytes, std::function<void()> release) {
  return BufferPtr(new ExternalBuffer(data, size_bytes, std::move(release)));
}

}  // namespace headrace
