// The founding program: softmax regression on a cluster of one parameter server and two workers, from slices of memory,
// placed by the replica device setter, trained until the data ends.
//
// So that it can be tried at once, it starts the three servers in this process. Elsewhere each is a process of its own:
//   headrace server --cluster '{"worker": ["127.0.0.1:2222", "127.0.0.1:2223"], "ps": ["127.0.0.1:2224"]}' --job ps --task 0
#include <headrace/headrace.h>

#include <cstdio>
#include <random>
#include <vector>

namespace hr = headrace::api;

namespace {

constexpr int kExamples = 6400, kFeatures = 784, kClasses = 10;

// Examples whose class can be told from a block of brighter features.
void MakeExamples(hr::Tensor* features, hr::Tensor* labels) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> noise(0, 1);
  std::vector<float> pixels;
  std::vector<int32_t> classes;
  for (int i = 0; i < kExamples; ++i) {
    const int label = static_cast<int>(random() % kClasses);
    classes.push_back(label);
    for (int j = 0; j < kFeatures; ++j) pixels.push_back(noise(random) + (j % kClasses == label ? 0.5f : 0.0f));
  }
  *features = hr::Tensor::FromValues<float>(std::span<const float>(pixels), {kExamples, kFeatures});
  *labels = hr::Tensor::Vector(classes);
}

hr::Status Train(const hr::ClusterSpec& cluster) {
  hr::Tensor features, labels;
  MakeExamples(&features, &labels);

  hr::Scope root = hr::Scope::NewRoot().WithDevice(hr::ReplicaDeviceSetter(cluster));

  hr::data::Dataset dataset = hr::data::FromTensorSlices(root, {features, labels}).Shuffle(1000).Batch(64);
  hr::data::Iterator iterator = hr::data::MakeInitializableIterator(dataset);
  auto [x, y] = iterator.Next<2>();

  hr::Variable w(root.WithName("w"), hr::Zeros({kFeatures, kClasses}));
  hr::Variable b(root.WithName("b"), hr::Zeros({kClasses}));
  hr::Output loss = hr::ReduceMean(hr::SparseSoftmaxCrossEntropy(hr::MatMul(x, w) + b, y));
  hr::Operation train = hr::train::GradientDescent(0.01).Minimize(loss);

  HR_ASSIGN_OR_RETURN(hr::Session session,
                      hr::Session::Open("grpc://127.0.0.1:2222", root, {.log_device_placement = true}));
  HR_RETURN_IF_ERROR(session.Run(hr::GlobalVariablesInitializer(root)));
  HR_RETURN_IF_ERROR(session.Run(iterator.initializer()));
  for (int step = 0;; ++step) {
    hr::Result<hr::Tensor> value = session.Run(loss, {.targets = {train}});
    if (value.status().code() == hr::Code::kOutOfRange) return hr::OkStatus();  // the data ended
    HR_RETURN_IF_ERROR(value.status());
    if (step % 20 == 0) std::printf("step %d: loss %.4f\n", step, static_cast<double>(value->scalar<float>()));
  }
}

hr::Status Main() {
  HR_ASSIGN_OR_RETURN(
      hr::ClusterSpec cluster,
      hr::ClusterSpec::FromJobs({{"worker", {"127.0.0.1:2222", "127.0.0.1:2223"}}, {"ps", {"127.0.0.1:2224"}}}));
  HR_ASSIGN_OR_RETURN(hr::Server ps, hr::Server::Start(cluster, "ps", 0));
  HR_ASSIGN_OR_RETURN(hr::Server worker0, hr::Server::Start(cluster, "worker", 0));
  HR_ASSIGN_OR_RETURN(hr::Server worker1, hr::Server::Start(cluster, "worker", 1));
  return Train(cluster);
}

}  // namespace

int main() {
  const hr::Status status = Main();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
