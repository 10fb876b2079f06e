// What the ops that parse Examples share: the features that their attributes list, and where the keys come from.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/example_feature.h"

namespace headrace {

/// The names of the attributes that list one group of features; empty where an op has none such.
struct FeatureAttrNames {
  std::string_view num_sparse, sparse_types, dense_types, dense_shapes, ragged_types, split_types;
};

struct FeatureLists {
  std::vector<DType> sparse_types, dense_types, ragged_types, split_types;
  std::vector<PartialShape> dense_shapes;

  int num_sparse() const { return static_cast<int>(sparse_types.size()); }
  int num_dense() const { return static_cast<int>(dense_types.size()); }
  int num_ragged() const { return static_cast<int>(ragged_types.size()); }
};

/// Errors: kInvalidArgument for lists of different lengths, and dense shapes of which more is unknown than the first extent.
Result<FeatureLists> ReadFeatureLists(const AttrMap& attrs, const FeatureAttrNames& names);

/// The features in the order sparse, dense, ragged, which is that of their outputs; those begin at `output`.
Result<std::vector<ExampleFeature>> FeaturesOf(const FeatureLists& lists, int output = 0);

/// Sets the shapes of these features' outputs from `*output` on, which is moved behind them.
Status SetFeatureShapes(ShapeContext& c, const FeatureLists& lists, const PartialShape& serialized, int* output);

/// The number of row splits for so many examples.
int64_t NumSplits(const PartialShape& serialized);

/// The keys of an op's features: from inputs (vectors or scalars, one after the other), then given ones.
class FeatureKeys {
 public:
  FeatureKeys(std::vector<int> inputs, std::vector<std::string> given)
      : inputs_(std::move(inputs)), given_(std::move(given)) {}

  /// Thread-safe. Errors: kInvalidArgument unless there are as many as features.
  Result<std::shared_ptr<const KeyTable>> Table(const KernelContext& c, size_t num_features);

 private:
  const std::vector<int> inputs_;
  const std::vector<std::string> given_;
  std::mutex mutex_;
  std::shared_ptr<const KeyTable> last_;  // guarded by mutex_; keys do not change, unless the program is a strange one
};

}  // namespace headrace
