#include "ops/io/example_parser.h"

#include <algorithm>

#include "ops/io/example_columns.h"
#include "ops/io/example_pieces.h"
#include "ops/io/example_values.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

/// The values of a slot of the key table in one example. They count when `example` is the current one.
struct Slot {
  int64_t example = -1;
  bool is_taken = false;  // they are where they belong already
  FeatureKind kind = FeatureKind::kNone;
  std::string_view list;
};

/// One call: what is read, and where it goes.
struct Batch {
  std::span<const ExampleFeature> features;
  const KeyTable& keys;
  const ExampleInputs& inputs;
  std::vector<void*> fixed = {};    // by feature: the output's elements, or null
  std::vector<Direct> direct = {};  // by slot
  bool has_columns = false;         // whether any feature is not fixed
};

/// Parses some consecutive examples. One thread at a time.
class Piece {
 public:
  Piece(const Batch& batch, int64_t begin, int64_t end)
      : batch_(batch),
        slots_(static_cast<size_t>(batch.keys.num_slots())),
        columns_(batch.has_columns ? batch.features.size() : 0),
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
  ExampleColumn* column(size_t feature) { return &columns_[feature]; }

 private:
  Status ParseOne(std::string_view example) {
    size_t position = 0, num_taken = 0;
    const bool sound = ForEachFeature(example, [&](const FeatureView& feature) {
      const int slot = FindSlot(feature.name, position++);
      if (slot < 0) return true;
      Slot& found = slots_[static_cast<size_t>(slot)];
      const bool was_taken = found.example == example_ && found.is_taken;
      found.example = example_;
      found.is_taken = TakeShort(batch_.direct[static_cast<size_t>(slot)], example_, feature.kind, feature.list);
      if (found.is_taken != was_taken) found.is_taken ? ++num_taken : --num_taken;
      if (!found.is_taken) {
        found.kind = feature.kind;
        found.list = feature.list;
      }
      return true;
    });
    if (!sound) return messages().NoExample(Place(), example);
    return num_taken == batch_.features.size() ? OkStatus() : TakeTheOthers();
  }

  /// What is absent, or has more than one value, or came in an unusual form.
  Status TakeTheOthers() {
    for (size_t i = 0; i < batch_.features.size(); ++i) {
      const ExampleFeature& feature = batch_.features[i];
      const Slot& slot = slots_[static_cast<size_t>(batch_.keys.slot(i))];
      const bool here = slot.example == example_;
      if (here && slot.is_taken) continue;
      const bool present = here && slot.kind != FeatureKind::kNone;
      switch (feature.dtype) {
        case DType::kFloat:
          HR_RETURN_IF_ERROR(Take<float>(i, present ? &slot : nullptr));
          break;
        case DType::kInt64:
          HR_RETURN_IF_ERROR(Take<int64_t>(i, present ? &slot : nullptr));
          break;
        default:
          HR_RETURN_IF_ERROR(Take<std::string>(i, present ? &slot : nullptr));
      }
    }
    return OkStatus();
  }

  /// Consecutive examples tend to have their features in one order: the key that was here last time is tried first.
  int FindSlot(std::string_view name, size_t position) {
    if (position < order_.size()) {
      int& expected = order_[position];
      if (expected < 0 || !SameName(batch_.keys.name(expected), name)) expected = batch_.keys.Find(name);
      return expected;
    }
    const int slot = batch_.keys.Find(name);
    if (position < slots_.size()) order_.push_back(slot);
    return slot;
  }

  template <typename T> Status Take(size_t i, const Slot* slot) {
    const ExampleFeature& feature = batch_.features[i];
    if (slot != nullptr && slot->kind != KindOf(kDTypeOf<T>))
      return messages().OtherType(Place(), Key(i), feature, slot->kind);
    return feature.form == Form::kFixed ? TakeFixed<T>(i, slot) : TakeAny<T>(i, slot);
  }

  template <typename T> Status TakeFixed(size_t i, const Slot* slot) {
    const ExampleFeature& feature = batch_.features[i];
    T* out = static_cast<T*>(batch_.fixed[i]) + example_ * feature.num_elements;
    if (slot == nullptr) return TakeDefault<T>(i, out);
    const int64_t count = ReadValues(slot->list, out, feature.num_elements);
    if (count == feature.num_elements) return OkStatus();
    return count < 0 ? messages().Malformed(Place(), Key(i), feature)
                     : messages().WrongCount(Place(), Key(i), feature, count);
  }

  template <typename T> Status TakeDefault(size_t i, T* out) {
    const ExampleFeature& feature = batch_.features[i];
    const Tensor& fallback = *batch_.inputs.defaults[static_cast<size_t>(feature.dense_index)];
    if (fallback.num_elements() == 0 && feature.num_elements != 0) return messages().Missing(Place(), Key(i), feature);
    std::ranges::copy(fallback.data<T>(), out);
    return OkStatus();
  }

  template <typename T> Status TakeAny(size_t i, const Slot* slot) {
    const ExampleFeature& feature = batch_.features[i];
    std::vector<T>& values = columns_[i].values<T>();
    std::vector<int64_t>& counts = columns_[i].counts;
    if (slot == nullptr) {
      counts.push_back(0);
      return OkStatus();
    }
    const size_t before = values.size();
    values.resize(before + 1);
    const int64_t count = ReadValues(slot->list, values.data() + before, 1);
    if (count < 0) return messages().Malformed(Place(), Key(i), feature);
    values.resize(before + static_cast<size_t>(count));
    if (count > 1) ReadValues(slot->list, values.data() + before, count);
    counts.push_back(count);
    if (feature.form == Form::kPadded && count % feature.num_elements != 0)
      return messages().NoWholeRows(Place(), Key(i), feature, count);
    return OkStatus();
  }

  // --- messages
  const std::string& Key(size_t i) const { return batch_.keys.name(batch_.keys.slot(i)); }
  const ExampleMessages& messages() const { return *batch_.inputs.messages; }
  ExamplePlace Place() const { return PlaceOf(batch_.inputs, example_); }

  const Batch& batch_;
  std::vector<Slot> slots_;
  std::vector<int> order_;  // slots by position in the last example
  std::vector<ExampleColumn> columns_;
  const int64_t begin_;
  const int64_t end_;
  int64_t example_ = 0;
};

Status CheckDefault(const ExampleFeature& feature, const Tensor& fallback) {
  const int i = feature.dense_index;
  if (feature.form == Form::kPadded) {
    if (fallback.num_elements() == 1) return OkStatus();
    return InvalidArgument(
        "dense_shape[", i, "] is a variable length shape: ", feature.stated_shape, ", therefore def_value[", i,
        "] must contain a single element (the padding element).  But its shape is: ", fallback.shape());
  }
  if (fallback.num_elements() == 0 || feature.stated_shape.IsCompatibleWith(fallback.shape())) return OkStatus();
  return InvalidArgument("def_value[", i, "].shape() == ", fallback.shape(), " is not compatible with dense_shapes_[",
                         i, "] == ", feature.stated_shape);
}

/// Finds the slots whose only feature is of one value.
void FillDirect(Batch* batch) {
  std::vector<int> num_features(static_cast<size_t>(batch->keys.num_slots()));
  batch->direct.resize(num_features.size());
  for (size_t i = 0; i < batch->features.size(); ++i) {
    const auto slot = static_cast<size_t>(batch->keys.slot(i));
    const ExampleFeature& feature = batch->features[i];
    const bool usable = ++num_features[slot] == 1 && feature.form == Form::kFixed && feature.num_elements == 1;
    batch->direct[slot] = usable ? Direct{KindOf(feature.dtype), batch->fixed[i]} : Direct{};
  }
}

Status AllocateFixed(KernelContext& c, Batch* batch) {
  for (const ExampleFeature& feature : batch->features) {
    void*& out = batch->fixed.emplace_back(nullptr);
    batch->has_columns |= feature.form != Form::kFixed;
    if (feature.form == Form::kSparse || feature.form == Form::kRagged) continue;
    HR_RETURN_IF_ERROR(CheckDefault(feature, *batch->inputs.defaults[static_cast<size_t>(feature.dense_index)]));
    if (feature.form != Form::kFixed) continue;
    std::vector<int64_t> dims(feature.stated_shape.dims().begin(), feature.stated_shape.dims().end());
    if (batch->inputs.is_batch) dims.insert(dims.begin(), std::ssize(batch->inputs.serialized));
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(feature.values_output, shape));
    out = output->mutable_raw();
  }
  FillDirect(batch);
  return OkStatus();
}

}  // namespace

Status ParseExamples(KernelContext& c, std::span<const ExampleFeature> features, const KeyTable& keys,
                     const ExampleInputs& inputs) {
  Batch batch{features, keys, inputs};
  HR_RETURN_IF_ERROR(AllocateFixed(c, &batch));
  using Pieces = std::map<int64_t, Piece>;
  HR_ASSIGN_OR_RETURN(Pieces pieces, ParsePieces<Piece>(c, inputs.serialized, [&](int64_t begin, int64_t end) {
                        return Piece(batch, begin, end);
                      }));
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i].form == Form::kFixed) continue;
    ExampleColumns columns;
    for (auto& [begin, piece] : pieces) columns.push_back(piece.column(i));
    const Tensor* padding =
        features[i].form == Form::kPadded ? inputs.defaults[static_cast<size_t>(features[i].dense_index)] : nullptr;
    HR_RETURN_IF_ERROR(JoinColumns(c, features[i], columns, inputs.is_batch, padding));
  }
  return OkStatus();
}

}  // namespace headrace
