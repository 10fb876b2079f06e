#include "format/example.h"

#include <algorithm>
#include <cstring>

#include "format/little_endian.h"

namespace headrace {

bool WireCursor::ReadLongVarint(uint64_t* value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 70 && next_ < end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*next_++);
    if (shift == 63 && byte > 1) return false;
    result |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

bool WireCursor::ReadFixed32(uint32_t* value) {
  if (Remaining() < 4) return false;
  std::memcpy(value, next_, 4);
  next_ += 4;
  return true;
}

bool WireCursor::SkipField(int wire_type) {
  uint64_t varint;
  std::string_view bytes;
  switch (wire_type) {
    case 0:
      return ReadVarint(&varint);
    case 1:
      if (Remaining() < 8) return false;
      next_ += 8;
      return true;
    case 2:
      return ReadBytes(&bytes);
    case 5:
      if (Remaining() < 4) return false;
      next_ += 4;
      return true;
    default:
      return false;
  }
}

std::string_view FeatureKindName(FeatureKind kind) {
  static constexpr std::string_view kNames[] = {"no value", "bytes_list", "float_list", "int64_list"};
  return kNames[static_cast<int>(kind)];
}

namespace {

/// Calls packed(bytes) or single(cursor, wire type) for each occurrence of field 1.
template <typename Packed, typename Single>
bool ForEachValueField(std::string_view list, Packed&& packed, Single&& single) {
  WireCursor cursor(list);
  while (!cursor.AtEnd()) {
    uint32_t field;
    int wire_type;
    std::string_view bytes;
    if (!cursor.ReadTag(&field, &wire_type)) return false;
    if (field != 1) {
      if (!cursor.SkipField(wire_type)) return false;
    } else if (wire_type == 2) {
      if (!cursor.ReadBytes(&bytes) || !packed(bytes)) return false;
    } else if (!single(cursor, wire_type)) {
      return false;
    }
  }
  return true;
}

void AppendLengthDelimited(std::string& out, uint32_t field, std::string_view bytes) {
  AppendVarint(out, field << 3 | 2);
  AppendVarint(out, bytes.size());
  out += bytes;
}

}  // namespace

bool ReadFeature(std::string_view bytes, FeatureView* feature) {
  WireCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    uint32_t field;
    int wire_type;
    if (!cursor.ReadTag(&field, &wire_type)) return false;
    if (field >= 1 && field <= 3 && wire_type == 2) {
      if (!cursor.ReadBytes(&feature->list)) return false;
      feature->kind = static_cast<FeatureKind>(field);
    } else if (!cursor.SkipField(wire_type)) {
      return false;
    }
  }
  return true;
}

bool ReadFeatureEntry(std::string_view entry, FeatureView* feature) {
  WireCursor cursor(entry);
  while (!cursor.AtEnd()) {
    uint32_t field;
    int wire_type;
    std::string_view bytes;
    if (!cursor.ReadTag(&field, &wire_type)) return false;
    if (field > 2 || wire_type != 2) {
      if (!cursor.SkipField(wire_type)) return false;
      continue;
    }
    if (!cursor.ReadBytes(&bytes)) return false;
    if (field == 1) {
      feature->name = bytes;
    } else if (!ReadFeature(bytes, feature)) {
      return false;
    }
  }
  return true;
}

bool ReadListEntry(std::string_view entry, std::string_view* key, std::string_view* list) {
  WireCursor cursor(entry);
  while (!cursor.AtEnd()) {
    uint32_t field;
    int wire_type;
    if (!cursor.ReadTag(&field, &wire_type)) return false;
    if (field > 2 || wire_type != 2) {
      if (!cursor.SkipField(wire_type)) return false;
    } else if (!cursor.ReadBytes(field == 1 ? key : list)) {
      return false;
    }
  }
  return true;
}

int64_t DecodeFloats(std::string_view list, float* out, int64_t capacity) {
  int64_t count = 0;
  const auto packed = [&](std::string_view bytes) {
    if (bytes.size() % 4 != 0) return false;
    const auto arrived = static_cast<int64_t>(bytes.size() / 4);
    const int64_t stored = std::clamp<int64_t>(capacity - count, 0, arrived);
    if (stored > 0) std::memcpy(out + count, bytes.data(), static_cast<size_t>(stored) * 4);
    count += arrived;
    return true;
  };
  const auto single = [&](WireCursor& cursor, int wire_type) {
    uint32_t word;
    if (wire_type != 5 || !cursor.ReadFixed32(&word)) return false;
    if (count < capacity) std::memcpy(out + count, &word, 4);
    ++count;
    return true;
  };
  return ForEachValueField(list, packed, single) ? count : -1;
}

int64_t DecodeInt64s(std::string_view list, int64_t* out, int64_t capacity) {
  int64_t count = 0;
  const auto read_one = [&](WireCursor& cursor) {
    uint64_t word;
    if (!cursor.ReadVarint(&word)) return false;
    if (count < capacity) out[count] = static_cast<int64_t>(word);
    ++count;
    return true;
  };
  const auto packed = [&](std::string_view bytes) {
    WireCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      if (!read_one(cursor)) return false;
    }
    return true;
  };
  const auto single = [&](WireCursor& cursor, int wire_type) { return wire_type == 0 && read_one(cursor); };
  return ForEachValueField(list, packed, single) ? count : -1;
}

int64_t DecodeBytes(std::string_view list, std::string* out, int64_t capacity) {
  int64_t count = 0;
  const auto value = [&](std::string_view bytes) {
    if (count < capacity) out[count].assign(bytes);
    ++count;
    return true;
  };
  return ForEachValueField(list, value, [](WireCursor&, int) { return false; }) ? count : -1;
}

void ExampleWriter::AddFeature(std::string_view name, FeatureKind kind, std::string_view list) {
  std::string feature, entry;
  AppendLengthDelimited(feature, static_cast<uint32_t>(kind), list);
  AppendLengthDelimited(entry, 1, name);
  AppendLengthDelimited(entry, 2, feature);
  AppendLengthDelimited(features_, 1, entry);
}

void ExampleWriter::AddFloats(std::string_view name, const std::vector<float>& values) {
  std::string list;
  if (!values.empty()) {
    AppendLengthDelimited(list, 1, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }
  AddFeature(name, FeatureKind::kFloat, list);
}

void ExampleWriter::AddInt64s(std::string_view name, const std::vector<int64_t>& values) {
  std::string packed, list;
  for (int64_t value : values) AppendVarint(packed, static_cast<uint64_t>(value));
  if (!values.empty()) AppendLengthDelimited(list, 1, packed);
  AddFeature(name, FeatureKind::kInt64, list);
}

void ExampleWriter::AddBytes(std::string_view name, const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) AppendLengthDelimited(list, 1, value);
  AddFeature(name, FeatureKind::kBytes, list);
}

std::string ExampleWriter::Take() {
  std::string example;
  AppendLengthDelimited(example, 1, features_);
  features_.clear();
  return example;
}

}  // namespace headrace
