// See data.h.
#include "api/data.h"

#include "api/emit.h"
#include "api/initializer_state.h"
#include "api/trace.h"
#include "graph/function_export.h"

namespace headrace::api::data {

struct DatasetAccess {
  static Dataset Make(Output variant, std::vector<DType> types, std::vector<PartialShape> shapes) {
    Dataset dataset;
    dataset.variant_ = std::move(variant);
    dataset.types_ = std::move(types);
    dataset.shapes_ = std::move(shapes);
    return dataset;
  }
  static Iterator MakeIterator(Output handle, Operation initializer, const Dataset& dataset) {
    Iterator iterator;
    iterator.handle_ = std::move(handle);
    iterator.initializer_ = std::move(initializer);
    iterator.types_ = dataset.types_;
    iterator.shapes_ = dataset.shapes_;
    return iterator;
  }
};

namespace {

AttrMap SpecAttrs(const std::vector<DType>& types, const std::vector<PartialShape>& shapes) {
  return {{"output_types", types}, {"output_shapes", shapes}};
}

Tensor Number(int64_t value) { return Tensor::Scalar<int64_t>(value); }

// A transformation that leaves the elements' types and shapes.
Dataset Transformed(const Dataset& input, std::string_view op, const std::vector<Input>& parameters,
                    AttrMap attrs = {}) {
  std::vector<Input> inputs = {input.variant()};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  attrs.merge(SpecAttrs(input.output_types(), input.output_shapes()));
  return DatasetAccess::Make(Emit(op, inputs, std::move(attrs)), input.output_types(), input.output_shapes());
}

Dataset FromFiles(const CallScope& scope, std::string_view op, const std::vector<std::string>& paths,
                  const FileOptions& options) {
  const std::vector<Input> inputs = {Tensor::Vector(paths), Tensor::Scalar(options.compression),
                                     Number(options.buffer_bytes)};
  return DatasetAccess::Make(EmitIn(scope, op, inputs).output(0), {DType::kString}, {PartialShape::Scalar()});
}

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

// A one-shot iterator makes its dataset by itself, where no variable is initialized and nothing is fed.
Status CheckConstantSource(const NodeDef& node) {
  if (node.op != "Placeholder" && node.op != "VarHandleOp" && node.op != "IteratorV2") return OkStatus();
  return InvalidArgument("MakeOneShotIterator: the dataset depends on '", node.name, "' (", node.op,
                         "); use MakeInitializableIterator");
}

}  // namespace

Dataset FromTensorSlices(const CallScope& scope, const std::vector<Tensor>& components) {
  std::vector<Input> inputs;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
  for (const Tensor& component : components) {
    inputs.emplace_back(component, scope.where());
    types.push_back(component.dtype());
    shapes.push_back(component.rank() == 0 ? PartialShape::Scalar() : PartialShape(component.shape().WithoutDim(0)));
  }
  const AttrMap attrs = {{"Toutput_types", types}, {"output_shapes", shapes}};
  return DatasetAccess::Make(EmitIn(scope, "TensorSliceDataset", inputs, attrs).output(0), types, shapes);
}

Dataset FromRange(const CallScope& scope, int64_t stop) {
  const std::vector<DType> types = {DType::kInt64};
  const std::vector<PartialShape> shapes = {PartialShape::Scalar()};
  const Operation range = EmitIn(scope, "RangeDataset", {Number(0), Number(stop), Number(1)}, SpecAttrs(types, shapes));
  return DatasetAccess::Make(range.output(0), types, shapes);
}

Dataset FromTFRecords(const CallScope& scope, const std::vector<std::string>& paths, const FileOptions& options) {
  return FromFiles(scope, "TFRecordDataset", paths, options);
}

Dataset FromTextLines(const CallScope& scope, const std::vector<std::string>& paths, const FileOptions& options) {
  return FromFiles(scope, "TextLineDataset", paths, options);
}

Dataset Dataset::Shuffle(int64_t buffer_size, const ShuffleOptions& options) const {
  const std::shared_ptr<GraphState> graph = Access::GraphOf(variant_.scope());
  if (graph == nullptr) return *this;
  const auto [seed, seed2] = RandomSeeds(*graph, options.seed);
  return Transformed(*this, "ShuffleDataset", {Number(buffer_size), Number(seed), Number(seed2)},
                     {{"reshuffle_each_iteration", options.reshuffle_each_iteration}});
}

Dataset Dataset::Repeat(int64_t count) const { return Transformed(*this, "RepeatDataset", {Number(count)}); }
Dataset Dataset::Take(int64_t count) const { return Transformed(*this, "TakeDataset", {Number(count)}); }
Dataset Dataset::Skip(const Output& count) const { return Transformed(*this, "SkipDataset", {count}); }

Dataset Dataset::Skip(int64_t count) const { return Transformed(*this, "SkipDataset", {Number(count)}); }
Dataset Dataset::Shard(int64_t num_shards, int64_t index) const {
  return Transformed(*this, "ShardDataset", {Number(num_shards), Number(index)});
}
Dataset Dataset::Prefetch(int64_t buffer_size) const {
  return Transformed(*this, "PrefetchDataset", {Number(buffer_size)});
}

Dataset Dataset::Batch(int64_t size, const BatchOptions& options) const {
  std::vector<PartialShape> shapes;
  for (const PartialShape& shape : shapes_) {
    if (!shape.has_rank()) {
      shapes.push_back(shape);
      continue;
    }
    std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    dims.insert(dims.begin(), options.drop_remainder ? size : PartialShape::kUnknownDim);
    shapes.emplace_back(std::move(dims));
  }
  const std::vector<Input> inputs = {variant_, Number(size), Tensor::Scalar(options.drop_remainder)};
  return DatasetAccess::Make(Emit("BatchDatasetV2", inputs, SpecAttrs(types_, shapes)), types_, shapes);
}

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

std::vector<Output> Iterator::GetNext(std::source_location where) const { return NextOf(types_.size(), where); }

std::vector<Output> Iterator::NextOf(size_t num_components, std::source_location where) const {
  if (handle_.scope().valid() && num_components != types_.size()) {
    Remember(*Access::GraphOf(handle_.scope()),
             InvalidArgument("Iterator: elements have ", types_.size(), " components, asked for ", num_components),
             where);
  }
  return EmitAll("IteratorGetNext", {Input(handle_, where)}, SpecAttrs(types_, shapes_));
}

Iterator MakeInitializableIterator(const Dataset& dataset, std::source_location where) {
  AttrMap attrs = SpecAttrs(dataset.output_types(), dataset.output_shapes());
  attrs.merge(AttrMap{{"shared_name", ""}, {"container", ""}});
  const CallScope scope(dataset.variant().scope(), where);
  const Output handle = EmitIn(scope, "IteratorV2", {}, std::move(attrs)).output(0);
  const Operation initializer = EmitIn(scope, "MakeIterator", {Input(dataset.variant(), where), Input(handle, where)});
  return DatasetAccess::MakeIterator(handle, initializer, dataset);
}

Iterator MakeOneShotIterator(const Dataset& dataset, std::source_location where) {
  const Scope scope = dataset.variant().scope();
  Output handle;
  if (scope.valid()) {
    GraphState& graph = *Access::GraphOf(scope);
    FunctionRef factory;
    BuildAt(graph, where, [&]() -> Status {
      if (!dataset.variant().valid()) return InvalidArgument("The dataset is empty");
      FunctionLibrary& library = graph.graph.functions();
      factory.name = FreeFunctionName(library, "_make_dataset_");
      HR_ASSIGN_OR_RETURN(FunctionDef def,
                          ExportFunction(graph.graph, factory.name, {}, {Access::EndpointOf(dataset.variant())},
                                         FunctionContent::kNeeded));
      for (const NodeDef& node : def.nodes) HR_RETURN_IF_ERROR(CheckConstantSource(node));
      return library.Add(std::move(def));
    });
    AttrMap attrs = SpecAttrs(dataset.output_types(), dataset.output_shapes());
    attrs["dataset_factory"] = factory;
    handle = EmitIn(CallScope(scope, where), "OneShotIterator", {}, std::move(attrs)).output(0);
  }
  return DatasetAccess::MakeIterator(handle, Operation(), dataset);
}

}  // namespace headrace::api::data
