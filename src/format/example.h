// Serialized tf.train.Example and SequenceExample messages, read and written without building message objects.
//
//   Example         = { field 1: Features }
//   SequenceExample = { field 1: Features (the context), field 2: FeatureLists }
//   Features  = { field 1: entry }                     a map: entries in any order, of equal keys the last counts
//   entry     = field 1: key, field 2: Feature
//   Feature   = field 1: BytesList | field 2: FloatList | field 3: Int64List      (the last one counts)
//   BytesList = { field 1: bytes }
//   FloatList = { field 1: packed floats, or one float }
//   Int64List = { field 1: packed varints, or one varint }
//   FeatureLists = { field 1: entry }                  a map from keys to FeatureList = { field 1: Feature }, a row each
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace headrace {

/// Reads protobuf's wire format from memory. All reads return false at the end or on malformed bytes.
class HR_EXPORT WireCursor {
 public:
  explicit WireCursor(std::string_view bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool AtEnd() const { return next_ == end_; }
  int64_t Remaining() const { return end_ - next_; }

  bool ReadVarint(uint64_t* value) {
    if (next_ < end_ && static_cast<signed char>(*next_) >= 0) {
      *value = static_cast<unsigned char>(*next_++);
      return true;
    }
    return ReadLongVarint(value);
  }
  /// A tag's field number and wire type.
  bool ReadTag(uint32_t* field, int* wire_type) {
    uint64_t tag;
    if (!ReadVarint(&tag) || tag >> 35 != 0) return false;
    *field = static_cast<uint32_t>(tag >> 3);
    *wire_type = static_cast<int>(tag & 7);
    return *field != 0;
  }
  bool ReadBytes(std::string_view* bytes) {
    uint64_t length;
    return ReadVarint(&length) && ReadRaw(length, bytes);
  }
  bool ReadRaw(uint64_t length, std::string_view* bytes) {
    if (length > static_cast<uint64_t>(end_ - next_)) return false;
    *bytes = std::string_view(next_, length);
    next_ += length;
    return true;
  }
  bool ReadFixed32(uint32_t* value);
  /// Passes over the value of a field of that wire type (groups are not supported, as in proto3).
  bool SkipField(int wire_type);

 private:
  bool ReadLongVarint(uint64_t* value);
  const char* next_;
  const char* end_;
};

enum class FeatureKind : int { kNone = 0, kBytes = 1, kFloat = 2, kInt64 = 3 };
HR_EXPORT std::string_view FeatureKindName(FeatureKind kind);

/// One feature of an Example, its values still serialized.
struct FeatureView {
  std::string_view name;
  FeatureKind kind = FeatureKind::kNone;
  std::string_view list;
};

/// Calls `visit` for each feature of an Example, or of a SequenceExample's context, in the order of the bytes. Returns false
/// for malformed bytes, or when `visit` does.
template <typename Visit> bool ForEachFeature(std::string_view example, Visit&& visit);

/// The same for the feature lists of a SequenceExample: visit(key, list).
template <typename Visit> bool ForEachFeatureList(std::string_view sequence_example, Visit&& visit);

/// Calls visit(row) for each row of such a list; the rows have no names.
template <typename Visit> bool ForEachRow(std::string_view list, Visit&& visit);

// Decoders of one list. Each returns the number of values, or -1 for malformed bytes; up to `capacity` are stored in `out`.
HR_EXPORT int64_t DecodeFloats(std::string_view list, float* out, int64_t capacity);
HR_EXPORT int64_t DecodeInt64s(std::string_view list, int64_t* out, int64_t capacity);
HR_EXPORT int64_t DecodeBytes(std::string_view list, std::string* out, int64_t capacity);

/// Builds a serialized Example feature by feature; names should be added in sorted order for reproducible bytes.
class HR_EXPORT ExampleWriter {
 public:
  void AddFloats(std::string_view name, const std::vector<float>& values);
  void AddInt64s(std::string_view name, const std::vector<int64_t>& values);
  void AddBytes(std::string_view name, const std::vector<std::string>& values);
  /// Returns the message and starts a new one.
  std::string Take();

 private:
  void AddFeature(std::string_view name, FeatureKind kind, std::string_view list);
  std::string features_;
};

// --- implementation of the template

HR_EXPORT bool ReadFeature(std::string_view bytes, FeatureView* feature);
HR_EXPORT bool ReadFeatureEntry(std::string_view entry, FeatureView* feature);
HR_EXPORT bool ReadListEntry(std::string_view entry, std::string_view* key, std::string_view* list);

/// Reads an entry in the form that serializers write, with lengths below 128; false for any other, sound or not.
inline bool ReadShortFeatureEntry(std::string_view entry, FeatureView* feature) {
  constexpr unsigned kNameTag = 0x0a, kFeatureTag = 0x12;
  const auto* bytes = reinterpret_cast<const unsigned char*>(entry.data());
  if (entry.size() < 6 || bytes[0] != kNameTag || bytes[1] >= 0x80 || bytes[1] + size_t{6} > entry.size()) return false;
  const unsigned char* value = bytes + 2 + bytes[1];
  const size_t value_bytes = entry.size() - 4 - bytes[1];
  if (value[0] != kFeatureTag || value[1] != value_bytes || value[3] != value_bytes - 2 || value_bytes >= 0x80)
    return false;
  if (value[2] != 0x0a && value[2] != 0x12 && value[2] != 0x1a) return false;
  feature->name = std::string_view(entry.data() + 2, bytes[1]);
  feature->kind = static_cast<FeatureKind>(value[2] >> 3);
  feature->list = std::string_view(entry.data() + entry.size() - value[3], value[3]);
  return true;
}

/// Calls visit(bytes) for each occurrence of the field, which holds bytes.
template <typename Visit> bool ForEachBytesField(std::string_view message, uint32_t wanted, Visit&& visit) {
  WireCursor cursor(message);
  while (!cursor.AtEnd()) {
    uint32_t field;
    int wire_type;
    std::string_view bytes;
    if (!cursor.ReadTag(&field, &wire_type)) return false;
    if (field != wanted || wire_type != 2) {
      if (!cursor.SkipField(wire_type)) return false;
    } else if (!cursor.ReadBytes(&bytes) || !visit(bytes)) {
      return false;
    }
  }
  return true;
}

template <typename Visit> bool ForEachFeature(std::string_view example, Visit&& visit) {
  return ForEachBytesField(example, 1, [&](std::string_view features) {
    return ForEachBytesField(features, 1, [&](std::string_view entry) {
      FeatureView feature;
      if (!ReadShortFeatureEntry(entry, &feature) && !ReadFeatureEntry(entry, &feature)) return false;
      return static_cast<bool>(visit(feature));
    });
  });
}

template <typename Visit> bool ForEachFeatureList(std::string_view sequence_example, Visit&& visit) {
  return ForEachBytesField(sequence_example, 2, [&](std::string_view lists) {
    return ForEachBytesField(lists, 1, [&](std::string_view entry) {
      std::string_view key, list;
      return ReadListEntry(entry, &key, &list) && visit(key, list);
    });
  });
}

template <typename Visit> bool ForEachRow(std::string_view list, Visit&& visit) {
  return ForEachBytesField(list, 1, [&](std::string_view bytes) {
    FeatureView row;
    return ReadFeature(bytes, &row) && visit(row);
  });
}

}  // namespace headrace
