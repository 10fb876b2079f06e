// Headrace's side of bench/run: measures one thing, checks its answer, and prints {"value": .., "check": ..} as JSON. The TensorFlow
// side is bench/tensorflow_side.py; both do the same work on the same files and clusters.
//
// Usage: measure NAME [--data DIRECTORY] [--cluster CLUSTER [--task N]]     (a cluster: this process becomes its worker N, or 0)
#include <headrace/headrace.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "measure/common.h"
#include "measure/training.h"

namespace measure {
namespace {

hr::Status NoOp(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Operation nothing = hr::Group(root, {});
  std::optional<hr::Session> session;
  HR_ASSIGN_OR_RETURN(session, hr::Session::Open(arguments.cluster, root));  // here: a target, "" or grpc://
  HR_RETURN_IF_ERROR(session->Run(nothing));
  HR_ASSIGN_OR_RETURN(const double seconds, SecondsPerCall(7, 1000, [&] { return session->Run(nothing); }));
  Print(seconds * 1e6, 0);
  return hr::OkStatus();
}

// Microseconds for each op of 1,000 scalar additions in a row.
hr::Status Chain(const Arguments&) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Output start = hr::Placeholder(root, hr::DType::kFloat, hr::PartialShape::Scalar());
  hr::Output value = start;
  for (int i = 0; i < 1000; ++i) value = value + 1;
  HR_ASSIGN_OR_RETURN(hr::Session session, hr::Session::Open("", root));
  const hr::RunOptions options{.feeds = {{start, hr::Tensor::Scalar<float>(1)}}};
  HR_ASSIGN_OR_RETURN(const hr::Tensor result, session.Run(value, options));
  HR_ASSIGN_OR_RETURN(const double seconds,
                      SecondsPerCall(7, 300, [&] { return session.Run(value, options).status(); }));
  Print(seconds * 1e6 / 1000, static_cast<double>(result.scalar<float>()));
  return hr::OkStatus();
}

constexpr int64_t kPushed = 2'500'000;  // floats: 10 MB

// GB/s of 10 MB from the worker added to a variable on the ps.
hr::Status Push(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Scope worker = root.WithDevice(WorkerDevice(arguments));
  const hr::Variable total(root.WithDevice(PsDevice(arguments)).WithName("total"), hr::Zeros({kPushed}));
  const hr::Variable part(worker.WithName("part"), hr::Ones({kPushed}));
  const hr::Operation push = total.AssignAdd(part.Read(worker));
  HR_ASSIGN_OR_RETURN(Opened opened, Open(arguments, root));
  HR_RETURN_IF_ERROR(opened.session->Run(hr::GlobalVariablesInitializer(root)));
  HR_ASSIGN_OR_RETURN(const double seconds, SecondsPerCall(5, 20, [&] { return opened.session->Run(push); }));
  HR_ASSIGN_OR_RETURN(const hr::Tensor sum, opened.session->Run(total.Value()));
  Print(kPushed * 4 / seconds / 1e9, sum.data<float>()[kPushed - 1] == 100 ? 1 : 0);
  return hr::OkStatus();
}

// GB/s of a 10 MB variable on the ps, read and summed by the worker.
hr::Status Pull(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Variable values(root.WithDevice(PsDevice(arguments)).WithName("values"), hr::Ones({kPushed}));
  const hr::Output sum = hr::ReduceSum(hr::Identity(values.Value().In(root.WithDevice(WorkerDevice(arguments)))));
  HR_ASSIGN_OR_RETURN(Opened opened, Open(arguments, root));
  HR_RETURN_IF_ERROR(opened.session->Run(hr::GlobalVariablesInitializer(root)));
  HR_ASSIGN_OR_RETURN(const hr::Tensor result, opened.session->Run(sum));
  HR_ASSIGN_OR_RETURN(const double seconds, SecondsPerCall(5, 20, [&] { return opened.session->Run(sum).status(); }));
  Print(kPushed * 4 / seconds / 1e9, result.scalar<float>() == static_cast<float>(kPushed) ? 1 : 0);
  return hr::OkStatus();
}

constexpr int64_t kRows = 1'000'000, kColumns = 16, kTouched = 4096;

std::vector<int64_t> TouchedIds() {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kTouched; ++i) ids.push_back(i * 7919 % kRows);
  return ids;
}

// Rows a second: 4,096 rows of a table of 1M x 16 on the ps, gathered by the worker.
hr::Status Gather(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Scope worker = root.WithDevice(WorkerDevice(arguments));
  const hr::Variable table(root.WithDevice(PsDevice(arguments)).WithName("table"), hr::Ones({kRows, kColumns}));
  const hr::Output ids = hr::Constant(worker, hr::Tensor::Vector(TouchedIds()));
  const hr::Output sum = hr::ReduceSum(hr::Identity(hr::EmbeddingLookup(table, ids).In(worker)));
  HR_ASSIGN_OR_RETURN(Opened opened, Open(arguments, root));
  HR_RETURN_IF_ERROR(opened.session->Run(hr::GlobalVariablesInitializer(root)));
  HR_ASSIGN_OR_RETURN(const hr::Tensor result, opened.session->Run(sum));
  HR_ASSIGN_OR_RETURN(const double seconds, SecondsPerCall(7, 100, [&] { return opened.session->Run(sum).status(); }));
  Print(kTouched / seconds, result.scalar<float>() == kTouched * kColumns ? 1 : 0);
  return hr::OkStatus();
}

// Rows a second: 4,096 rows from the worker added to those of a table of 1M x 16 on the ps.
hr::Status Scatter(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Scope ps = root.WithDevice(PsDevice(arguments)), worker = root.WithDevice(WorkerDevice(arguments));
  const hr::Variable table(ps.WithName("table"), hr::Zeros({kRows, kColumns}));
  const hr::Variable rows(worker.WithName("rows"), hr::Ones({kTouched, kColumns}));
  const hr::Output ids = hr::Constant(worker, hr::Tensor::Vector(TouchedIds()));
  const hr::Operation add = hr::RawOp(ps, "ResourceScatterAdd", {table.handle(), ids, rows.Read(worker)});
  const hr::Output sum = hr::ReduceSum(hr::EmbeddingLookup(table, ids));
  HR_ASSIGN_OR_RETURN(Opened opened, Open(arguments, root));
  HR_RETURN_IF_ERROR(opened.session->Run(hr::GlobalVariablesInitializer(root)));
  HR_ASSIGN_OR_RETURN(const double seconds, SecondsPerCall(7, 100, [&] { return opened.session->Run(add); }));
  HR_ASSIGN_OR_RETURN(const hr::Tensor result, opened.session->Run(sum));
  Print(kTouched / seconds, result.scalar<float>() == 700 * kTouched * kColumns ? 1 : 0);
  return hr::OkStatus();
}

// Runs an iterator to its end; returns the number of rows, and the seconds it took.
hr::Result<std::pair<int64_t, double>> Drain(const hr::Scope& root, const hr::data::Dataset& dataset) {
  const hr::data::Iterator iterator = hr::data::MakeInitializableIterator(dataset);
  const hr::Output rows = hr::ShapeOf(iterator.GetNext()[0]);
  HR_ASSIGN_OR_RETURN(hr::Session session, hr::Session::Open("", root));
  HR_RETURN_IF_ERROR(session.Run(iterator.initializer()));
  const auto begin = Clock::now();
  for (int64_t total = 0;;) {
    const hr::Result<hr::Tensor> shape = session.Run(rows);
    if (shape.status().code() == hr::Code::kOutOfRange) {
      return std::pair<int64_t, double>(total, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    HR_RETURN_IF_ERROR(shape.status());
    total += shape->data<int32_t>()[0];
  }
}

// Records a second of a TFRecord file of 1 KB records, in batches of 512.
hr::Status Records(const Arguments& arguments) {
  const hr::Scope root = hr::Scope::NewRoot();
  HR_ASSIGN_OR_RETURN(const auto drained,
                      Drain(root, hr::data::FromTFRecords(root, {arguments.data + "/records.tfrecord"}).Batch(512)));
  Print(static_cast<double>(drained.first) / drained.second, static_cast<double>(drained.first));
  return hr::OkStatus();
}

// Examples a second of a Criteo-shaped file: 13 numbers and 26 strings each, parsed in batches of 512.
hr::Status Parse(const Arguments& arguments) {
  std::vector<hr::Feature> features = {hr::Feature::Fixed("label", hr::DType::kInt64)};
  for (int i = 0; i < 13; ++i) features.push_back(hr::Feature::Fixed("i" + std::to_string(i), hr::DType::kFloat));
  for (int i = 0; i < 26; ++i) features.push_back(hr::Feature::Fixed("c" + std::to_string(i), hr::DType::kString));
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::data::Dataset parsed =
      hr::data::FromTFRecords(root, {arguments.data + "/criteo.tfrecord"})
          .Batch(512)
          .Map([&](const hr::Output& records) { return hr::ParseExample(records, features).Dense(); })
          .Prefetch(2);
  HR_ASSIGN_OR_RETURN(const auto drained, Drain(root, parsed));
  Print(static_cast<double>(drained.first) / drained.second, static_cast<double>(drained.first));
  return hr::OkStatus();
}

// Rows a second of the founding program's pipeline: 60,000 x 784 floats, shuffle(1000), batch(64).
hr::Status Pipeline(const Arguments&) {
  const hr::Scope root = hr::Scope::NewRoot();
  std::vector<float> pixels(size_t{60'000} * 784, 0.5f);
  const hr::Tensor images = hr::Tensor::FromValues<float>(std::span<const float>(pixels), {60'000, 784});
  HR_ASSIGN_OR_RETURN(
      const auto drained,
      Drain(root, hr::data::FromTensorSlices(root, {images}).Shuffle(1000, {.seed = 1}).Repeat(3).Batch(64)));
  Print(static_cast<double>(drained.first) / drained.second, static_cast<double>(drained.first));
  return hr::OkStatus();
}

// One step of the smallest graph; the whole process is timed from outside.
hr::Status Start(const Arguments&) {
  const hr::Scope root = hr::Scope::NewRoot();
  const hr::Output sum = hr::Constant(root, 1.0f) + 2;
  HR_ASSIGN_OR_RETURN(hr::Session session, hr::Session::Open("", root));
  HR_ASSIGN_OR_RETURN(const hr::Tensor value, session.Run(sum));
  Print(0, static_cast<double>(value.scalar<float>()));
  return hr::OkStatus();
}

const std::map<std::string, hr::Status (*)(const Arguments&)> kMeasurements = {
    {"noop", NoOp},         {"chain", Chain},     {"push", Push},          {"pull", Pull},
    {"gather", Gather},     {"scatter", Scatter}, {"records", Records},    {"parse", Parse},
    {"pipeline", Pipeline}, {"mlp", Mlp},         {"wide_deep", WideDeep}, {"start", Start},
};

}  // namespace
}  // namespace measure

int main(int argc, char** argv) {
  measure::Arguments arguments{.name = argc > 1 ? argv[1] : "", .data = {}, .cluster = {}};
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--data") == 0) arguments.data = argv[i + 1];
    if (std::strcmp(argv[i], "--cluster") == 0) arguments.cluster = argv[i + 1];
    if (std::strcmp(argv[i], "--task") == 0) arguments.task = std::atoi(argv[i + 1]);
  }
  const auto found = measure::kMeasurements.find(arguments.name);
  if (found == measure::kMeasurements.end()) {
    std::fprintf(stderr, "measure: there is no measurement '%s'\n", arguments.name.c_str());
    return 2;
  }
  const headrace::api::Status status = found->second(arguments);
  if (!status.ok()) std::fprintf(stderr, "measure %s: %s\n", arguments.name.c_str(), status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
