#include "ops/io/example_attrs.h"

namespace headrace {

namespace {

using Form = ExampleFeature::Form;

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

}  // namespace

Result<FeatureLists> ReadFeatureLists(const AttrMap& attrs, const FeatureAttrNames& names) {
  FeatureLists lists;
  lists.sparse_types = GetAttrOr<std::vector<DType>>(attrs, names.sparse_types, {});
  lists.dense_types = GetAttrOr<std::vector<DType>>(attrs, names.dense_types, {});
  lists.ragged_types = GetAttrOr<std::vector<DType>>(attrs, names.ragged_types, {});
  lists.split_types = GetAttrOr<std::vector<DType>>(attrs, names.split_types, {});
  lists.dense_shapes = GetAttrOr<std::vector<PartialShape>>(attrs, names.dense_shapes, {});
  const auto num_sparse = GetAttrOr<int64_t>(attrs, names.num_sparse, lists.num_sparse());
  if (num_sparse != lists.num_sparse())
    return InvalidArgument("len(", names.sparse_types, ") must be ", num_sparse, ", is ", lists.num_sparse());
  if (lists.split_types.size() != lists.ragged_types.size()) {
    return InvalidArgument("len(", names.ragged_types, ") ", lists.ragged_types.size(), " != len(", names.split_types,
                           ") ", lists.split_types.size());
  }
  if (lists.dense_shapes.size() != lists.dense_types.size()) {
    return InvalidArgument("len(dense_keys) != len(", names.dense_shapes, "): ", lists.dense_types.size(), " and ",
                           lists.dense_shapes.size());
  }
  for (size_t i = 0; i < lists.dense_shapes.size(); ++i) {
    const PartialShape& shape = lists.dense_shapes[i];
    bool usable = shape.has_rank();
    for (int dim = 1; dim < shape.rank(); ++dim) usable = usable && shape.dim(dim) != PartialShape::kUnknownDim;
    if (!usable)
      return InvalidArgument(names.dense_shapes, "[", i, "] has unknown rank or unknown inner dimensions: ", shape);
  }
  return lists;
}

Result<std::vector<ExampleFeature>> FeaturesOf(const FeatureLists& lists, int output) {
  std::vector<ExampleFeature> features;
  const int num_sparse = lists.num_sparse(), num_dense = lists.num_dense(), num_ragged = lists.num_ragged();
  features.reserve(lists.sparse_types.size() + lists.dense_types.size() + lists.ragged_types.size());
  for (int i = 0; i < num_sparse; ++i) {
    features.push_back({.dtype = lists.sparse_types[static_cast<size_t>(i)],
                        .form = Form::kSparse,
                        .values_output = output + num_sparse + i,
                        .indices_output = output + i,
                        .shape_output = output + 2 * num_sparse + i});
  }
  for (int i = 0; i < num_dense; ++i) {
    HR_ASSIGN_OR_RETURN(features.emplace_back(), DenseFeature(lists, i, output + 3 * num_sparse + i));
  }
  for (int i = 0; i < num_ragged; ++i) {
    const int values_output = output + 3 * num_sparse + num_dense + i;
    features.push_back({.dtype = lists.ragged_types[static_cast<size_t>(i)],
                        .form = Form::kRagged,
                        .split_type = lists.split_types[static_cast<size_t>(i)],
                        .values_output = values_output,
                        .splits_output = values_output + num_ragged});
  }
  return features;
}

int64_t NumSplits(const PartialShape& serialized) {
  return serialized.rank() == 1 && serialized.dim(0) >= 0 ? serialized.dim(0) + 1 : PartialShape::kUnknownDim;
}

Status SetFeatureShapes(ShapeContext& c, const FeatureLists& lists, const PartialShape& serialized, int* output) {
  const int64_t rank = serialized.has_rank() ? serialized.rank() + 1 : PartialShape::kUnknownDim;
  const auto add = [&](int count, const PartialShape& shape) {
    for (int i = 0; i < count; ++i) HR_RETURN_IF_ERROR(c.SetOutput((*output)++, shape));
    return OkStatus();
  };
  HR_RETURN_IF_ERROR(add(lists.num_sparse(), PartialShape{PartialShape::kUnknownDim, rank}));
  HR_RETURN_IF_ERROR(add(lists.num_sparse(), PartialShape::UnknownOfRank(1)));
  HR_RETURN_IF_ERROR(add(lists.num_sparse(), PartialShape{rank}));
  for (const PartialShape& dense : lists.dense_shapes) {
    PartialShape shape = serialized;
    for (const int64_t extent : dense.dims()) {
      if (serialized.has_rank()) shape.AppendDim(extent);
    }
    HR_RETURN_IF_ERROR(add(1, shape));
  }
  HR_RETURN_IF_ERROR(add(lists.num_ragged(), PartialShape::UnknownOfRank(1)));
  return add(lists.num_ragged(), PartialShape{NumSplits(serialized)});
}

Result<std::shared_ptr<const KeyTable>> FeatureKeys::Table(const KernelContext& c, size_t num_features) {
  std::vector<std::string_view> keys;
  for (const int input : inputs_) {
    const std::span<const std::string> values = c.input(input).data<std::string>();
    keys.insert(keys.end(), values.begin(), values.end());
  }
  keys.insert(keys.end(), given_.begin(), given_.end());
  if (keys.size() != num_features)
    return InvalidArgument(c.node().op(), ": ", num_features, " features have ", keys.size(), " keys");
  std::lock_guard lock(mutex_);
  if (last_ == nullptr || !last_->IsOf(keys)) last_ = std::make_shared<const KeyTable>(keys);
  return last_;
}

}  // namespace headrace
