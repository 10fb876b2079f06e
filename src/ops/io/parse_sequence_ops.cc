// ParseSequenceExampleV2, ParseSequenceExample, ParseSingleSequenceExample: serialized tf.train.SequenceExample messages into
// tensors. The context gives what ParseExample gives (parse_example_ops.cc). A feature list, for a batch of n:
//   dense, rows of shape S    values [n, most rows, S], filled up with zeros or empty strings; lengths [n]
//   sparse                    indices [values, 3], values, shape [n, most rows, most values]
//   ragged                    values, outer row splits [n + 1], inner row splits [rows + 1]
// For one example (a scalar) the dimension n is left out, and outer row splits are empty. A dense list that is missing is an
// error unless it was named as one that may be. The three differ in where keys, names and those lists come from.
#include <algorithm>

#include "ops/io/example_attrs.h"
#include "ops/io/feature_lists.h"
#include "ops/io/io_ops.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

constexpr FeatureAttrNames kContextAttrs{
    "Ncontext_sparse",      "context_sparse_types",       "Tcontext_dense",
    "context_dense_shapes", "context_ragged_value_types", "context_ragged_split_types"};
constexpr FeatureAttrNames kListAttrs{
    "Nfeature_list_sparse",      "feature_list_sparse_types",       "feature_list_dense_types",
    "feature_list_dense_shapes", "feature_list_ragged_value_types", "feature_list_ragged_split_types"};

/// The words of the ops that read batches.
class BatchMessages : public ExampleMessages {
 public:
  Status NoExample(const ExamplePlace& place, std::string_view bytes) const override {
    return InvalidArgument("Invalid protocol message input, example id: ", place.name, ": ", Unreadable(place, bytes));
  }
  Status OtherType(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                   FeatureKind kind) const override {
    return InvalidArgument("Name: ", place.name, ", Context feature: ", key,
                           ".  Data types don't match. Expected type: ", TypeText(feature.dtype),
                           ", Actual type: ", TypeName(kind));
  }
  Status WrongCount(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                    int64_t count) const override {
    return InvalidArgument("Inconsistent max number of elements for feature ", key, ": expected ", feature.num_elements,
                           ", but found ", count, " (Name: ", place.name, ", Index: ", place.example, ")");
  }
};

/// Those of the one that reads a single example.
class SingleMessages final : public BatchMessages {
 public:
  Status NoExample(const ExamplePlace& place, std::string_view bytes) const override {
    return InvalidArgument(Unreadable(place, bytes));
  }
  Status Missing(const ExamplePlace& place, std::string_view key, const ExampleFeature&) const override {
    return InvalidArgument("Name: ", place.name, ", Context feature '", key, "' is required but could not be found.");
  }
  Status WrongCount(const ExamplePlace& place, std::string_view key, const ExampleFeature& feature,
                    int64_t count) const override {
    return InvalidArgument("Name: ", place.name, ", Key: ", key, ", Index: ", place.example, ".  Number of ",
                           ValuesName(feature.dtype), " values != expected.  values size: ", count,
                           " but output shape: ", feature.stated_shape);
  }
};

struct SequenceLists {
  FeatureLists context, lists;
};

Result<SequenceLists> ReadSequenceLists(const AttrMap& attrs) {
  SequenceLists all;
  HR_ASSIGN_OR_RETURN(all.context, ReadFeatureLists(attrs, kContextAttrs));
  HR_ASSIGN_OR_RETURN(all.lists, ReadFeatureLists(attrs, kListAttrs));
  for (const FeatureLists* group : {&all.context, &all.lists}) {
    for (const PartialShape& shape : group->dense_shapes) {
      if (!shape.IsFullyKnown()) return InvalidArgument("Shape ", shape, " is not fully defined");
    }
  }
  for (PartialShape& shape : all.lists.dense_shapes) {
    std::vector<int64_t> dims = {PartialShape::kUnknownDim};
    dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
    shape = PartialShape(std::move(dims));
  }
  return all;
}

/// Which input holds what; -1: none.
struct InputLayout {
  bool is_single = false;
  int names = 1;
  int defaults = 0;                          // the first of them
  int may_be_missing = -1;                   // by dense list, or (is_single) keys of such lists
  std::vector<int> context_keys, list_keys;  // vectors or scalars, in the order of the features
  std::vector<std::string> given_context_keys, given_list_keys, given_missing;  // where they are attributes
};

std::vector<ListFeature> ListFeaturesOf(const std::vector<ExampleFeature>& features, int num_sparse, int num_dense,
                                        bool has_lengths) {
  std::vector<ListFeature> lists;
  const auto num_ragged = static_cast<int>(features.size()) - num_sparse - num_dense;
  for (const ExampleFeature& feature : features) {
    ListFeature& list = lists.emplace_back();
    static_cast<ExampleFeature&>(list) = feature;
    if (feature.form == ExampleFeature::Form::kPadded) {
      list.may_be_missing = false;
      if (has_lengths) list.lengths_output = feature.values_output + num_dense;
    } else if (feature.form ==
               ExampleFeature::Form::kRagged) {  // behind the lengths: values, outer splits, inner splits
      list.values_output += num_dense;
      list.outer_splits_output = list.values_output + num_ragged;
      list.splits_output = list.outer_splits_output + num_ragged;
    }
  }
  return lists;
}

class ParseSequenceKernel final : public Kernel {
 public:
  ParseSequenceKernel(std::vector<ExampleFeature> context, std::vector<ListFeature> lists, int num_defaults,
                      InputLayout layout)
      : context_(std::move(context)),
        lists_(std::move(lists)),
        num_defaults_(num_defaults),
        layout_(std::move(layout)),
        context_keys_(layout_.context_keys, layout_.given_context_keys),
        list_keys_(layout_.list_keys, layout_.given_list_keys) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(ExampleInputs inputs, Inputs(c));
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyTable> list_keys, list_keys_.Table(c, lists_.size()));
    HR_ASSIGN_OR_RETURN(const std::vector<ListFeature> lists, Lists(c, *list_keys));
    if (!context_.empty()) {
      std::vector<const Tensor*> defaults;
      for (int i = 0; i < num_defaults_; ++i) {
        const Tensor& fallback = c.input(layout_.defaults + i);
        defaults.push_back(&fallback);
      }
      inputs.defaults = defaults;
      HR_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyTable> keys, context_keys_.Table(c, context_.size()));
      HR_RETURN_IF_ERROR(ParseExamples(c, context_, *keys, inputs));
    }
    inputs.defaults = {};
    return ParseFeatureLists(c, lists, *list_keys, inputs);
  }

 private:
  Result<ExampleInputs> Inputs(const KernelContext& c) const {
    static const BatchMessages kBatch;
    static const SingleMessages kSingle;
    const Tensor& serialized = c.input(0);
    const Tensor& names = c.input(layout_.names);
    if (serialized.rank() > (layout_.is_single ? 0 : 1))
      return InvalidArgument("Expected serialized to be a scalar or vector, got shape: ", serialized.shape());
    ExampleInputs inputs{.serialized = serialized.data<std::string>(), .is_batch = serialized.rank() == 1};
    if (names.num_elements() != 0 && names.num_elements() != serialized.num_elements()) {
      return InvalidArgument("example_names must be empty or have the correct number of elements: names ",
                             names.shape(), ", serialized ", serialized.shape());
    }
    inputs.names = names.data<std::string>();
    inputs.messages = layout_.is_single ? static_cast<const ExampleMessages*>(&kSingle) : &kBatch;
    return inputs;
  }

  /// The lists, with which of them may be missing.
  Result<std::vector<ListFeature>> Lists(const KernelContext& c, const KeyTable& keys) const {
    std::vector<ListFeature> lists = lists_;
    std::span<const std::string> missing = layout_.given_missing;
    std::span<const bool> flags;
    if (layout_.may_be_missing >= 0) {
      const Tensor& input = c.input(layout_.may_be_missing);
      if (layout_.is_single) {
        missing = input.data<std::string>();
      } else {
        flags = input.data<bool>();
      }
    }
    for (size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].form != ExampleFeature::Form::kPadded) continue;
      const auto dense = static_cast<size_t>(lists[i].dense_index);
      if (layout_.may_be_missing >= 0 && !layout_.is_single) {
        if (dense >= flags.size()) {
          return InvalidArgument("feature_list_dense_missing_assumed_empty has ", flags.size(),
                                 " values, fewer than there are dense feature lists");
        }
        lists[i].may_be_missing = flags[dense];
      } else {
        lists[i].may_be_missing = std::ranges::find(missing, keys.name(keys.slot(i))) != missing.end();
      }
    }
    return lists;
  }

  const std::vector<ExampleFeature> context_;
  const std::vector<ListFeature> lists_;
  const int num_defaults_;
  const InputLayout layout_;
  FeatureKeys context_keys_;
  FeatureKeys list_keys_;
};

template <InputLayout (*kLayout)(const KernelConstruction&, const SequenceLists&)> KernelFactory Factory() {
  return [](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
    HR_ASSIGN_OR_RETURN(const SequenceLists all, ReadSequenceLists(construction.node().attrs()));
    HR_ASSIGN_OR_RETURN(std::vector<ExampleFeature> context, FeaturesOf(all.context));
    const int first = 3 * all.context.num_sparse() + all.context.num_dense() + 2 * all.context.num_ragged();
    HR_ASSIGN_OR_RETURN(const std::vector<ExampleFeature> lists, FeaturesOf(all.lists, first));
    InputLayout layout = kLayout(construction, all);
    return std::unique_ptr<Kernel>(std::make_unique<ParseSequenceKernel>(
        std::move(context), ListFeaturesOf(lists, all.lists.num_sparse(), all.lists.num_dense(), !layout.is_single),
        all.context.num_dense(), std::move(layout)));
  };
}

InputLayout LayoutV2(const KernelConstruction&, const SequenceLists&) {
  return {.defaults = 9, .may_be_missing = 8, .context_keys = {2, 3, 4}, .list_keys = {5, 6, 7}};
}

std::vector<std::string> TwoLists(const KernelConstruction& c, std::string_view first, std::string_view second) {
  auto all = c.attr<std::vector<std::string>>(first);
  for (std::string& key : c.attr<std::vector<std::string>>(second)) all.push_back(std::move(key));
  return all;
}

InputLayout LayoutV1(const KernelConstruction& c, const SequenceLists&) {
  return {.defaults = 2,
          .given_context_keys = TwoLists(c, "context_sparse_keys", "context_dense_keys"),
          .given_list_keys = TwoLists(c, "feature_list_sparse_keys", "feature_list_dense_keys"),
          .given_missing = c.attr<std::vector<std::string>>("feature_list_dense_missing_assumed_empty")};
}

InputLayout LayoutSingle(const KernelConstruction&, const SequenceLists& all) {
  InputLayout layout{.is_single = true, .may_be_missing = 1};
  int next = 2;
  for (int i = all.context.num_sparse() + all.context.num_dense(); i > 0; --i) layout.context_keys.push_back(next++);
  for (int i = all.lists.num_sparse() + all.lists.num_dense(); i > 0; --i) layout.list_keys.push_back(next++);
  layout.defaults = next;
  layout.names = next + all.context.num_dense();
  return layout;
}

/// kRank: of `serialized`; -1: either.
template <int kRank> Status SequenceShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const SequenceLists all, ReadSequenceLists(c.node().attrs()));
  if (kRank >= 0) HR_RETURN_IF_ERROR(c.RequireRank(0, kRank));
  PartialShape serialized = c.input(0);
  if (serialized.rank() > 1) HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  if (!serialized.has_rank() && kRank >= 0) serialized = PartialShape::UnknownOfRank(kRank);
  int output = 0;
  HR_RETURN_IF_ERROR(SetFeatureShapes(c, all.context, serialized, &output));
  const auto add = [&](int count, const PartialShape& shape) {
    for (int i = 0; i < count; ++i) HR_RETURN_IF_ERROR(c.SetOutput(output++, shape));
    return OkStatus();
  };
  const int num_sparse = all.lists.num_sparse(), num_ragged = all.lists.num_ragged();
  const int64_t rank = serialized.has_rank() ? serialized.rank() + 2 : PartialShape::kUnknownDim;
  HR_RETURN_IF_ERROR(add(num_sparse, PartialShape{PartialShape::kUnknownDim, rank}));
  HR_RETURN_IF_ERROR(add(num_sparse, PartialShape::UnknownOfRank(1)));
  HR_RETURN_IF_ERROR(add(num_sparse, PartialShape{rank}));
  for (const PartialShape& rows : all.lists.dense_shapes) {
    PartialShape shape = serialized;
    for (const int64_t extent : rows.dims()) {
      if (serialized.has_rank()) shape.AppendDim(extent);
    }
    HR_RETURN_IF_ERROR(add(1, shape));
  }
  if (kRank != 0) HR_RETURN_IF_ERROR(add(all.lists.num_dense(), serialized));
  HR_RETURN_IF_ERROR(add(num_ragged, PartialShape::UnknownOfRank(1)));
  HR_RETURN_IF_ERROR(add(num_ragged, PartialShape{NumSplits(serialized)}));
  return add(num_ragged, PartialShape::UnknownOfRank(1));
}

constexpr std::string_view kTypes = " in {f32,i64,str} >= 0";

OpDefinition SequenceOp(std::string_view signature, Status (*shape)(ShapeContext&), KernelFactory kernel) {
  return OpDefinition(signature).Shape(shape).NoGradient("strings").Kernels(AnyType(std::move(kernel)));
}

}  // namespace

std::vector<OpDefinition> ParseSequenceOps() {
  const std::string context = StrCat(
      " -> (context_sparse_indices: Ncontext_sparse * i64, context_sparse_values: list(context_sparse_types), "
      "context_sparse_shapes: Ncontext_sparse * i64, context_dense_values: list(Tcontext_dense), ");
  constexpr std::string_view kLists =
      "feature_list_sparse_indices: Nfeature_list_sparse * i64, feature_list_sparse_values: "
      "list(feature_list_sparse_types), feature_list_sparse_shapes: Nfeature_list_sparse * i64, "
      "feature_list_dense_values: list(feature_list_dense_types)";
  constexpr std::string_view kLengths = ", feature_list_dense_lengths: Nfeature_list_dense * i64";
  const auto types = [](std::string_view name) { return StrCat(" | ", name, ": list(type) = []", kTypes); };
  const auto splits = [](std::string_view name) { return StrCat(" | ", name, ": list(type) = [] in {i32,i64} >= 0"); };
  const auto shapes = [](std::string_view name) { return StrCat(" | ", name, ": list(shape) = [] >= 0"); };
  const auto number = [](std::string_view name) { return StrCat(" | ", name, ": int = 0 >= 0"); };
  const auto strings = [](std::string_view name) { return StrCat(" | ", name, ": list(string) >= 0"); };
  const std::string numbers = number("Ncontext_sparse") + number("Ncontext_dense") + number("Nfeature_list_sparse") +
                              number("Nfeature_list_dense") + types("context_sparse_types") + types("Tcontext_dense") +
                              types("feature_list_dense_types") + shapes("context_dense_shapes") +
                              types("feature_list_sparse_types") + shapes("feature_list_dense_shapes");
  std::vector<OpDefinition> ops;
  ops.push_back(SequenceOp(
      StrCat("ParseSequenceExampleV2(serialized: str, debug_name: str, context_sparse_keys: str, context_dense_keys: "
             "str, context_ragged_keys: str, feature_list_sparse_keys: str, feature_list_dense_keys: str, "
             "feature_list_ragged_keys: str, feature_list_dense_missing_assumed_empty: bool, context_dense_defaults: "
             "list(Tcontext_dense))",
             context,
             "context_ragged_values: list(context_ragged_value_types), context_ragged_row_splits: "
             "list(context_ragged_split_types), ",
             kLists, kLengths,
             ", feature_list_ragged_values: list(feature_list_ragged_value_types), feature_list_ragged_outer_splits: "
             "list(feature_list_ragged_split_types), feature_list_ragged_inner_splits: "
             "list(feature_list_ragged_split_types))",
             number("Ncontext_sparse"), types("Tcontext_dense"), types("context_sparse_types"),
             types("context_ragged_value_types"), splits("context_ragged_split_types"), shapes("context_dense_shapes"),
             number("Nfeature_list_sparse"), number("Nfeature_list_dense"), types("feature_list_dense_types"),
             types("feature_list_sparse_types"), types("feature_list_ragged_value_types"),
             splits("feature_list_ragged_split_types"), shapes("feature_list_dense_shapes")),
      SequenceShape<-1>, Factory<LayoutV2>()));
  ops.push_back(SequenceOp(
      StrCat("ParseSequenceExample(serialized: str, debug_name: str, context_dense_defaults: list(Tcontext_dense))",
             context, kLists, kLengths, ")", strings("feature_list_dense_missing_assumed_empty"),
             strings("context_sparse_keys"), strings("context_dense_keys"), strings("feature_list_sparse_keys"),
             strings("feature_list_dense_keys"), numbers),
      SequenceShape<1>, Factory<LayoutV1>()));
  ops.push_back(SequenceOp(
      StrCat("ParseSingleSequenceExample(serialized: str, feature_list_dense_missing_assumed_empty: str, "
             "context_sparse_keys: Ncontext_sparse * str, context_dense_keys: Ncontext_dense * str, "
             "feature_list_sparse_keys: Nfeature_list_sparse * str, feature_list_dense_keys: Nfeature_list_dense * "
             "str, context_dense_defaults: list(Tcontext_dense), debug_name: str)",
             context, kLists, ")", numbers),
      SequenceShape<0>, Factory<LayoutSingle>()));
  return ops;
}

}  // namespace headrace
