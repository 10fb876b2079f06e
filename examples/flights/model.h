// The wide & deep model (Cheng et al. 2016): a linear model of all categorical columns and crosses, beside a network over embeddings
// of the plain columns and the numbers. The linear part is trained by FTRL, the network by Adagrad, as in the paper.
#pragma once

#include <headrace/headrace.h>

#include <array>
#include <vector>

#include "flights/schema.h"

namespace flights {

/// One batch of n examples, as the model takes it.
struct Batch {
  static constexpr size_t kComponents = 5;
  hr::Output ids;      // i64[n], of the records
  hr::Output labels;   // f32[n], 0 or 1
  hr::Output wide;     // i64[n, columns and crosses]: rows of the wide table
  hr::Output deep;     // i64[n, columns]: rows of the embedding table
  hr::Output numbers;  // f32[n, numeric columns]

  static Batch From(const std::array<hr::Output, kComponents>& c) { return {c[0], c[1], c[2], c[3], c[4]}; }
};

/// Serialized records into the components of a Batch. Each column's codes are moved to a range of their own, so that one table holds
/// all columns and one gather reads them.
inline std::vector<hr::Output> Parse(const Schema& schema, const hr::Output& records) {
  const hr::ParsedExample parsed = hr::ParseExample(records, schema.Features());
  std::vector<hr::Input> wide, deep, numbers;
  int64_t wide_offset = 0, deep_offset = 0;
  for (const Schema::Categorical& column : schema.categorical) {
    wide.push_back(parsed[column.name] + wide_offset);
    wide_offset += column.vocabulary_size;
    if (column.is_cross) continue;
    deep.push_back(parsed[column.name] + deep_offset);
    deep_offset += column.vocabulary_size;
  }
  for (const std::string& name : schema.numeric) numbers.push_back(parsed[name]);
  return {parsed["id"], hr::Cast(parsed["label"], hr::DType::kFloat), hr::Stack(wide, 1), hr::Stack(deep, 1),
          hr::Stack(numbers, 1)};
}

class Model {
 public:
  Model(const hr::Scope& scope, const Schema& schema) : scope_(scope) {
    int64_t wide_rows = 0, deep_rows = 0;
    for (const Schema::Categorical& column : schema.categorical) {
      wide_rows += column.vocabulary_size;
      if (column.is_cross) continue;
      deep_rows += column.vocabulary_size;
      ++deep_columns_;
    }
    wide_ = {hr::Variable(scope.WithName("wide/weights"), hr::Zeros({wide_rows, 1}))};
    embeddings_ = {hr::Variable(scope.WithName("deep/embeddings"),
                                hr::RandomNormal({deep_rows, kEmbedding}, 0, 0.18, {.seed = kSeed}))};
    int64_t inputs = deep_columns_ * kEmbedding + static_cast<int64_t>(schema.numeric.size());
    for (const int64_t units : {int64_t{128}, int64_t{64}, int64_t{1}}) {
      const std::string name = "deep/layer" + std::to_string(layers_.size());
      layers_.push_back(
          {hr::Variable(scope.WithName(name + "/kernel"), hr::GlorotUniform({inputs, units}, {.seed = kSeed + units})),
           hr::Variable(scope.WithName(name + "/bias"), hr::Zeros({units}))});
      inputs = units;
    }
  }

  /// Log odds of being late, f32[n].
  hr::Output Logits(const Batch& batch) const {
    const hr::Output wide = hr::ReduceSum(hr::EmbeddingLookup(wide_[0], batch.wide), {{1, 2}});
    const hr::Output embedded =
        hr::Reshape(hr::EmbeddingLookup(embeddings_[0], batch.deep), {-1, deep_columns_ * kEmbedding});
    hr::Output hidden = hr::Concat({embedded, batch.numbers}, 1);
    for (size_t i = 0; i < layers_.size(); ++i) {
      hidden = hr::BiasAdd(hr::MatMul(hidden, layers_[i].kernel), layers_[i].bias);
      if (i + 1 < layers_.size()) hidden = hr::Relu(hidden);
    }
    return wide + hr::Reshape(hidden, {-1});
  }

  hr::Output Loss(const Batch& batch) const {
    return hr::ReduceMean(hr::SigmoidCrossEntropy(Logits(batch), batch.labels));
  }

  /// One step of both optimizers; the network's weights are also pulled towards zero. The network's rate falls in a line to a twentieth
  /// at `total_steps`: without that, the noise of workers that overtake each other costs up to 0.01 of the area under the curve.
  hr::Operation Minimize(const hr::Output& loss, const hr::Variable& global_step, int64_t total_steps) const {
    hr::Output penalized = loss;
    std::vector<hr::Variable> deep = embeddings_;
    for (const Layer& layer : layers_) {
      penalized = penalized + hr::L2Loss(layer.kernel) * kWeightDecay;
      deep.insert(deep.end(), {layer.kernel, layer.bias});
    }
    const hr::Output done = hr::Cast(global_step, hr::DType::kFloat) / static_cast<double>(total_steps);
    const hr::Output rate = hr::Maximum(1 - done, 0.05) * kLearningRate;
    const hr::Operation update_wide =
        hr::train::Ftrl(0.2, {.l1_regularization_strength = 1e-4, .l2_regularization_strength = 0.1})
            .Minimize(loss, {.variables = wide_});
    const hr::Operation update_deep =
        hr::train::Adagrad(kLearningRate)
            .Minimize(penalized, {.variables = deep, .global_step = global_step, .learning_rate = rate});
    return hr::Group(scope_, {update_wide, update_deep});
  }

 private:
  static constexpr int64_t kEmbedding = 8, kSeed = 17;
  static constexpr double kWeightDecay = 1e-3, kLearningRate = 0.1;
  struct Layer {
    hr::Variable kernel, bias;
  };

  hr::Scope scope_;
  int64_t deep_columns_ = 0;
  std::vector<hr::Variable> wide_, embeddings_;  // one each
  std::vector<Layer> layers_;
};

}  // namespace flights
