#include <algorithm>

#include "base/strings.h"
#include "format/crc32c.h"
#include "format/little_endian.h"
#include "format/table.h"
#include "format/table_layout.h"

namespace headrace {

namespace {

constexpr size_t kBlockBytes = size_t{256} << 10;
constexpr int kDataRestartInterval = 16;
constexpr int kIndexRestartInterval = 1;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

/// The shortest text that is >= `low` and < `high`; `low` itself where no shorter one is found.
std::string ShortestSeparator(std::string_view low, std::string_view high) {
  const size_t shared = CommonPrefix(low, high);
  if (shared == std::min(low.size(), high.size())) return std::string(low);
  const auto at_low = static_cast<unsigned char>(low[shared]);
  const auto at_high = static_cast<unsigned char>(high[shared]);
  if (at_low + 1 >= at_high) return std::string(low);
  std::string separator(low.substr(0, shared + 1));
  separator.back() = static_cast<char>(at_low + 1);
  return separator;
}

/// A short text that is >= `key`.
std::string ShortSuccessor(std::string_view key) {
  for (size_t i = 0; i < key.size(); ++i) {
    const auto byte = static_cast<unsigned char>(key[i]);
    if (byte == 0xff) continue;
    std::string successor(key.substr(0, i + 1));
    successor.back() = static_cast<char>(byte + 1);
    return successor;
  }
  return std::string(key);
}

}  // namespace

void TableWriter::Block::Add(std::string_view key, std::string_view value, int restart_interval) {
  size_t shared = 0;
  if (restarts.empty() || entries_since_restart == restart_interval) {
    restarts.push_back(static_cast<uint32_t>(content.size()));
    entries_since_restart = 0;
  } else {
    shared = CommonPrefix(last_key, key);
  }
  AppendVarint(content, shared);
  AppendVarint(content, key.size() - shared);
  AppendVarint(content, value.size());
  content += key.substr(shared);
  content += value;
  last_key = key;
  ++entries_since_restart;
}

std::string TableWriter::Block::Take() {
  if (restarts.empty()) restarts.push_back(0);
  for (uint32_t restart : restarts) AppendFixed32(content, restart);
  AppendFixed32(content, static_cast<uint32_t>(restarts.size()));
  restarts.clear();
  entries_since_restart = 0;
  return std::exchange(content, {});
}

Status TableWriter::WriteBlock(Block* block, std::string* handle) {
  std::string stored = block->Take();
  AppendVarint(*handle, static_cast<uint64_t>(offset_));
  AppendVarint(*handle, stored.size());
  stored += kStoredAsIs;
  AppendFixed32(stored, MaskCrc(Crc32c(stored)));
  offset_ += static_cast<int64_t>(stored.size());
  return file_->Append(stored);
}

void TableWriter::IndexPending(const std::string& separator) {
  if (pending_handle_.empty()) return;
  index_.Add(separator, pending_handle_, kIndexRestartInterval);
  pending_handle_.clear();
}

Status TableWriter::Add(std::string_view key, std::string_view value) {
  if (any_key_ && key <= last_key_) {
    return InvalidArgument("Table keys must ascend: '", key, "' comes after '", last_key_, "'");
  }
  if (!pending_handle_.empty()) IndexPending(ShortestSeparator(last_key_, key));
  data_.Add(key, value, kDataRestartInterval);
  any_key_ = true;
  last_key_ = key;
  if (data_.content.size() + 4 * (data_.restarts.size() + 1) < kBlockBytes) return OkStatus();
  return WriteBlock(&data_, &pending_handle_);
}

Status TableWriter::Finish() {
  std::string footer;
  if (!data_.content.empty()) HR_RETURN_IF_ERROR(WriteBlock(&data_, &pending_handle_));
  Block meta;
  HR_RETURN_IF_ERROR(WriteBlock(&meta, &footer));
  IndexPending(ShortSuccessor(last_key_));
  HR_RETURN_IF_ERROR(WriteBlock(&index_, &footer));
  footer.resize(kTableHandlesBytes);
  AppendFixed64(footer, kTableMagic);
  HR_RETURN_IF_ERROR(file_->Append(footer));
  HR_RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

}  // namespace headrace
