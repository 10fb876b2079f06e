// Files: checkpoints, their state file, and TFRecord files.
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "api/summary.h"
#include "checkpoint/bundle_reader.h"
#include "checkpoint/checkpoint_state.h"
#include "checkpoint/retention.h"
#include "format/record_file.h"
#include "gil.h"
#include "graph.h"
#include "os/file_system.h"
#include "os/log.h"

namespace headrace::python {
namespace {

nb::object NextRecord(RecordReader& reader) {
  std::string_view record;
  bool end = false;
  ThrowIfError(reader.Next(&record, &end));
  if (end) throw nb::stop_iteration();
  return nb::bytes(record.data(), record.size());
}

nb::object ReadTensor(const BundleReader& reader, const std::string& name) {
  Tensor tensor = [&] {
    const GilRelease release;
    return Unwrap(reader.Read(name));
  }();
  return TensorToPython(std::move(tensor));
}

nb::list ListTensors(const BundleReader& reader) {
  nb::list result;
  for (const BundleReader::Named& tensor : reader.List())
    result.append(nb::make_tuple(tensor.name, static_cast<int>(tensor.dtype), ShapeToPython(tensor.shape)));
  return result;
}

nb::object StateToPython(const std::string& directory, const std::string& name) {
  const Result<CheckpointState> state = ReadCheckpointState(RealFileSystem(), directory, name);
  if (!state.ok() && state.status().code() == Code::kNotFound) return nb::none();
  ThrowIfError(state.status());
  return nb::make_tuple(state->newest, nb::cast(state->all), nb::cast(state->timestamps),
                        state->last_preserved_timestamp);
}

void WriteState(const std::string& directory, const std::string& newest, const std::vector<std::string>& all,
                const std::vector<double>& timestamps, double last_preserved, const std::string& name) {
  ThrowIfError(WriteCheckpointState(RealFileSystem(), directory, {newest, all, timestamps, last_preserved}, name));
}

std::string_view ViewOf(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

void BindEvents(nb::module_& module) {
  using api::summary::SummaryWriter;
  nb::class_<SummaryWriter>(module, "SummaryWriter")
      .def("add_summary", [](SummaryWriter& writer, const nb::bytes& summary,
                             int64_t step) { ThrowIfError(writer.AddSummary(std::string(ViewOf(summary)), step)); })
      .def("add_graph", [](SummaryWriter& writer, const nb::bytes& graph_def,
                           int64_t step) { ThrowIfError(writer.AddGraph(std::string(ViewOf(graph_def)), step)); })
      .def("add_meta_graph",
           [](SummaryWriter& writer, const nb::bytes& meta_graph_def, int64_t step) {
             ThrowIfError(writer.AddMetaGraph(std::string(ViewOf(meta_graph_def)), step));
           })
      .def(
          "add_session_log",
          [](SummaryWriter& writer, int status, int64_t step, const std::string& checkpoint_path) {
            ThrowIfError(writer.AddSessionLog(static_cast<api::summary::SessionStatus>(status), step, checkpoint_path));
          })
      .def("add_run_metadata",
           [](SummaryWriter& writer, const nb::bytes& metadata, const std::string& tag, int64_t step) {
             ThrowIfError(writer.AddRunMetadata(std::string(ViewOf(metadata)), tag, step));
           })
      .def("flush",
           [](SummaryWriter& writer) {
             const GilRelease release;
             ThrowIfError(writer.Flush());
           })
      .def("close",
           [](SummaryWriter& writer) {
             const GilRelease release;
             ThrowIfError(writer.Close());
           })
      .def_prop_ro("path", [](const SummaryWriter& writer) { return writer.path(); });
  module.def("open_summary_writer", [](const std::string& directory, const std::string& suffix, double flush_seconds) {
    return Unwrap(SummaryWriter::Open(directory, {.suffix = suffix, .flush_seconds = flush_seconds}));
  });
}

}  // namespace

void BindFiles(nb::module_& module) {
  BindEvents(module);
  nb::class_<BundleReader>(module, "CheckpointReader").def("get_tensor", ReadTensor).def("list", ListTensors);
  module.def("open_checkpoint",
             [](const std::string& prefix) { return Unwrap(BundleReader::Open(RealFileSystem(), prefix)); });
  module.def("read_checkpoint_state", StateToPython);
  module.def("write_checkpoint_state", WriteState);
  module.def("delete_checkpoint",
             [](const std::string& prefix) { ThrowIfError(DeleteCheckpoint(RealFileSystem(), prefix)); });
  nb::class_<RecordReader>(module, "RecordReader")
      .def("__iter__", [](nb::handle self) { return self; })
      .def("__next__", NextRecord);
  module.def("open_records", [](const std::string& path, const std::string& compression) {
    return Unwrap(RecordReader::Open(RealFileSystem(), path, Unwrap(ParseCompression(compression))));
  });
  nb::class_<RecordWriter>(module, "RecordWriter")
      .def("write",
           [](RecordWriter& writer, const nb::bytes& record) {
             ThrowIfError(writer.Write({static_cast<const char*>(record.data()), record.size()}));
           })
      .def("close", [](RecordWriter& writer) { ThrowIfError(writer.Close()); });
  module.def("create_records", [](const std::string& path, const std::string& compression) {
    return Unwrap(RecordWriter::Create(RealFileSystem(), path, Unwrap(ParseCompression(compression))));
  });
}

}  // namespace headrace::python
