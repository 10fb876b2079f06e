// See data.h.
#include "api/data.h"

#include <algorithm>
#include <cstring>

#include "api/data_access.h"
#include "api/emit.h"
#include "api/initializer_state.h"
#include "graph/function_export.h"

namespace headrace::api::data {

namespace {

// A transformation that leaves the elements' types and shapes.
Dataset Transformed(const Dataset& input, std::string_view op, const std::vector<Input>& parameters,
                    AttrMap attrs = {}) {
  std::vector<Input> inputs = {input.variant()};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  attrs.merge(SpecAttrs(input.output_types(), input.output_shapes()));
  return DatasetAccess::Make(Emit(op, inputs, std::move(attrs)), input.output_types(), input.output_shapes());
}

Dataset FromFiles(std::string_view op, const Input& paths, const CallScope& scope, const FileOptions& options) {
  const std::vector<Input> inputs = {paths, Tensor::Scalar(options.compression), Number(options.buffer_bytes)};
  return DatasetAccess::Make(EmitIn(scope, op, inputs).output(0), {DType::kString}, {PartialShape::Scalar()});
}

Dataset FromSlices(const CallScope& scope, const std::vector<Input>& components, std::vector<DType> types,
                   std::vector<PartialShape> shapes) {
  const AttrMap attrs = {{"Toutput_types", types}, {"output_shapes", shapes}};
  return DatasetAccess::Make(EmitIn(scope, "TensorSliceDataset", components, attrs).output(0), std::move(types),
                             std::move(shapes));
}

PartialShape BatchShape(const PartialShape& row, int64_t size, bool drop_remainder) {
  if (!row.has_rank()) return row;
  std::vector<int64_t> dims(row.dims().begin(), row.dims().end());
  dims.insert(dims.begin(), drop_remainder ? size : PartialShape::kUnknownDim);
  return PartialShape(std::move(dims));
}

// Without the first dimension, where there is one.
PartialShape RowShape(const PartialShape& shape) {
  if (shape.rank() < 1) return shape;
  return PartialShape(std::vector<int64_t>(shape.dims().begin() + 1, shape.dims().end()));
}

// A padding value: zero bytes, or an empty string.
Tensor ZeroScalar(DType type) {
  Result<Tensor> made = Tensor::Allocate(type, Shape());
  if (!made.ok()) return Tensor();
  if (IsPlainData(type)) std::memset(made->mutable_raw(), 0, static_cast<size_t>(made->size_bytes()));
  return *std::move(made);
}

// What both shapes are an instance of.
PartialShape CommonShape(PartialShape a, const PartialShape& b) {
  if (a.rank() != b.rank()) return PartialShape();
  for (int i = 0; i < a.rank(); ++i) {
    if (a.dim(i) != b.dim(i)) a.SetDim(i, PartialShape::kUnknownDim);
  }
  return a;
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
    shapes.push_back(RowShape(component.shape()));
  }
  return FromSlices(scope, inputs, std::move(types), std::move(shapes));
}

Dataset FromTensorSlices(const std::vector<Output>& components, std::source_location where) {
  std::vector<Input> inputs;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
  for (const Output& component : components) {
    inputs.emplace_back(component, where);
    types.push_back(component.dtype());
    shapes.push_back(RowShape(component.shape()));
  }
  const Scope scope = components.empty() ? Scope() : components.front().scope();
  return FromSlices(CallScope(scope, where), inputs, std::move(types), std::move(shapes));
}

Dataset FromRange(const CallScope& scope, int64_t stop) { return FromRange(scope, 0, stop); }

Dataset FromRange(const CallScope& scope, int64_t start, int64_t stop, int64_t step) {
  const std::vector<DType> types = {DType::kInt64};
  const std::vector<PartialShape> shapes = {PartialShape::Scalar()};
  const Operation range =
      EmitIn(scope, "RangeDataset", {Number(start), Number(stop), Number(step)}, SpecAttrs(types, shapes));
  return DatasetAccess::Make(range.output(0), types, shapes);
}

Dataset Zip(const std::vector<Dataset>& datasets, std::source_location where) {
  std::vector<Input> inputs;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
  for (const Dataset& dataset : datasets) {
    inputs.emplace_back(dataset.variant(), where);
    types.insert(types.end(), dataset.output_types().begin(), dataset.output_types().end());
    shapes.insert(shapes.end(), dataset.output_shapes().begin(), dataset.output_shapes().end());
  }
  AttrMap attrs = SpecAttrs(types, shapes);
  attrs["N"] = static_cast<int64_t>(datasets.size());
  const Scope scope = datasets.empty() ? Scope() : datasets.front().variant().scope();
  return DatasetAccess::Make(EmitIn(CallScope(scope, where), "ZipDataset", inputs, std::move(attrs)).output(0), types,
                             shapes);
}

Dataset FromTFRecords(const CallScope& scope, const std::vector<std::string>& paths, const FileOptions& options) {
  return FromFiles("TFRecordDataset", Tensor::Vector(paths), scope, options);
}

Dataset FromTextLines(const CallScope& scope, const std::vector<std::string>& paths, const FileOptions& options) {
  return FromFiles("TextLineDataset", Tensor::Vector(paths), scope, options);
}

Dataset FromTFRecords(const Output& paths, const FileOptions& options, std::source_location where) {
  return FromFiles("TFRecordDataset", Input(paths, where), CallScope(paths.scope(), where), options);
}

Dataset FromTextLines(const Output& paths, const FileOptions& options, std::source_location where) {
  return FromFiles("TextLineDataset", Input(paths, where), CallScope(paths.scope(), where), options);
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
  for (const PartialShape& shape : shapes_) shapes.push_back(BatchShape(shape, size, options.drop_remainder));
  const std::vector<Input> inputs = {variant_, Number(size), Tensor::Scalar(options.drop_remainder)};
  return DatasetAccess::Make(Emit("BatchDatasetV2", inputs, SpecAttrs(types_, shapes)), types_, shapes);
}

Dataset Dataset::PaddedBatch(int64_t size, const std::vector<PartialShape>& padded_shapes,
                             const PaddedBatchOptions& options) const {
  std::vector<Input> inputs = {variant_, Number(size)};
  std::vector<PartialShape> shapes;
  for (const PartialShape& shape : padded_shapes) {
    inputs.emplace_back(Tensor::Vector(std::vector<int64_t>(shape.dims().begin(), shape.dims().end())));
    shapes.push_back(BatchShape(shape, size, options.drop_remainder));
  }
  for (size_t i = 0; i < types_.size(); ++i) {
    inputs.emplace_back(i < options.padding_values.size() ? options.padding_values[i] : ZeroScalar(types_[i]));
  }
  inputs.emplace_back(Tensor::Scalar(options.drop_remainder));
  const AttrMap attrs = {
      {"Toutput_types", types_}, {"output_shapes", shapes}, {"N", static_cast<int64_t>(padded_shapes.size())}};
  return DatasetAccess::Make(Emit("PaddedBatchDatasetV2", inputs, attrs), types_, shapes);
}

Dataset Dataset::Unbatch() const {
  std::vector<PartialShape> shapes;
  for (const PartialShape& shape : shapes_) shapes.push_back(RowShape(shape));
  return DatasetAccess::Make(Emit("UnbatchDataset", {variant_}, SpecAttrs(types_, shapes)), types_, shapes);
}

Dataset Dataset::Concatenate(const Dataset& other) const {
  std::vector<PartialShape> shapes = shapes_;
  for (size_t i = 0; i < std::min(shapes.size(), other.shapes_.size()); ++i) {
    shapes[i] = CommonShape(shapes[i], other.shapes_[i]);
  }
  const std::vector<Input> inputs = {variant_, other.variant_};
  return DatasetAccess::Make(Emit("ConcatenateDataset", inputs, SpecAttrs(types_, shapes)), types_, shapes);
}

Dataset Dataset::Cache(const std::string& file) const {
  return Transformed(*this, "CacheDataset", {Tensor::Scalar(file)});
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
