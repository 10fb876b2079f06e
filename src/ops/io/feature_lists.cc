#include "ops/io/feature_lists.h"

#include "ops/io/example_columns.h"
#include "ops/io/example_pieces.h"
#include "ops/io/example_values.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

/// The list of a slot of the key table in one example. It counts when `example` is the current one.
struct Slot {
  int64_t example = -1;
  std::string_view list;
};

/// One call: what is read.
struct Batch {
  std::span<const ListFeature> features;
  const KeyTable& keys;
  const ExampleInputs& inputs;
};

/// Parses some consecutive examples. One thread at a time.
class Piece {
 public:
  Piece(const Batch& batch, int64_t begin, int64_t end)
      : batch_(batch),
        slots_(static_cast<size_t>(batch.keys.num_slots())),
        columns_(batch.features.size()),
        begin_(begin),
        end_(end) {}

  /// Stops at the first bad example; `*bad` is its number.
  Status Parse(int64_t* bad) {
    for (example_ = begin_; example_ < end_; ++example_) {
      *bad = example_;
      HR_RETURN_IF_ERROR(ParseOne(batch_.inputs.serialized[static_cast<size_t>(example_)]));
    }
    return OkStatus();
  }
  ListColumn* column(size_t feature) { return &columns_[feature]; }

 private:
  Status ParseOne(std::string_view bytes) {
    const bool sound = ForEachFeatureList(bytes, [&](std::string_view key, std::string_view list) {
      const int slot = batch_.keys.Find(key);
      if (slot >= 0) slots_[static_cast<size_t>(slot)] = {example_, list};
      return true;
    });
    if (!sound) return batch_.inputs.messages->NoExample(Place(), bytes);
    for (size_t i = 0; i < batch_.features.size(); ++i) {
      const Slot& slot = slots_[static_cast<size_t>(batch_.keys.slot(i))];
      if (slot.example != example_) {
        HR_RETURN_IF_ERROR(TakeNone(i));
        continue;
      }
      switch (batch_.features[i].dtype) {
        case DType::kFloat:
          HR_RETURN_IF_ERROR(TakeRows<float>(i, slot.list));
          break;
        case DType::kInt64:
          HR_RETURN_IF_ERROR(TakeRows<int64_t>(i, slot.list));
          break;
        default:
          HR_RETURN_IF_ERROR(TakeRows<std::string>(i, slot.list));
      }
    }
    return OkStatus();
  }

  Status TakeNone(size_t i) {
    const ListFeature& feature = batch_.features[i];
    if (!feature.may_be_missing) {
      return InvalidArgument("Name: ", Place().name, ", Feature list '", Key(i),
                             "' is required but could not be found.  Did you mean to include it in "
                             "feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?");
    }
    columns_[i].num_rows.push_back(0);
    if (feature.form == Form::kPadded) columns_[i].counts.push_back(0);
    return OkStatus();
  }

  template <typename T> Status TakeRows(size_t i, std::string_view list) {
    const ListFeature& feature = batch_.features[i];
    ListColumn& column = columns_[i];
    int64_t num_rows = 0;
    Status status;
    const bool sound = ForEachRow(list, [&](const FeatureView& row) {
      status = TakeRow<T>(i, row, num_rows);
      ++num_rows;
      return status.ok();
    });
    HR_RETURN_IF_ERROR(status);
    if (!sound) return Malformed(i, num_rows);
    column.num_rows.push_back(num_rows);
    if (feature.form == Form::kPadded) column.counts.push_back(num_rows * feature.num_elements);
    return OkStatus();
  }

  template <typename T> Status TakeRow(size_t i, const FeatureView& row, int64_t number) {
    const ListFeature& feature = batch_.features[i];
    if (row.kind != FeatureKind::kNone && row.kind != KindOf(kDTypeOf<T>)) {
      return InvalidArgument("Name: ", Place().name, ", Feature list: ", Key(i), ", Index: ", number,
                             ".  Data types don't match. Expected type: ", TypeText(feature.dtype));
    }
    ListColumn& column = columns_[i];
    std::vector<T>& values = column.values<T>();
    const size_t before = values.size();
    const int64_t expected = feature.form == Form::kPadded ? feature.num_elements : 1;
    int64_t count = 0;
    if (row.kind != FeatureKind::kNone) {
      // Where so many values cannot be, there is no room for them either.
      const int64_t most = std::min<int64_t>(expected, std::ssize(row.list));
      values.resize(before + static_cast<size_t>(most));
      count = ReadValues(row.list, values.data() + before, most);
      if (count < 0) return Malformed(i, number);
    }
    if (feature.form == Form::kPadded) {
      if (count == expected) return OkStatus();
      const auto row_dims = feature.stated_shape.dims().subspan(1);
      return InvalidArgument("Name: ", Place().name, ", Key: ", Key(i), ", Index: ", number,
                             ".  Number of values != expected.  values size: ", count, " but output shape: ",
                             PartialShape(std::vector<int64_t>(row_dims.begin(), row_dims.end())));
    }
    values.resize(before + static_cast<size_t>(count));
    if (count > expected) ReadValues(row.list, values.data() + before, count);
    column.counts.push_back(count);
    return OkStatus();
  }

  // --- messages
  const std::string& Key(size_t i) const { return batch_.keys.name(batch_.keys.slot(i)); }
  ExamplePlace Place() const { return PlaceOf(batch_.inputs, example_); }
  Status Malformed(size_t i, int64_t row) const {
    return InvalidArgument("Name: ", Place().name, ", Feature list: ", Key(i), ", Index: ", row,
                           ".  The values are malformed");
  }

  const Batch& batch_;
  std::vector<Slot> slots_;
  std::vector<ListColumn> columns_;
  const int64_t begin_;
  const int64_t end_;
  int64_t example_ = 0;
};

}  // namespace

Status ParseFeatureLists(KernelContext& c, std::span<const ListFeature> features, const KeyTable& keys,
                         const ExampleInputs& inputs) {
  if (features.empty()) return OkStatus();
  const Batch batch{features, keys, inputs};
  using Pieces = std::map<int64_t, Piece>;
  HR_ASSIGN_OR_RETURN(Pieces pieces, ParsePieces<Piece>(c, inputs.serialized, [&](int64_t begin, int64_t end) {
                        return Piece(batch, begin, end);
                      }));
  for (size_t i = 0; i < features.size(); ++i) {
    ListColumns columns;
    for (auto& [begin, piece] : pieces) columns.push_back(piece.column(i));
    HR_RETURN_IF_ERROR(JoinListColumns(c, features[i], columns, inputs.is_batch));
  }
  return OkStatus();
}

}  // namespace headrace
