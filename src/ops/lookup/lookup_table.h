// LookupTable: a map from keys to values, each value a tensor of one shape. The state behind HashTable and its kin.
#pragma once

#include <optional>
#include <shared_mutex>
#include <variant>

#include "kernel/resource.h"
#include "ops/lookup/key_rows.h"
#include "tensor/tensor.h"

namespace headrace {

/// Thread-safe. Keys are i32, i64 or strings; values of any dtype.
class LookupTable final : public Resource {
 public:
  struct Kind {
    DType key_dtype = DType::kInvalid;
    DType value_dtype = DType::kInvalid;
    Shape value_shape = {};
    /// Filled once, by Initialize; nothing can be found before. Else empty at first and changed at will.
    bool filled_once = false;
    /// Keys that no entry may have, each with its name ("empty_key"); for MutableDenseHashTable.
    std::vector<std::pair<std::string, Tensor>> forbidden = {};
  };

  /// Errors: kUnimplemented for keys of another dtype.
  static Result<std::shared_ptr<LookupTable>> Make(Kind kind);
  explicit LookupTable(Kind kind);

  const Kind& kind() const { return kind_; }
  int64_t size() const;

  /// The values of `keys`, in `*values` (of the keys' shape followed by the value shape). Keys that are not there get the value
  /// of `fallback`: one value for all, or one for each key. Errors: kFailedPrecondition "Table not initialized."
  Status Find(const Tensor& keys, const Tensor& fallback, Tensor* values) const;
  /// Adds or replaces. Errors: kUnimplemented for a table that is filled once.
  Status Insert(const Tensor& keys, const Tensor& values);
  /// Errors: kUnimplemented for a table that is filled once.
  Status Remove(const Tensor& keys);
  /// Replaces all entries; fills a table that is filled once. A second time that must be with as many entries, and changes
  /// nothing. Errors: kInvalidArgument for a key with two values, kFailedPrecondition.
  Status Import(const Tensor& keys, const Tensor& values);
  /// All entries in the order in which they came, but for removals.
  struct Entries {
    Tensor keys, values;
  };
  Result<Entries> Export() const;

  std::string DebugString() const override;

 private:
  int64_t SizeLocked() const;
  Status CheckEntries(const Tensor& keys, const Tensor& values) const;
  Status InsertLocked(const Tensor& keys, const Tensor& values, bool unique);
  Status Reserve(int64_t rows);

  const Kind kind_;
  const int64_t width_;  // elements of a value
  mutable std::shared_mutex mutex_;
  std::variant<KeyRows<int64_t>, KeyRows<std::string>> rows_;  // guarded by mutex_, as the rest
  Tensor values_;                                              // a row for each number, and some to spare
  bool filled_ = false;
};

}  // namespace headrace
