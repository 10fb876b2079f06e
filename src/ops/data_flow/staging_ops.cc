// What steps do with staging areas (staging_area.h): Stage puts an element in, Unstage takes one out, StagePeek looks at one;
// StageSize; StageClear. The area belongs to the task, under its shared_name or else the op's own name; the first op that comes makes it.
// Errors: of StagingArea; kInvalidArgument where an element has other tensors than the op declares.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/data_flow/data_flow_ops.h"
#include "ops/data_flow/staging_area.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

class StagingKernel : public AsyncKernel {
 public:
  explicit StagingKernel(KernelConstruction& c)
      : container_(c.attr<std::string>("container")),
        name_(c.attr<std::string>("shared_name")),
        capacity_(c.attr<int64_t>("capacity")),
        memory_limit_(c.attr<int64_t>("memory_limit")) {
    if (container_.empty()) container_ = ResourceManager::kDefaultContainer;
    if (name_.empty()) name_ = c.node().name();
  }

  void ComputeAsync(KernelContext& c, Done done) final {
    Result<std::shared_ptr<StagingArea>> area =
        c.resources().LookupOrCreate<StagingArea>(container_, name_, [this]() -> Result<std::shared_ptr<StagingArea>> {
          return std::make_shared<StagingArea>(capacity_, memory_limit_);
        });
    if (!area.ok()) return done(area.status());
    Start(c, *area, std::move(done));
  }

 protected:
  virtual void Start(KernelContext& c, const std::shared_ptr<StagingArea>& area, Done done) = 0;

  /// What puts an element into the outputs. The area lives until then.
  static StagingArea::Done Giving(KernelContext& c, std::shared_ptr<StagingArea> area, Done done) {
    return [&c, area = std::move(area), done = std::move(done)](const Status& status, QueueElement element) {
      done(status.ok() ? Give(c, std::move(element)) : status);
    };
  }

 private:
  static Status Give(KernelContext& c, QueueElement element) {
    if (static_cast<int>(element.size()) != c.num_outputs())
      return InvalidArgument("Mismatch stage/unstage: ", element.size(), " vs. ", c.num_outputs());
    for (size_t i = 0; i < element.size(); ++i) {
      const DType declared = c.node().output_types()[i];
      if (element[i].dtype() != declared) {
        return InvalidArgument("Output ", i, " of type ", TypeText(element[i].dtype()),
                               " does not match declared output type ", TypeText(declared));
      }
      HR_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), std::move(element[i])));
    }
    return OkStatus();
  }

  std::string container_;
  std::string name_;
  const int64_t capacity_;
  const int64_t memory_limit_;
};

class StageCpu final : public StagingKernel {
 public:
  using StagingKernel::StagingKernel;
  void Start(KernelContext& c, const std::shared_ptr<StagingArea>& area, Done done) override {
    QueueElement element;
    for (int i = 0; i < c.num_inputs(); ++i) element.push_back(c.TakeInput(i));
    area->Put(std::move(element), c.cancellation(),
              [area, done = std::move(done)](const Status& status, const QueueElement&) { done(status); });
  }
};

class UnstageCpu final : public StagingKernel {
 public:
  using StagingKernel::StagingKernel;
  void Start(KernelContext& c, const std::shared_ptr<StagingArea>& area, Done done) override {
    area->Take(c.cancellation(), Giving(c, area, std::move(done)));
  }
};

class StagePeekCpu final : public StagingKernel {
 public:
  using StagingKernel::StagingKernel;
  void Start(KernelContext& c, const std::shared_ptr<StagingArea>& area, Done done) override {
    if (c.input(0).rank() != 0) return done(InvalidArgument("index must be scalar"));
    area->Peek(c.input(0).scalar<int32_t>(), c.cancellation(), Giving(c, area, std::move(done)));
  }
};

class StageSizeCpu final : public StagingKernel {
 public:
  using StagingKernel::StagingKernel;
  void Start(KernelContext& c, const std::shared_ptr<StagingArea>& area, Done done) override {
    done(c.SetOutput(0, Tensor::Scalar(static_cast<int32_t>(area->size()))));
  }
};

class StageClearCpu final : public StagingKernel {
 public:
  using StagingKernel::StagingKernel;
  void Start(KernelContext&, const std::shared_ptr<StagingArea>& area, Done done) override {
    area->Clear();
    done(OkStatus());
  }
};

struct StagingOpRow {
  std::string_view name;
  std::string_view inputs;
  std::string_view outputs;
  std::string_view at_least;  // of the dtypes
  ShapeFunction shape;
  KernelFactory kernel;
};

}  // namespace

std::vector<OpDefinition> StagingOps() {
  const StagingOpRow rows[] = {
      {"Stage", "values: list(dtypes)", "", " >= 1", NoOutputs, ClassKernel<StageCpu>()},
      {"Unstage", "", "values: list(dtypes)", " >= 1", UnknownShape, ClassKernel<UnstageCpu>()},
      {"StagePeek", "index: i32", "values: list(dtypes)", " >= 1", UnknownShape, ClassKernel<StagePeekCpu>()},
      {"StageSize", "", "size: i32", "", ScalarShape, ClassKernel<StageSizeCpu>()},
      {"StageClear", "", "", "", NoOutputs, ClassKernel<StageClearCpu>()},
  };
  std::vector<OpDefinition> ops;
  for (const StagingOpRow& row : rows) {
    ops.push_back(OpDefinition(StrCat(row.name, "(", row.inputs, ") -> (", row.outputs,
                                      ") | capacity: int = 0 >= 0 | memory_limit: int = 0 >= 0 | dtypes: list(type)",
                                      row.at_least, " | container: string = '' | shared_name: string = '' | stateful"))
                      .Shape(row.shape)
                      .NoGradient("a staging area")
                      .Kernels(AnyType(row.kernel, /*cheap=*/true)));
  }
  return ops;
}

}  // namespace headrace
