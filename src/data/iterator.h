// Iterator: the resource behind iterator ops: a place for a run through a dataset.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "data/dataset.h"

namespace headrace {

/// Whether elements of the types or shapes `actual` may stand where `expected` are declared. Errors: kInvalidArgument.
HR_EXPORT Status CheckElements(const std::vector<DType>& expected, const std::vector<DType>& actual);
HR_EXPORT Status CheckElements(const std::vector<PartialShape>& expected, const std::vector<PartialShape>& actual);

/// Thread-safe; calls to Next take turns.
class HR_EXPORT Iterator final : public Resource {
 public:
  Iterator(std::vector<DType> types, std::vector<PartialShape> shapes)
      : types_(std::move(types)), shapes_(std::move(shapes)) {}

  const std::vector<DType>& output_types() const { return types_; }
  const std::vector<PartialShape>& output_shapes() const { return shapes_; }

  /// Begins a run through `dataset`, ending the one before. Errors: kInvalidArgument when the dataset's types or shapes are not
  /// the iterator's; what the stages report.
  Status Start(std::shared_ptr<const Dataset> dataset, std::shared_ptr<Runtime> runtime,
               std::shared_ptr<FunctionRunner> functions);

  /// Puts the next element into `*element`, or sets `*end`. Errors: kFailedPrecondition before Start; what the stages report.
  /// A cancelled call gives the token's reason when it has no element yet; a later call goes on from there.
  Status Next(Element* element, bool* end, CancellationToken* cancellation = nullptr);
  /// The same, where the end is an error: kOutOfRange "End of sequence".
  Result<Element> GetNext(CancellationToken* cancellation = nullptr);
  /// Next, with its status in `*status`, where that only touches memory. False, with nothing done, where it may wait for a file, a
  /// function or somebody else's call: then it belongs on the blocking pool.
  bool TryNext(Element* element, bool* end, Status* status, CancellationToken* cancellation = nullptr);

  std::string DebugString() const override { return StrCat("Iterator over [", StrJoin(types_, ","), "]"); }

 private:
  /// One run; a call under way keeps it when another Start replaces it.
  struct Run {
    std::shared_ptr<const Dataset> dataset;
    IteratorContext context;
    std::mutex mutex;
    std::unique_ptr<Stage> stage;  // guarded by mutex
    ~Run();
  };
  std::shared_ptr<Run> CurrentRun() const;
  Status NextOf(Run& run, Element* element, bool* end, CancellationToken* cancellation) const;

  const std::vector<DType> types_;
  const std::vector<PartialShape> shapes_;
  mutable std::mutex mutex_;
  std::shared_ptr<Run> run_;  // guarded by mutex_
};

}  // namespace headrace
