// ParseExampleV2, ParseExample, ParseSingleExample: serialized tf.train.Example messages into tensors, a batch at a
// time (example_parser.h). For a batch of n:
//   dense feature of shape S        values [n, S]; of shape [?, S]: [n, most rows, S], filled up with the default
//   sparse feature                  indices [values, 2], values, shape [n, most values]
//   ragged feature                  values, row splits [n + 1]
// For one example (a scalar) the dimension n is left out, and row splits are empty. A dense default without elements
// makes the feature required. The three differ in where the keys come from: two vectors, scalars, attributes.
#include <mutex>

#include "graph/shape_context.h"
#include "ops/io/example_parser.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

struct FeatureLists {
  std::vector<DType> sparse_types, dense_types, ragged_types, split_types;
  std::vector<PartialShape> dense_shapes;

  int num_sparse() const { return static_cast<int>(sparse_types.size()); }
  int num_dense() const { return static_cast<int>(dense_types.size()); }
  int num_ragged() const { return static_cast<int>(ragged_types.size()); }
};

/// Reads the attributes that the three ops share. Errors: kInvalidArgument for lists of different lengths, and dense
/// shapes of which more is unknown than the first extent.
Result<FeatureLists> ReadLists(const AttrMap& attrs) {
  FeatureLists lists;
  lists.sparse_types = GetAttrOr<std::vector<DType>>(attrs, "sparse_types", {});
  lists.dense_types = GetAttrOr<std::vector<DType>>(attrs, "Tdense", {});
  lists.ragged_types = GetAttrOr<std::vector<DType>>(attrs, "ragged_value_types", {});
  lists.split_types = GetAttrOr<std::vector<DType>>(attrs, "ragged_split_types", {});
  lists.dense_shapes = GetAttrOr<std::vector<PartialShape>>(attrs, "dense_shapes", {});
  const auto num_sparse =
      GetAttrOr<int64_t>(attrs, "num_sparse", GetAttrOr<int64_t>(attrs, "Nsparse", lists.num_sparse()));
  if (num_sparse != lists.num_sparse())
    return InvalidArgument("len(sparse_types) must be ", num_sparse, ", is ", lists.num_sparse());
  if (lists.split_types.size() != lists.ragged_types.size()) {
    return InvalidArgument("len(ragged_value_types) ", lists.ragged_types.size(), " != len(ragged_split_types) ",
                           lists.split_types.size());
  }
  if (lists.dense_shapes.size() != lists.dense_types.size()) {
    return InvalidArgument("len(dense_keys) != len(dense_shapes): ", lists.dense_types.size(), " and ",
                           lists.dense_shapes.size());
  }
  for (size_t i = 0; i < lists.dense_shapes.size(); ++i) {
    const PartialShape& shape = lists.dense_shapes[i];
    bool usable = shape.has_rank();
    for (int dim = 1; dim < shape.rank(); ++dim) usable = usable && shape.dim(dim) != PartialShape::kUnknownDim;
    if (!usable) return InvalidArgument("dense_shapes[", i, "] has unknown rank or unknown inner dimensions: ", shape);
  }
  return lists;
}

Result<ExampleFeature> DenseFeature(const FeatureLists& lists, int i, int values_output) {
  const PartialShape& shape = lists.dense_shapes[static_cast<size_t>(i)];
  const bool padded = shape.rank() >= 1 && shape.dim(0) == PartialShape::kUnknownDim;
  HR_ASSIGN_OR_RETURN(const Shape inner, Shape::Make(shape.dims().subspan(padded ? 1 : 0)));
  if (padded && inner.num_elements() == 0)
    return InvalidArgument("dense_shapes[", i, "] has rows without elements: ", shape);
  return ExampleFeature{.dtype = lists.dense_types[static_cast<size_t>(i)],
                        .form = padded ? Form::kPadded : Form::kFixed,
                        .stated_shape = shape,
                        .num_elements = inner.num_elements(),
                        .dense_index = i,
                        .values_output = values_output};
}

/// The features in the order sparse, dense, ragged, which is that of their outputs.
Result<std::vector<ExampleFeature>> FeaturesOf(const FeatureLists& lists) {
  std::vector<ExampleFeature> features;
  const int num_sparse = lists.num_sparse(), num_dense = lists.num_dense(), num_ragged = lists.num_ragged();
  for (int i = 0; i < num_sparse; ++i) {
    features.push_back({.dtype = lists.sparse_types[static_cast<size_t>(i)],
                        .form = Form::kSparse,
                        .values_output = num_sparse + i,
                        .indices_output = i,
                        .shape_output = 2 * num_sparse + i});
  }
  for (int i = 0; i < num_dense; ++i) {
    HR_ASSIGN_OR_RETURN(features.emplace_back(), DenseFeature(lists, i, 3 * num_sparse + i));
  }
  for (int i = 0; i < num_ragged; ++i) {
    const int values_output = 3 * num_sparse + num_dense + i;
    features.push_back({.dtype = lists.ragged_types[static_cast<size_t>(i)],
                        .form = Form::kRagged,
                        .split_type = lists.split_types[static_cast<size_t>(i)],
                        .values_output = values_output,
                        .splits_output = values_output + num_ragged});
  }
  return features;
}

/// Which inputs hold what.
struct InputLayout {
  int names = -1;                 // none
  std::vector<int> key_inputs;    // vectors or scalars of keys, in the order of the features
  int defaults = 0;               // the first of them
  std::vector<std::string> keys;  // where they are attributes
};

class ParseExampleKernel final : public Kernel {
 public:
  ParseExampleKernel(std::vector<ExampleFeature> features, int num_dense, InputLayout layout)
      : features_(std::move(features)), num_dense_(num_dense), layout_(std::move(layout)) {}

  Status Compute(KernelContext& c) override {
    const Tensor& serialized = c.input(0);
    if (serialized.rank() > 1)
      return InvalidArgument("Expected serialized to be a scalar or vector, got shape: ", serialized.shape());
    ExampleInputs inputs{.serialized = serialized.data<std::string>(), .is_batch = serialized.rank() == 1};
    if (layout_.names >= 0 && c.input(layout_.names).num_elements() > 0) {
      const Tensor& names = c.input(layout_.names);
      if (names.shape() != serialized.shape()) {
        return InvalidArgument("Expected names have the same shape as serialized: name.shape=", names.shape(),
                               ", serialized.shape=", serialized.shape());
      }
      inputs.names = names.data<std::string>();
    }
    std::vector<const Tensor*> defaults;
    for (int i = 0; i < num_dense_; ++i) {
      const Tensor& fallback = c.input(layout_.defaults + i);
      defaults.push_back(&fallback);
    }
    inputs.defaults = defaults;
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyTable> keys, Keys(c));
    return ParseExamples(c, features_, *keys, inputs);
  }

 private:
  /// The keys do not change from step to step, unless the program is a strange one.
  Result<std::shared_ptr<const KeyTable>> Keys(const KernelContext& c) {
    std::vector<std::string_view> keys(layout_.keys.begin(), layout_.keys.end());
    for (const int input : layout_.key_inputs) {
      const std::span<const std::string> values = c.input(input).data<std::string>();
      keys.insert(keys.end(), values.begin(), values.end());
    }
    if (keys.size() != features_.size()) {
      return InvalidArgument(c.node().op(), ": ", features_.size(), " features have ", keys.size(), " keys");
    }
    std::lock_guard lock(mutex_);
    if (keys_ == nullptr || !keys_->IsOf(keys)) keys_ = std::make_shared<const KeyTable>(keys);
    return keys_;
  }

  const std::vector<ExampleFeature> features_;
  const int num_dense_;
  const InputLayout layout_;
  std::mutex mutex_;
  std::shared_ptr<const KeyTable> keys_;  // guarded by mutex_; of the last call
};

template <InputLayout (*kLayout)(const KernelConstruction&, const FeatureLists&)> KernelFactory Factory() {
  return [](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
    HR_ASSIGN_OR_RETURN(const FeatureLists lists, ReadLists(construction.node().attrs()));
    HR_ASSIGN_OR_RETURN(std::vector<ExampleFeature> features, FeaturesOf(lists));
    return std::unique_ptr<Kernel>(
        std::make_unique<ParseExampleKernel>(std::move(features), lists.num_dense(), kLayout(construction, lists)));
  };
}

InputLayout LayoutV2(const KernelConstruction&, const FeatureLists&) {
  return {.names = 1, .key_inputs = {2, 3, 4}, .defaults = 5};
}

InputLayout LayoutV1(const KernelConstruction&, const FeatureLists& lists) {
  InputLayout layout{.names = 1, .defaults = 2 + lists.num_sparse() + lists.num_dense()};
  for (int i = 2; i < layout.defaults; ++i) layout.key_inputs.push_back(i);
  return layout;
}

InputLayout LayoutSingle(const KernelConstruction& construction, const FeatureLists&) {
  InputLayout layout{.defaults = 1, .keys = construction.attr<std::vector<std::string>>("sparse_keys")};
  for (std::string& key : construction.attr<std::vector<std::string>>("dense_keys"))
    layout.keys.push_back(std::move(key));
  return layout;
}

Status ParseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const FeatureLists lists, ReadLists(c.node().attrs()));
  const PartialShape& serialized = c.input(0);
  if (serialized.has_rank() && serialized.rank() > 1) HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  const bool is_batch = serialized.rank() == 1;
  const int64_t rank = serialized.has_rank() ? serialized.rank() + 1 : PartialShape::kUnknownDim;
  int output = 0;
  for (int i = 0; i < lists.num_sparse(); ++i)
    HR_RETURN_IF_ERROR(c.SetOutput(output++, PartialShape{PartialShape::kUnknownDim, rank}));
  for (int i = 0; i < lists.num_sparse(); ++i)
    HR_RETURN_IF_ERROR(c.SetOutput(output++, PartialShape::UnknownOfRank(1)));
  for (int i = 0; i < lists.num_sparse(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(output++, PartialShape{rank}));
  for (const PartialShape& dense : lists.dense_shapes) {
    PartialShape shape = serialized;
    for (const int64_t extent : dense.dims()) {
      if (serialized.has_rank()) shape.AppendDim(extent);
    }
    HR_RETURN_IF_ERROR(c.SetOutput(output++, std::move(shape)));
  }
  for (int i = 0; i < lists.num_ragged(); ++i)
    HR_RETURN_IF_ERROR(c.SetOutput(output++, PartialShape::UnknownOfRank(1)));
  const int64_t num_splits = is_batch && serialized.dim(0) >= 0 ? serialized.dim(0) + 1 : PartialShape::kUnknownDim;
  for (int i = 0; i < lists.num_ragged(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(output++, PartialShape{num_splits}));
  return OkStatus();
}

Status ParseSingleShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  return ParseShape(c);
}

}  // namespace

std::vector<OpDefinition> ParseExampleOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "ParseExampleV2(serialized: str, names: str, sparse_keys: str, dense_keys: str, ragged_keys: str, "
          "dense_defaults: "
          "list(Tdense)) -> (sparse_indices: num_sparse * i64, sparse_values: list(sparse_types), sparse_shapes: "
          "num_sparse * "
          "i64, dense_values: list(Tdense), ragged_values: list(ragged_value_types), ragged_row_splits: "
          "list(ragged_split_types)) | Tdense: list(type) in {f32,i64,str} >= 0 | num_sparse: int >= 0 | sparse_types: "
          "list(type) in {f32,i64,str} >= 0 | ragged_value_types: list(type) in {f32,i64,str} >= 0 | "
          "ragged_split_types: "
          "list(type) in {i32,i64} >= 0 | dense_shapes: list(shape) >= 0")
          .Shape(ParseShape)
          .NoGradient("strings")
          .Kernels(AnyType(Factory<LayoutV2>())));
  ops.push_back(OpDefinition("ParseExample(serialized: str, names: str, sparse_keys: Nsparse * str, dense_keys: Ndense "
                             "* str, dense_defaults: "
                             "list(Tdense)) -> (sparse_indices: Nsparse * i64, sparse_values: list(sparse_types), "
                             "sparse_shapes: Nsparse * i64, "
                             "dense_values: list(Tdense)) | Nsparse: int >= 0 | Ndense: int >= 0 | sparse_types: "
                             "list(type) in {f32,i64,str} >= "
                             "0 | Tdense: list(type) in {f32,i64,str} >= 0 | dense_shapes: list(shape) >= 0")
                    .Shape(ParseShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(Factory<LayoutV1>())));
  ops.push_back(
      OpDefinition(
          "ParseSingleExample(serialized: str, dense_defaults: list(Tdense)) -> (sparse_indices: num_sparse * i64, "
          "sparse_values: list(sparse_types), sparse_shapes: num_sparse * i64, dense_values: list(Tdense)) | "
          "num_sparse: int "
          ">= 0 | sparse_keys: list(string) >= 0 | dense_keys: list(string) >= 0 | sparse_types: list(type) in "
          "{f32,i64,str} "
          ">= 0 | Tdense: list(type) in {f32,i64,str} >= 0 | dense_shapes: list(shape) >= 0")
          .Shape(ParseSingleShape)
          .NoGradient("strings")
          .Kernels(AnyType(Factory<LayoutSingle>())));
  return ops;
}

}  // namespace headrace
