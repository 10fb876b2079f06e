// Sessions: combinations of feeds, fetches and targets are prepared once and then run by number, without the GIL.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "api/session_target.h"
#include "cluster/remote_session.h"
#include "gil.h"
#include "graph.h"
#include "graph/import.h"
#include "sync/cancellation.h"
#include "sync/notification.h"

namespace headrace::python {
namespace {

constexpr std::chrono::milliseconds kSignalPoll(100);  // how soon Ctrl-C stops a step that waits

// Ends the steps that were given it, now and later.
struct Cancellation {
  CancellationToken token;
};

// Ops whose output may be the memory of an input.
bool MayAlias(const Node& node) {
  static const std::set<std::string, std::less<>> kOps = {"Bitcast",
                                                          "ConcatV2",
                                                          "Enter",
                                                          "Exit",
                                                          "ExpandDims",
                                                          "Identity",
                                                          "IdentityN",
                                                          "Merge",
                                                          "NextIteration",
                                                          "Pack",
                                                          "PlaceholderWithDefault",
                                                          "PreventGradient",
                                                          "Reshape",
                                                          "Slice",
                                                          "Snapshot",
                                                          "Split",
                                                          "SplitV",
                                                          "Squeeze",
                                                          "StopGradient",
                                                          "StridedSlice",
                                                          "Switch",
                                                          "Unpack"};
  return kOps.contains(node.op());
}

bool CallsFunctions(const Node& node) {
  return std::ranges::any_of(node.definition().signature().attrs,
                             [](const AttrSignature& attr) { return attr.kind.find("func") != std::string::npos; });
}

const Node* NodeOf(const Graph& graph, const std::string& tensor) {
  return graph.Find(tensor.substr(0, tensor.rfind(':')));
}

// Whether the memory of a tensor fed for `name` may be kept beyond the step: by a queue or a variable. (Run sees to fetches.)
bool MayOutliveStep(const Graph& graph, const std::vector<std::vector<Consumer>>& consumers, const std::string& name) {
  const Node* fed = NodeOf(graph, name);
  if (fed == nullptr) return true;
  std::vector<const Node*> pending = {fed};
  std::set<const Node*> seen = {fed};
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      if (consumer.input < 0) continue;
      if (consumer.node->definition().signature().stateful || CallsFunctions(*consumer.node)) return true;
      if (!MayAlias(*consumer.node) || !seen.insert(consumer.node).second) continue;
      pending.push_back(consumer.node);
    }
  }
  return false;
}

class PySession {
 public:
  PySession(const std::string& target, nb::object graph, const api::SessionOptions& options)
      : graph_object_(std::move(graph)), graph_(nb::cast<PyGraph&>(graph_object_)) {
    GraphDef def = ExportGraphDef(graph_.graph);
    num_sent_ids_ = graph_.graph.num_ids();
    const GilRelease release;
    session_ = Unwrap(api::OpenTarget(target, def, options));
  }

  PySession(const PySession&) = delete;
  PySession& operator=(const PySession&) = delete;
  /// The session's end may wait for a thread that wants the GIL.
  ~PySession() {
    if (session_ == nullptr) return;
    const GilRelease release;
    session_.reset();
  }

  /// The number for Run, and for each feed whether its array has to be copied.
  std::pair<int64_t, std::vector<bool>> Prepare(const std::vector<std::string>& feeds,
                                                const std::vector<std::string>& fetches,
                                                const std::vector<std::string>& targets) {
    Extend();
    std::vector<bool> copied;
    if (!feeds.empty()) {
      const auto consumers = graph_.graph.Consumers();
      for (const std::string& feed : feeds) copied.push_back(MayOutliveStep(graph_.graph, consumers, feed));
    }
    const CallableSpec spec{.feeds = feeds, .fetches = fetches, .targets = targets};
    const GilRelease release;
    return {Unwrap(Open().MakeCallable(spec)), copied};
  }

  /// `dtypes` are those of the feeds, and `copied` what Prepare said of them. `cancellation`, or null, may end the step from
  /// another thread.
  nb::list Run(int64_t callable, const nb::list& values, const std::vector<int>& dtypes,
               const std::vector<bool>& copied, int64_t timeout_ms, const std::shared_ptr<Cancellation>& cancellation) {
    std::vector<Tensor>
        lent;  // until the fetches are Python's: one that shares an array's memory is seen to, and copied
    std::vector<Tensor> feeds = Feeds(values, dtypes, copied, &lent);
    auto step = std::make_shared<Step>();
    {
      const GilRelease release;
      Open().RunCallableAsync(callable, std::move(feeds), &step->cancellation, EndOf(step));
    }
    return Finish(step, timeout_ms, cancellation);
  }

  /// The same of tensors and operations by name, and with what the step tells about itself: a RunMetadata in wire form.
  std::pair<nb::list, nb::bytes> RunTraced(const std::vector<std::string>& names,
                                           const std::vector<std::string>& fetches,
                                           const std::vector<std::string>& targets, const nb::list& values,
                                           const std::vector<int>& dtypes, const std::vector<bool>& copied,
                                           int64_t timeout_ms, bool step_stats, bool partition_graphs,
                                           const std::shared_ptr<Cancellation>& cancellation) {
    Extend();
    std::vector<Tensor> lent;
    std::vector<Tensor> tensors = Feeds(values, dtypes, copied, &lent);
    std::vector<NamedTensor> feeds;
    for (size_t i = 0; i < names.size(); ++i) feeds.push_back({names[i], std::move(tensors[i])});
    auto step = std::make_shared<Step>();
    const auto trace =
        std::make_shared<StepTrace>(StepTraceWishes{.step_stats = step_stats, .partition_graphs = partition_graphs});
    {
      const GilRelease release;
      Open().RunAsync(std::move(feeds), fetches, targets, &step->cancellation, EndOf(step), trace);
    }
    nb::list result = Finish(step, timeout_ms, cancellation);
    const std::string metadata = trace->run_metadata();
    return {std::move(result), nb::bytes(metadata.data(), metadata.size())};
  }

  void Release(int64_t callable) { ThrowIfError(Open().ReleaseCallable(callable)); }

  void Close() {
    const std::shared_ptr<GraphSession> session = std::move(session_);
    if (session == nullptr) return;
    const GilRelease release;
    ThrowIfError(session->Close());
  }

  nb::list ListDevices() {
    nb::list devices;
    for (const DeviceAttributes& device : Open().ListDevices())
      devices.append(nb::make_tuple(device.name, device.device_type, device.memory_limit_bytes, device.incarnation));
    return devices;
  }

 private:
  struct Step {
    CancellationToken cancellation;
    Notification done;
    Status status;
    std::vector<Tensor> fetches;
  };

  /// `lent` gets those whose memory is an array's.
  static std::vector<Tensor> Feeds(const nb::list& values, const std::vector<int>& dtypes,
                                   const std::vector<bool>& copied, std::vector<Tensor>* lent) {
    std::vector<Tensor> feeds;
    for (size_t i = 0; i < dtypes.size(); ++i) {
      feeds.push_back(TensorFromPython(values[i], static_cast<DType>(dtypes[i]),
                                       copied[i] ? Borrowing::kNever : Borrowing::kLarge));
      if (!copied[i] && feeds[i].size_bytes() >= kBorrowFromBytes) lent->push_back(feeds[i]);
    }
    return feeds;
  }

  static GraphSession::RunDone EndOf(std::shared_ptr<Step> step) {
    return [step = std::move(step)](const Status& status, std::vector<Tensor> fetches) {
      step->status = status;
      step->fetches = std::move(fetches);
      step->done.Notify();
    };
  }

  /// Waits for the step, and returns its fetches.
  static nb::list Finish(const std::shared_ptr<Step>& step, int64_t timeout_ms,
                         const std::shared_ptr<Cancellation>& cancellation) {
    const uint64_t registered =
        cancellation == nullptr ? 0 : cancellation->token.OnCancel([step] { Interrupt(*step); });
    if (cancellation != nullptr && registered == 0) Interrupt(*step);
    Wait(*step, timeout_ms);
    if (registered != 0) cancellation->token.Deregister(registered);
    ThrowIfError(step->status);
    nb::list result;
    for (Tensor& fetch : step->fetches) result.append(TensorToPython(std::move(fetch)));
    return result;
  }

  static void Interrupt(Step& step) { step.cancellation.Cancel(Cancelled("The step was interrupted")); }

  GraphSession& Open() const {
    if (session_ == nullptr) throw StatusError(FailedPrecondition("Attempted to use a closed Session."), false);
    return *session_;
  }

  void Extend() {
    GraphSession& session = Open();
    const int num_ids = graph_.graph.num_ids();
    if (num_ids == num_sent_ids_) return;
    GraphDef def;
    for (const Node* node : graph_.graph.Nodes()) {
      if (node->id() >= num_sent_ids_) def.nodes.push_back(ExportNode(*node));
    }
    for (const auto& [name, function] : graph_.graph.functions().functions()) def.functions.push_back(*function);
    def.versions = graph_.graph.versions();
    const GilRelease release;
    ThrowIfError(session.Extend(def));
    num_sent_ids_ = num_ids;
  }

  static void Wait(Step& step, int64_t timeout_ms) {
    if (step.done.HasBeenNotified()) return;
    const TimePoint deadline =
        timeout_ms > 0 ? RealClock().Now() + std::chrono::milliseconds(timeout_ms) : TimePoint::max();
    bool interrupted = false;
    while (true) {
      {
        const GilRelease release;
        const TimePoint next = RealClock().Now() + kSignalPoll;
        if (step.done.WaitUntil(std::min(next, deadline))) break;
      }
      if (!interrupted && PyErr_CheckSignals() != 0) {
        interrupted = true;
        const GilRelease release;
        Interrupt(step);
      }
      if (RealClock().Now() >= deadline) {
        const GilRelease release;
        step.cancellation.Cancel(DeadlineExceeded("Timed out waiting for the step: timeout_in_ms=", timeout_ms));
        step.done.Wait();
        break;
      }
    }
    if (interrupted) throw nb::python_error();
  }

  const nb::object graph_object_;  // keeps graph_
  PyGraph& graph_;
  std::shared_ptr<GraphSession> session_;
  int num_sent_ids_ = 0;  // node ids below are at the master
};

}  // namespace

void BindSession(nb::module_& module) {
  nb::class_<Cancellation>(module, "Cancellation").def(nb::init<>()).def("cancel", [](Cancellation& self) {
    const GilRelease release;
    self.token.Cancel(Cancelled("The step was interrupted"));
  });
  nb::class_<PySession>(module, "Session")
      .def(
          "__init__",
          [](PySession* self, const std::string& target, nb::object graph, bool log_device_placement,
             bool allow_soft_placement, double open_timeout_seconds, std::vector<std::string> device_filters) {
            new (self) PySession(target, std::move(graph),
                                 {.log_device_placement = log_device_placement,
                                  .allow_soft_placement = allow_soft_placement,
                                  .open_timeout_seconds = open_timeout_seconds,
                                  .device_filters = std::move(device_filters)});
          },
          nb::arg("target"), nb::arg("graph"), nb::kw_only(), nb::arg("log_device_placement") = false,
          nb::arg("allow_soft_placement") = false, nb::arg("open_timeout_seconds") = 30.0,
          nb::arg("device_filters") = std::vector<std::string>())
      .def("prepare", &PySession::Prepare)
      .def("run", &PySession::Run, nb::arg("callable"), nb::arg("values"), nb::arg("dtypes"), nb::arg("copied"),
           nb::arg("timeout_ms"), nb::arg("cancellation") = nullptr)
      .def("run_traced", &PySession::RunTraced, nb::arg("names"), nb::arg("fetches"), nb::arg("targets"),
           nb::arg("values"), nb::arg("dtypes"), nb::arg("copied"), nb::arg("timeout_ms"), nb::arg("step_stats"),
           nb::arg("partition_graphs"), nb::arg("cancellation") = nullptr)
      .def("release", &PySession::Release)
      .def("close", &PySession::Close)
      .def("list_devices", &PySession::ListDevices);
  module.def("reset", [](const std::string& target, const std::vector<std::string>& containers) {
    const GilRelease release;
    ThrowIfError(ResetTarget(target, containers));
  });
}

}  // namespace headrace::python
