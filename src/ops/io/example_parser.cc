#include "ops/io/example_parser.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "ops/io/example_columns.h"
#include "ops/io/example_values.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

DType TypeOf(FeatureKind kind) {
  return kind == FeatureKind::kFloat ? DType::kFloat : kind == FeatureKind::kInt64 ? DType::kInt64 : DType::kString;
}

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
    if (!sound) return NoExample(example);
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
    if (slot != nullptr && slot->kind != KindOf(kDTypeOf<T>)) return OtherType(i, slot->kind);
    return feature.form == Form::kFixed ? TakeFixed<T>(i, slot) : TakeAny<T>(i, slot);
  }

  template <typename T> Status TakeFixed(size_t i, const Slot* slot) {
    const ExampleFeature& feature = batch_.features[i];
    T* out = static_cast<T*>(batch_.fixed[i]) + example_ * feature.num_elements;
    if (slot == nullptr) return TakeDefault<T>(i, out);
    const int64_t count = ReadValues(slot->list, out, feature.num_elements);
    return count == feature.num_elements ? OkStatus() : WrongCount<T>(i, count);
  }

  template <typename T> Status TakeDefault(size_t i, T* out) {
    const Tensor& fallback = *batch_.inputs.defaults[static_cast<size_t>(batch_.features[i].dense_index)];
    if (fallback.num_elements() == 0 && batch_.features[i].num_elements != 0) {
      return InvalidArgument(batch_.inputs.is_batch ? StrCat("Name: ", ExampleName(), ", ") : "", "Feature: ", Key(i),
                             " (data type: ", TypeText(kDTypeOf<T>), ") is required but could not be found.");
    }
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
    if (count < 0) return WrongCount<T>(i, count);
    values.resize(before + static_cast<size_t>(count));
    if (count > 1) ReadValues(slot->list, values.data() + before, count);
    counts.push_back(count);
    if (feature.form == Form::kPadded && count % feature.num_elements != 0) return NoWholeRows<T>(i, count);
    return OkStatus();
  }

  // --- messages
  const std::string& Key(size_t i) const { return batch_.keys.name(batch_.keys.slot(i)); }
  std::string ExampleName() const {
    return batch_.inputs.names.empty() ? "<unknown>" : batch_.inputs.names[static_cast<size_t>(example_)];
  }
  Status Bad(size_t i, std::string_view what) const {
    if (!batch_.inputs.is_batch) return InvalidArgument("Key: ", Key(i), ".  ", what);
    return InvalidArgument("Name: ", ExampleName(), ", Key: ", Key(i), ", Index: ", example_, ".  ", what);
  }
  Status OtherType(size_t i, FeatureKind kind) const {
    const ExampleFeature& feature = batch_.features[i];
    const std::string expected = TypeText(feature.dtype), actual = TypeText(TypeOf(kind));
    const bool is_dense = feature.form == Form::kFixed || feature.form == Form::kPadded;
    return Bad(i, is_dense ? StrCat("Data types don't match. Data type: ", actual, " but expected type: ", expected)
                           : StrCat("Data types don't match. Expected type: ", expected, ", Actual type: ", actual));
  }
  template <typename T> static std::string_view ValuesName() {
    return std::is_same_v<T, float> ? "float" : std::is_same_v<T, int64_t> ? "int64" : "bytes";
  }
  template <typename T> Status WrongCount(size_t i, int64_t count) const {
    if (count < 0)
      return Bad(i, StrCat("Can't parse serialized Example: the ", ValuesName<T>(), " values are malformed"));
    return Bad(i, StrCat("Number of ", ValuesName<T>(), " values != expected.  Values size: ", count,
                         " but output shape: ", batch_.features[i].stated_shape));
  }
  template <typename T> Status NoWholeRows(size_t i, int64_t count) const {
    return Bad(i, StrCat("Number of ", ValuesName<T>(), " values is not a multiple of stride length. Saw ", count,
                         " values but output shape is: ", batch_.features[i].stated_shape));
  }
  Status NoExample(std::string_view bytes) const {
    constexpr size_t kMostShown = 64;
    std::string shown;
    for (const char c : bytes.substr(0, kMostShown)) {
      if (c >= ' ' && c <= '~') {
        shown += c;
      } else {
        shown += StrCat("\\x", Hex16(static_cast<unsigned char>(c)).substr(14));
      }
    }
    return InvalidArgument("Could not parse example input, value: '", shown, bytes.size() > kMostShown ? "...'" : "'",
                           " (example ", example_, ", ", bytes.size(), " bytes)");
  }

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

/// A dataset's functions keep to their caller's thread, but a batch of Examples is worth the pool all the same.
void ForAll(const KernelContext& c, int64_t num_examples, double example_ns,
            const std::function<void(int64_t, int64_t)>& body) {
  const StepContext& step = c.step();
  if (!step.run_inline || step.runtime == nullptr) return c.ParallelFor(num_examples, example_ns, body);
  step.runtime->compute->ParallelFor(num_examples, example_ns, body);
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
  double total_bytes = 0;
  for (const std::string& example : inputs.serialized) total_bytes += static_cast<double>(example.size());
  const auto num_examples = std::ssize(inputs.serialized);
  const double example_ns = 100 + 2 * total_bytes / static_cast<double>(std::max<int64_t>(num_examples, 1));

  std::mutex mutex;
  std::map<int64_t, Piece> pieces;  // by first example
  int64_t first_bad = num_examples;
  Status kept;
  ForAll(c, num_examples, example_ns, [&](int64_t begin, int64_t end) {
    Piece piece(batch, begin, end);
    int64_t bad = begin;
    Status status = piece.Parse(&bad);
    std::lock_guard lock(mutex);
    if (!status.ok() && bad < first_bad) {
      first_bad = bad;
      kept = std::move(status);
    }
    pieces.emplace(begin, std::move(piece));
  });
  HR_RETURN_IF_ERROR(kept);
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
