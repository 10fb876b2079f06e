// Iterators: IteratorV2 and Iterator (a handle), MakeIterator (begin a run), IteratorGetNext (one element; kOutOfRange at the end),
// OneShotIterator (a handle whose run begins by itself).
// With a shared_name an iterator is found by it and its container, and outlives its session; without, it belongs to the node's
// kernel, so that sessions with nodes of the same name do not meet in it. An iterator keeps its functions.
#include "ops/data/anonymous_resource.h"
#include "ops/data/data_ops.h"
#include "ops/data/iterator_kernel.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

/// The handle of an iterator op, and the iterator behind it. A private one ends with the slot.
struct IteratorSlot {
  ResourceHandle handle;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
  ResourceManager* owner = nullptr;  // of a private iterator

  explicit IteratorSlot(KernelConstruction& c)
      : types(c.attr<std::vector<DType>>("output_types")), shapes(c.attr<std::vector<PartialShape>>("output_shapes")) {
    handle.device = c.device();
    const ResourceName where = ResourceName::Of(c);
    handle.container = where.container;
    handle.name = where.name;
    if (where.is_private) owner = &c.resources();
    handle.maybe_type_name = "Iterator";
  }
  IteratorSlot(const IteratorSlot&) = delete;
  IteratorSlot& operator=(const IteratorSlot&) = delete;
  ~IteratorSlot() {
    if (owner != nullptr) (void)owner->Delete(handle.container, handle.name);  // kNotFound: never made, or cleared
  }

  Result<std::shared_ptr<Iterator>> FindOrCreate(ResourceManager& resources, bool* created = nullptr) const {
    return resources.LookupOrCreate<Iterator>(handle.container, handle.name,
                                              [&]() -> Result<std::shared_ptr<Iterator>> {
                                                if (created != nullptr) *created = true;
                                                return std::make_shared<Iterator>(types, shapes);
                                              });
  }
};

class IteratorHandleCpu final : public Kernel {
 public:
  explicit IteratorHandleCpu(KernelConstruction& c) : slot_(c) {}
  Status Compute(KernelContext& c) override {
    HR_RETURN_IF_ERROR(slot_.FindOrCreate(c.resources()).status());
    return c.SetOutput(0, Tensor::Scalar<ResourceHandle>(slot_.handle));
  }

 private:
  const IteratorSlot slot_;
};

Status MakeIteratorCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Iterator> iterator, c.LookupResource<Iterator>(1));
  HR_ASSIGN_OR_RETURN(DatasetPtr dataset, DatasetFromTensor(c.input(0)));
  return iterator->Start(std::move(dataset), Unowned(c.runtime()), c.step().functions);
}

class IteratorGetNextCpu final : public AsyncKernel {
 public:
  explicit IteratorGetNextCpu(KernelConstruction& c) : types_(c.attr<std::vector<DType>>("output_types")) {}
  void ComputeAsync(KernelContext& c, Done done) override {
    ComputeWithNext(c, 0, std::move(done), [this](KernelContext& context, Element element, bool end) -> Status {
      if (end) return OutOfRange("End of sequence");
      return SetElementOutputs(context, std::move(element), types_);
    });
  }

 private:
  const std::vector<DType> types_;
};

class OneShotIteratorCpu final : public AsyncKernel {
 public:
  explicit OneShotIteratorCpu(KernelConstruction& c)
      : slot_(c), functions_(c.functions()), factory_(c.attr<FunctionRef>("dataset_factory")) {}
  void ComputeAsync(KernelContext& c, Done done) override {
    c.runtime().blocking->Schedule([this, &c, done = std::move(done)] { done(Give(c)); });
  }

 private:
  Status Give(KernelContext& c) {
    std::lock_guard lock(mutex_);  // of concurrent steps one begins the run
    bool created = false;
    HR_ASSIGN_OR_RETURN(std::shared_ptr<Iterator> iterator, slot_.FindOrCreate(c.resources(), &created));
    if (created || !started_.ok()) started_ = Start(c, *iterator);
    HR_RETURN_IF_ERROR(started_);
    return c.SetOutput(0, Tensor::Scalar<ResourceHandle>(slot_.handle));
  }

  Status Start(KernelContext& c, Iterator& iterator) {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> factory, functions_->Compile(factory_));
    HR_ASSIGN_OR_RETURN(std::vector<Tensor> made, factory->RunAndWait({}, c.cancellation()));
    if (made.size() != 1) return InvalidArgument("The `dataset_factory` function must return a single dataset.");
    HR_ASSIGN_OR_RETURN(DatasetPtr dataset, DatasetFromTensor(made[0]));
    return iterator.Start(std::move(dataset), Unowned(c.runtime()), functions_);
  }

  const IteratorSlot slot_;
  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionRef factory_;
  std::mutex mutex_;
  Status started_;  // guarded by mutex_
};

}  // namespace

std::vector<OpDefinition> IteratorOps() {
  std::vector<OpDefinition> ops;
  for (std::string_view name : {"Iterator", "IteratorV2"}) {
    ops.push_back(IteratorOp(
        StrCat(name, "() -> (handle: resource) | shared_name: string | container: string", kDatasetSpec, " | stateful"),
        ScalarShape, ClassKernel<IteratorHandleCpu>()));
  }
  for (std::string_view name : {"IteratorGetNext", "IteratorGetNextSync"}) {
    ops.push_back(IteratorOp(
        StrCat(name, "(iterator: resource) -> (components: list(output_types))", kDatasetSpec, " | stateful"),
        ElementShapes, ClassKernel<IteratorGetNextCpu>()));
  }
  ops.push_back(IteratorOp("MakeIterator(dataset: variant, iterator: resource) -> () | stateful", NoOutputs,
                           FunctionKernel(MakeIteratorCpu)));
  ops.push_back(IteratorOp(StrCat("OneShotIterator() -> (handle: resource) | dataset_factory: func", kDatasetSpec,
                                  " | container: string = '' | shared_name: string = '' | stateful"),
                           ScalarShape, ClassKernel<OneShotIteratorCpu>()));
  return ops;
}

}  // namespace headrace
