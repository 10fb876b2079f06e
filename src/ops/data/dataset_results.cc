// Ops that run through a dataset inside one step: ReduceDataset (a function folds the elements into a state) and
// DatasetToSingleElement (the one element). They wait on the blocking pool and end with the step's cancellation.
#include <algorithm>
#include <iterator>

#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

Status SetElementOutputs(KernelContext& c, Element element, const std::vector<DType>& types) {
  if (element.size() != types.size() || c.num_outputs() != static_cast<int>(types.size())) {
    return InvalidArgument(c.node().op(), ": expected ", types.size(), " components, got ", element.size());
  }
  for (size_t i = 0; i < types.size(); ++i) {
    if (element[i].dtype() != types[i]) {
      return InvalidArgument(c.node().op(), ": component ", i, " is ", element[i], ", expected ", types[i]);
    }
    HR_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), std::move(element[i])));
  }
  return OkStatus();
}

Status ElementShapes(ShapeContext& c) {
  const auto shapes = c.attr<std::vector<PartialShape>>("output_shapes");
  if (static_cast<int>(shapes.size()) != c.num_outputs()) {
    return InvalidArgument("`output_shapes` has ", shapes.size(), " shapes, `output_types` ", c.num_outputs(),
                           " types");
  }
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, shapes[static_cast<size_t>(i)]));
  return OkStatus();
}

namespace {

/// The context of a run inside a step, cancelled with it.
class StepRun {
 public:
  StepRun(KernelContext& c, std::shared_ptr<FunctionRunner> functions) : cancellation_(c.cancellation()) {
    context_.runtime = Unowned(c.runtime());
    context_.functions = std::move(functions);
    context_.memory = c.runtime().memory;
    if (cancellation_ == nullptr) return;
    id_ = cancellation_->OnCancel([this] { Interrupt(); });
    if (id_ == 0) Interrupt();
  }
  StepRun(const StepRun&) = delete;
  StepRun& operator=(const StepRun&) = delete;
  ~StepRun() {
    if (id_ != 0) cancellation_->Deregister(id_);
  }
  IteratorContext* context() { return &context_; }
  /// The step's reason to end, or OK.
  Status status() const { return context_.cancellation.status(); }

 private:
  void Interrupt() {
    context_.interrupted.store(true);
    context_.cancellation.Cancel(Cancelled("The step was cancelled"));
  }
  IteratorContext context_;
  CancellationToken* const cancellation_;
  uint64_t id_ = 0;
};

/// Runs `work` on the blocking pool.
template <typename Work> void OnBlockingPool(KernelContext& c, AsyncKernel::Done done, Work work) {
  c.runtime().blocking->Schedule([work = std::move(work), done = std::move(done)] { done(work()); });
}

class ReduceDatasetCpu final : public AsyncKernel {
 public:
  explicit ReduceDatasetCpu(KernelConstruction& c)
      : functions_(c.functions()),
        function_(c.attr<FunctionRef>("f")),
        num_states_(static_cast<int>(c.attr<std::vector<DType>>("Tstate").size())),
        types_(c.attr<std::vector<DType>>("output_types")) {}
  void ComputeAsync(KernelContext& c, Done done) override {
    OnBlockingPool(c, std::move(done), [this, &c] { return Reduce(c); });
  }

 private:
  Status Reduce(KernelContext& c) {
    HR_ASSIGN_OR_RETURN(DatasetPtr dataset, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, functions_->Compile(function_));
    const std::vector<Tensor> captured = InputsFrom(c, 1 + num_states_, c.num_inputs() - 1 - num_states_);
    std::vector<Tensor> state = InputsFrom(c, 1, num_states_);
    StepRun run(c, functions_);
    HR_ASSIGN_OR_RETURN(const std::unique_ptr<Stage> stage, dataset->MakeStage(run.context()));
    while (true) {
      HR_RETURN_IF_ERROR(run.status());
      Element element;
      bool end = false;
      HR_RETURN_IF_ERROR(stage->Next(&element, &end));
      if (end) break;
      std::vector<Tensor> arguments = std::move(state);
      std::ranges::move(element, std::back_inserter(arguments));
      arguments.insert(arguments.end(), captured.begin(), captured.end());
      HR_ASSIGN_OR_RETURN(state, function->RunAndWait(std::move(arguments), &run.context()->cancellation));
    }
    return SetElementOutputs(c, std::move(state), types_);
  }

  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionRef function_;
  const int num_states_;
  const std::vector<DType> types_;
};

class SingleElementCpu final : public AsyncKernel {
 public:
  explicit SingleElementCpu(KernelConstruction& c)
      : functions_(c.functions()), types_(c.attr<std::vector<DType>>("output_types")) {}
  void ComputeAsync(KernelContext& c, Done done) override {
    OnBlockingPool(c, std::move(done), [this, &c] { return Give(c); });
  }

 private:
  Status Give(KernelContext& c) {
    HR_ASSIGN_OR_RETURN(DatasetPtr dataset, DatasetFromTensor(c.input(0)));
    StepRun run(c, functions_);
    HR_ASSIGN_OR_RETURN(const std::unique_ptr<Stage> stage, dataset->MakeStage(run.context()));
    Element element, more;
    bool end = false;
    HR_RETURN_IF_ERROR(stage->Next(&element, &end));
    if (end) return InvalidArgument("Dataset was empty.");
    HR_RETURN_IF_ERROR(stage->Next(&more, &end));
    if (!end) return InvalidArgument("Dataset had more than one element.");
    return SetElementOutputs(c, std::move(element), types_);
  }

  const std::shared_ptr<FunctionRunner> functions_;
  const std::vector<DType> types_;
};

}  // namespace

std::vector<OpDefinition> DatasetResultOps() {
  std::vector<OpDefinition> ops;
  const auto add = [&ops](const std::string& signature, KernelFactory kernel) {
    ops.push_back(OpDefinition(signature)
                      .Shape(ElementShapes)
                      .NoGradient("gradients do not flow through datasets")
                      .Kernels(AnyType(std::move(kernel))));
  };
  add(StrCat("ReduceDataset(input_dataset: variant, initial_state: list(Tstate), other_arguments: list(Targuments)) -> "
             "(components: list(output_types)) | f: func | Tstate: list(type) >= 1 | Targuments: list(type) >= 0",
             kDatasetSpec, " | use_inter_op_parallelism: bool = true | metadata: string = '' | stateful"),
      ClassKernel<ReduceDatasetCpu>());
  add(StrCat("DatasetToSingleElement(dataset: variant) -> (components: list(output_types))", kDatasetSpec,
             " | metadata: string = '' | stateful"),
      ClassKernel<SingleElementCpu>());
  return ops;
}

}  // namespace headrace
