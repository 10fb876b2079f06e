// Two models in training, by one process or by the workers of a cluster: an MLP under Adam, and wide & deep under FTRL and
// Adagrad. Each makes the same numbers as bench/tensorflow_side.py, from the same seeds.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "measure/common.h"

namespace measure {

struct Training {
  hr::Output loss;
  hr::Operation step;
  std::vector<hr::RunOptions> batches;  // what is fed, in turn
  int64_t batch_size = 0;
};

inline hr::Scope TrainingScope(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  if (arguments.cluster.empty()) return root;
  const hr::Result<hr::ClusterSpec> cluster = hr::ClusterSpec::Parse(arguments.cluster);
  if (!cluster.ok()) return root;  // Open will say why
  return root.WithDevice(hr::ReplicaDeviceSetter(*cluster, {.worker_device = WorkerDevice(arguments)}));
}

// A number on the ps at which workers wait for each other.
class Meeting {
 public:
  Meeting(const hr::Scope& root, const std::string& name)
      : count_(root.WithName(name), hr::Zeros({}, hr::DType::kInt64), {.trainable = false}),
        arrive_(count_.AssignAdd(hr::Constant(root, int64_t{1}))) {}
  hr::Status ArriveAndWait(hr::Session& session, int64_t num_workers) const {
    HR_RETURN_IF_ERROR(session.Run(arrive_));
    while (true) {
      HR_ASSIGN_OR_RETURN(const hr::Tensor count, session.Run(count_.Value()));
      if (count.scalar<int64_t>() >= num_workers) return hr::OkStatus();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  const hr::Variable count_;
  const hr::Operation arrive_;
};

inline hr::Status InitializeOrWait(const Arguments& arguments, hr::Session& session, const hr::Operation& initialize,
                                   const hr::Output& uninitialized) {
  if (arguments.task == 0) return session.Run(initialize);
  while (true) {
    HR_ASSIGN_OR_RETURN(const hr::Tensor missing, session.Run(uninitialized));
    if (missing.num_elements() == 0) return hr::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Prints this process's examples a second, and the loss at the end. In a cluster both workers begin together, and the loss is
// that after the last step of both.
inline hr::Status Train(const Arguments& arguments, const hr::Scope& root, const Training& training) {
  constexpr int kRounds = 5, kSteps = 40;
  constexpr int64_t kWorkers = 2;
  const Meeting begin(root, "begin"), end(root, "end");
  const hr::Operation initialize = hr::GlobalVariablesInitializer(root);
  const hr::Output uninitialized = hr::ReportUninitializedVariables(root.WithDevice(WorkerDevice(arguments)));
  HR_ASSIGN_OR_RETURN(Opened opened, Open(arguments, root));
  hr::Session& session = *opened.session;
  HR_RETURN_IF_ERROR(InitializeOrWait(arguments, session, initialize, uninitialized));
  const bool is_alone = arguments.cluster.empty();
  size_t next = 0;
  const auto step = [&]() -> hr::Status {
    return session.Run(training.loss, training.batches[next++ % training.batches.size()]).status();
  };
  if (!is_alone) HR_RETURN_IF_ERROR(begin.ArriveAndWait(session, kWorkers));
  HR_ASSIGN_OR_RETURN(const double seconds,
                      SecondsPerCall(is_alone ? kRounds : 1, is_alone ? kSteps : kRounds * kSteps, step));
  if (!is_alone) HR_RETURN_IF_ERROR(end.ArriveAndWait(session, kWorkers));
  HR_ASSIGN_OR_RETURN(const hr::Tensor loss, session.Run(training.loss, {.feeds = training.batches[0].feeds}));
  Print(static_cast<double>(training.batch_size) / seconds, static_cast<double>(loss.scalar<float>()));
  return hr::OkStatus();
}

// Layers of these widths; all but the last are rectified.
inline hr::Output Layers(const hr::Scope& root, hr::Output hidden, int64_t inputs, const std::vector<int64_t>& widths,
                         std::vector<hr::Variable>* variables = nullptr) {
  for (const int64_t units : widths) {
    const hr::Variable w(root.WithName("w"), hr::RandomNormal({inputs, units}, 0, 0.05, {.seed = 1}));
    const hr::Variable b(root.WithName("b"), hr::Zeros({units}));
    if (variables != nullptr) variables->insert(variables->end(), {w, b});
    hidden = hr::BiasAdd(hr::MatMul(hidden, w), b);
    if (units != widths.back()) hidden = hr::Relu(hidden);
    inputs = units;
  }
  return hidden;
}

// An MLP 784-512-512-10 under Adam, batch 64.
inline hr::Status Mlp(const Arguments& arguments) {
  const hr::Scope root = TrainingScope(arguments);
  const hr::Scope worker = root.WithDevice(WorkerDevice(arguments));
  std::vector<float> pixels(64 * 784);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 97) / 97;
  std::vector<int32_t> classes;
  for (int i = 0; i < 64; ++i) classes.push_back(i % 10);
  const hr::Output images = hr::Placeholder(worker, hr::DType::kFloat, {64, 784}),
                   labels = hr::Placeholder(worker, hr::DType::kInt32, {64});
  const hr::Output loss =
      hr::ReduceMean(hr::SparseSoftmaxCrossEntropy(Layers(root, images, 784, {512, 512, 10}), labels));
  const hr::Operation step = hr::train::Adam(0.001).Minimize(loss);
  const hr::RunOptions batch{
      .feeds = {{images, hr::Tensor::FromValues<float>(std::span<const float>(pixels), {64, 784})},
                {labels, hr::Tensor::Vector(classes)}},
      .targets = {step}};
  return Train(arguments, root, {loss, step, {batch}, 64});
}

constexpr int64_t kWideColumns = 26, kRowsOfColumn = 10'000, kNumbers = 13, kWideBatch = 512, kWideBatches = 16;

// Numbers that look random, from i.
inline uint64_t Scrambled(uint64_t i) { return ((i * 2654435761) & 0xffffffff) >> 8; }

struct WideDeepInputs {
  hr::Output ids, numbers, labels;
};

// Made-up click logs: the label follows from the categories.
inline hr::RunOptions WideDeepBatch(const WideDeepInputs& inputs, const hr::Operation& step, int64_t batch) {
  std::vector<int64_t> ids;
  std::vector<float> numbers, labels;
  for (int64_t row = batch * kWideBatch; row < (batch + 1) * kWideBatch; ++row) {
    int64_t votes = 0;
    for (int64_t column = 0; column < kWideColumns; ++column) {
      const auto category =
          static_cast<int64_t>(Scrambled(static_cast<uint64_t>(row * kWideColumns + column)) % kRowsOfColumn);
      ids.push_back(column * kRowsOfColumn + category);
      votes += category & 1;
    }
    for (int64_t i = 0; i < kNumbers; ++i) {
      numbers.push_back(static_cast<float>(Scrambled(static_cast<uint64_t>(row * kNumbers + i)) % 1000) / 1000);
    }
    labels.push_back(2 * votes > kWideColumns ? 1 : 0);
  }
  return {.feeds = {{inputs.ids,
                     hr::Tensor::FromValues<int64_t>(std::span<const int64_t>(ids), {kWideBatch, kWideColumns})},
                    {inputs.numbers,
                     hr::Tensor::FromValues<float>(std::span<const float>(numbers), {kWideBatch, kNumbers})},
                    {inputs.labels, hr::Tensor::Vector(labels)}},
          .targets = {step}};
}

// Wide & deep over 26 categorical columns of 10,000 values each and 13 numbers, batch 512.
inline hr::Status WideDeep(const Arguments& arguments) {
  constexpr int64_t kRows = kWideColumns * kRowsOfColumn, kEmbedding = 16;
  const hr::Scope root = TrainingScope(arguments);
  const hr::Scope worker = root.WithDevice(WorkerDevice(arguments));
  const WideDeepInputs inputs{hr::Placeholder(worker, hr::DType::kInt64, {kWideBatch, kWideColumns}),
                              hr::Placeholder(worker, hr::DType::kFloat, {kWideBatch, kNumbers}),
                              hr::Placeholder(worker, hr::DType::kFloat, {kWideBatch})};
  const std::vector<hr::Variable> wide = {hr::Variable(root.WithName("wide"), hr::Zeros({kRows, 1}))};
  std::vector<hr::Variable> deep = {
      hr::Variable(root.WithName("embeddings"), hr::RandomNormal({kRows, kEmbedding}, 0, 0.05, {.seed = 1}))};
  const hr::Output embedded =
      hr::Reshape(hr::EmbeddingLookup(deep[0], inputs.ids), {kWideBatch, kWideColumns * kEmbedding});
  const hr::Output hidden = Layers(root, hr::Concat({embedded, inputs.numbers}, 1),
                                   kWideColumns * kEmbedding + kNumbers, {256, 128, 1}, &deep);
  const hr::Output logits =
      hr::ReduceSum(hr::EmbeddingLookup(wide[0], inputs.ids), {{1, 2}}) + hr::Reshape(hidden, {kWideBatch});
  const hr::Output loss = hr::ReduceMean(hr::SigmoidCrossEntropy(logits, inputs.labels));
  const hr::Operation step = hr::Group(worker, {hr::train::Ftrl(0.1).Minimize(loss, {.variables = wide}),
                                                hr::train::Adagrad(0.05).Minimize(loss, {.variables = deep})});
  Training training{loss, step, {}, kWideBatch};
  for (int64_t i = 0; i < kWideBatches; ++i) training.batches.push_back(WideDeepBatch(inputs, step, i));
  return Train(arguments, root, training);
}

}  // namespace measure
