// ParseExampleV2, ParseExample, ParseSingleExample: serialized tf.train.Example messages into tensors, a batch at a
// time (example_parser.h). For a batch of n:
//   dense feature of shape S        values [n, S]; of shape [?, S]: [n, most rows, S], filled up with the default
//   sparse feature                  indices [values, 2], values, shape [n, most values]
//   ragged feature                  values, row splits [n + 1]
// For one example (a scalar) the dimension n is left out, and row splits are empty. A dense default without elements
// makes the feature required. The three differ in where the keys come from: two vectors, scalars, attributes.
#include "ops/io/example_attrs.h"
#include "ops/io/example_parser.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

constexpr FeatureAttrNames kAttrs{"num_sparse",   "sparse_types",       "Tdense",
                                  "dense_shapes", "ragged_value_types", "ragged_split_types"};
constexpr FeatureAttrNames kAttrsV1{"Nsparse", "sparse_types", "Tdense", "dense_shapes", "", ""};

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
      : features_(std::move(features)),
        num_dense_(num_dense),
        names_(layout.names),
        defaults_(layout.defaults),
        keys_(std::move(layout.key_inputs), std::move(layout.keys)) {}

  Status Compute(KernelContext& c) override {
    const Tensor& serialized = c.input(0);
    if (serialized.rank() > 1)
      return InvalidArgument("Expected serialized to be a scalar or vector, got shape: ", serialized.shape());
    static const ExampleMessages kMessages;
    ExampleInputs inputs{.serialized = serialized.data<std::string>(), .is_batch = serialized.rank() == 1};
    inputs.messages = &kMessages;
    if (names_ >= 0 && c.input(names_).num_elements() > 0) {
      const Tensor& names = c.input(names_);
      if (names.shape() != serialized.shape()) {
        return InvalidArgument("Expected names have the same shape as serialized: name.shape=", names.shape(),
                               ", serialized.shape=", serialized.shape());
      }
      inputs.names = names.data<std::string>();
    }
    std::vector<const Tensor*> defaults;
    for (int i = 0; i < num_dense_; ++i) {
      const Tensor& fallback = c.input(defaults_ + i);
      defaults.push_back(&fallback);
    }
    inputs.defaults = defaults;
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyTable> keys, keys_.Table(c, features_.size()));
    return ParseExamples(c, features_, *keys, inputs);
  }

 private:
  const std::vector<ExampleFeature> features_;
  const int num_dense_;
  const int names_;
  const int defaults_;
  FeatureKeys keys_;
};

template <const FeatureAttrNames& kNames, InputLayout (*kLayout)(const KernelConstruction&, const FeatureLists&)>
KernelFactory Factory() {
  return [](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
    HR_ASSIGN_OR_RETURN(const FeatureLists lists, ReadFeatureLists(construction.node().attrs(), kNames));
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

template <const FeatureAttrNames& kNames> Status ParseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const FeatureLists lists, ReadFeatureLists(c.node().attrs(), kNames));
  if (c.input(0).rank() > 1) HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  int output = 0;
  return SetFeatureShapes(c, lists, c.input(0), &output);
}

Status ParseSingleShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  return ParseShape<kAttrs>(c);
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
          .Shape(ParseShape<kAttrs>)
          .NoGradient("strings")
          .Kernels(AnyType(Factory<kAttrs, LayoutV2>())));
  ops.push_back(OpDefinition("ParseExample(serialized: str, names: str, sparse_keys: Nsparse * str, dense_keys: Ndense "
                             "* str, dense_defaults: "
                             "list(Tdense)) -> (sparse_indices: Nsparse * i64, sparse_values: list(sparse_types), "
                             "sparse_shapes: Nsparse * i64, "
                             "dense_values: list(Tdense)) | Nsparse: int >= 0 | Ndense: int >= 0 | sparse_types: "
                             "list(type) in {f32,i64,str} >= "
                             "0 | Tdense: list(type) in {f32,i64,str} >= 0 | dense_shapes: list(shape) >= 0")
                    .Shape(ParseShape<kAttrsV1>)
                    .NoGradient("strings")
                    .Kernels(AnyType(Factory<kAttrsV1, LayoutV1>())));
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
          .Kernels(AnyType(Factory<kAttrs, LayoutSingle>())));
  return ops;
}

}  // namespace headrace
