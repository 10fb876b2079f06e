// The datasets of data.h that call functions: a C++ function is traced once into a function of the graph.
#include "api/data_access.h"
#include "api/emit.h"
#include "api/trace.h"

namespace headrace::api::data {

namespace {

// What became of a C++ function: a function of the graph, the captured outputs, and what it returns.
struct Traced {
  FunctionRef function;
  std::vector<Output> captures;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
};

Result<Traced> Trace(const Dataset& input, const ElementFunction& function, const std::string& name_prefix) {
  HR_ASSIGN_OR_RETURN(FunctionTrace trace, FunctionTrace::Run(Access::GraphOf(input.variant().scope()),
                                                              input.output_types(), input.output_shapes(), function));
  if (trace.results().empty()) {
    return InvalidArgument("The dataset's function returned nothing, or takes another number of components than the ",
                           input.output_types().size(), " of an element");
  }
  Traced traced{
      .function = {}, .captures = trace.captures(), .types = trace.result_types(), .shapes = trace.result_shapes()};
  HR_ASSIGN_OR_RETURN(traced.function, trace.AddToLibrary(name_prefix));
  return traced;
}

// Traces, or makes the graph remember what was wrong.
std::optional<Traced> TraceAt(const Dataset& input, const ElementFunction& function, const std::string& name,
                              const std::source_location& where) {
  std::optional<Traced> traced;
  if (!input.variant().scope().valid()) return traced;
  BuildAt(*Access::GraphOf(input.variant().scope()), where, [&]() -> Status {
    if (!input.variant().valid()) return InvalidArgument("The dataset is empty");
    HR_ASSIGN_OR_RETURN(traced, Trace(input, function, name));
    return OkStatus();
  });
  return traced;
}

std::vector<Input> WithCaptures(const Dataset& input, const Traced& traced, const std::source_location& where) {
  std::vector<Input> inputs = {Input(input.variant(), where)};
  for (const Output& capture : traced.captures) inputs.emplace_back(capture, where);
  return inputs;
}

std::vector<DType> CaptureTypes(const Traced& traced) {
  std::vector<DType> types;
  for (const Output& capture : traced.captures) types.push_back(capture.dtype());
  return types;
}

}  // namespace

Dataset Dataset::MapElements(const ElementFunction& function, const MapOptions& options,
                             std::source_location where) const {
  const std::optional<Traced> traced = TraceAt(*this, function, "Dataset_map_", where);
  if (!traced) return *this;
  std::vector<Input> inputs = WithCaptures(*this, *traced, where);
  inputs.emplace_back(Number(options.num_parallel_calls), where);
  AttrMap attrs = SpecAttrs(traced->types, traced->shapes);
  attrs.merge(AttrMap{{"f", traced->function},
                      {"Targuments", CaptureTypes(*traced)},
                      {"preserve_cardinality", true},
                      {"deterministic", "true"}});
  return DatasetAccess::Make(Emit("ParallelMapDatasetV2", inputs, std::move(attrs)), traced->types, traced->shapes);
}

Dataset Dataset::FilterElements(const ElementFunction& function, std::source_location where) const {
  const std::optional<Traced> traced = TraceAt(*this, function, "Dataset_filter_", where);
  if (!traced) return *this;
  AttrMap attrs = SpecAttrs(types_, shapes_);
  attrs.merge(AttrMap{{"predicate", traced->function}, {"Targuments", CaptureTypes(*traced)}});
  return DatasetAccess::Make(Emit("FilterDataset", WithCaptures(*this, *traced, where), std::move(attrs)), types_,
                             shapes_);
}

Dataset Dataset::InterleaveElements(const DatasetFunction& function, const InterleaveOptions* options,
                                    std::source_location where) const {
  const std::optional<Traced> traced = TraceAt(*this, function.function, "Dataset_interleave_", where);
  if (!traced || function.made->empty()) return *this;
  const Dataset& made = function.made->front();
  const bool parallel = options != nullptr && options->num_parallel_calls != 1;
  std::vector<Input> inputs = WithCaptures(*this, *traced, where);
  if (options != nullptr) {
    inputs.emplace_back(Number(options->cycle_length), where);
    inputs.emplace_back(Number(options->block_length), where);
  }
  if (parallel) {
    for (const int64_t number : {int64_t{-1}, int64_t{-1}, options->num_parallel_calls}) {  // buffers: chosen there
      inputs.emplace_back(Number(number), where);
    }
  }
  AttrMap attrs = SpecAttrs(made.types_, made.shapes_);
  attrs.merge(AttrMap{{"f", traced->function}, {"Targuments", CaptureTypes(*traced)}});
  if (parallel) attrs["deterministic"] = "true";
  const std::string_view op = options == nullptr ? "FlatMapDataset"
                              : parallel         ? "ParallelInterleaveDatasetV4"
                                                 : "InterleaveDataset";
  return DatasetAccess::Make(Emit(op, inputs, std::move(attrs)), made.types_, made.shapes_);
}

}  // namespace headrace::api::data
