// See parse_example.h.
#include "api/parse_example.h"

#include "api/emit.h"

namespace headrace::api {
namespace {

// What stands for "no default": a tensor without elements.
Tensor NoDefault(DType dtype) {
  Result<Tensor> empty = Tensor::Allocate(dtype, Shape({0}));
  return empty.ok() ? *std::move(empty) : Tensor();
}

}  // namespace

Output ParsedExample::operator[](const std::string& key) const {
  for (const auto& [name, output] : dense_) {
    if (name == key) return output;
  }
  return {};
}

SparseTensor ParsedExample::Sparse(const std::string& key) const {
  for (const auto& [name, tensor] : sparse_) {
    if (name == key) return tensor;
  }
  return {};
}

std::vector<Output> ParsedExample::Dense() const {
  std::vector<Output> outputs;
  for (const auto& [name, output] : dense_) outputs.push_back(output);
  return outputs;
}

ParsedExample ParseExample(const Input& serialized, const std::vector<Feature>& features) {
  std::vector<std::string> sparse_keys, dense_keys;
  std::vector<DType> sparse_types, dense_types;
  std::vector<PartialShape> dense_shapes;
  std::vector<Input> defaults;
  for (const Feature& feature : features) {
    if (!feature.fixed) {
      sparse_keys.push_back(feature.key);
      sparse_types.push_back(feature.dtype);
      continue;
    }
    dense_keys.push_back(feature.key);
    dense_types.push_back(feature.dtype);
    dense_shapes.push_back(feature.shape);
    defaults.emplace_back(feature.default_value.value_or(NoDefault(feature.dtype)), serialized.where());
  }
  const std::vector<std::string> none;
  std::vector<Input> inputs = {serialized, Tensor::Vector(none), Tensor::Vector(sparse_keys),
                               Tensor::Vector(dense_keys), Tensor::Vector(none)};
  inputs.insert(inputs.end(), defaults.begin(), defaults.end());
  const std::vector<DType> no_types;
  const auto num_sparse = static_cast<int64_t>(sparse_keys.size());
  const std::vector<Output> outputs = EmitAll("ParseExampleV2", inputs,
                                              {{"num_sparse", num_sparse},
                                               {"sparse_types", sparse_types},
                                               {"Tdense", dense_types},
                                               {"dense_shapes", dense_shapes},
                                               {"ragged_value_types", no_types},
                                               {"ragged_split_types", no_types}});
  ParsedExample parsed;
  const size_t n = sparse_keys.size();
  const bool built = outputs.size() == 3 * n + dense_keys.size();
  for (size_t i = 0; i < n; ++i) {
    parsed.sparse_.emplace_back(sparse_keys[i],
                                built ? SparseTensor{outputs[i], outputs[n + i], outputs[2 * n + i]} : SparseTensor());
  }
  for (size_t i = 0; i < dense_keys.size(); ++i)
    parsed.dense_.emplace_back(dense_keys[i], built ? outputs[3 * n + i] : Output());
  return parsed;
}

}  // namespace headrace::api
