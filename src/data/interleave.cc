// Interleave: a function makes a dataset of each element; `cycle_length` of these are open at once, and in turn each gives up to
// `block_length` elements. One that has ended gives up its turn, and the next element's dataset takes its place. With a cycle
// of one it is FlatMap. Memory: the open stages.
//
// ParallelInterleave yields the same elements in the same order, but the open datasets produce ahead, and those that will be
// opened next have begun. Memory: buffer_output_elements for each of them. The older parallel_interleave differs in one thing:
// where no dataset is left to take the place of one that has ended, what that one left of its block goes to the next in turn.
#include <algorithm>
#include <atomic>
#include <deque>

#include "data/prefetch.h"
#include "data/stage_function.h"

namespace headrace {

namespace {

/// A dataset in the cycle; closed while `stage` is null.
struct Place : OpenedDataset {
  std::shared_ptr<std::atomic<bool>> failed_to_open;  // of one that opens itself
};

/// Where the datasets come from.
class Opener {
 public:
  virtual ~Opener() = default;
  /// Opens the dataset of the next element, or sets `*end`. After an error the element is dropped.
  virtual Status Open(Place* place, bool* end) = 0;
};

struct Source {
  IteratorContext* context;
  std::unique_ptr<Stage> input;
  FunctionPtr function;
  const std::vector<Tensor>& captured;
};

class InTurn final : public Opener {
 public:
  explicit InTurn(Source source) : source_(std::move(source)) {}
  Status Open(Place* place, bool* end) override {
    Element argument;
    HR_RETURN_IF_ERROR(source_.input->Next(&argument, end));
    if (*end) return OkStatus();
    HR_ASSIGN_OR_RETURN(static_cast<OpenedDataset&>(*place),
                        CallForDataset(*source_.function, std::move(argument), source_.captured, source_.context));
    return OkStatus();
  }

 private:
  const Source source_;
};

/// Calls the function when its first element is asked for.
class SelfOpeningStage final : public Stage {
 public:
  SelfOpeningStage(const Source& source, Element argument)
      : context_(source.context),
        function_(source.function),
        captured_(source.captured),
        argument_(std::move(argument)),
        failed_(std::make_shared<std::atomic<bool>>(false)) {}
  Status Next(Element* element, bool* end) override {
    *end = failed_->load();
    if (*end) return OkStatus();
    if (opened_.stage == nullptr) {
      Result<OpenedDataset> opened = CallForDataset(*function_, std::move(argument_), captured_, context_);
      failed_->store(!opened.ok());
      if (!opened.ok()) return opened.status();
      opened_ = *std::move(opened);
    }
    return opened_.stage->Next(element, end);
  }
  bool MayBlock() const override { return true; }
  const std::shared_ptr<std::atomic<bool>>& failed() const { return failed_; }

 private:
  IteratorContext* const context_;
  const FunctionPtr function_;
  const std::vector<Tensor>& captured_;
  Element argument_;
  OpenedDataset opened_;
  const std::shared_ptr<std::atomic<bool>> failed_;
};

/// Keeps the next `ahead` datasets producing before they are asked for.
class Ahead final : public Opener {
 public:
  Ahead(Source source, size_t ahead, int64_t buffer_size)
      : source_(std::move(source)), ahead_(ahead), buffer_size_(buffer_size) {}
  Status Open(Place* place, bool* end) override {
    while (!input_ended_ && waiting_.size() <= ahead_) Begin();
    *end = waiting_.empty();
    if (*end) return OkStatus();
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    HR_RETURN_IF_ERROR(next.status);
    *place = std::move(next.place);
    return OkStatus();
  }

 private:
  struct Waiting {
    Status status;  // the input's, reported in its turn
    Place place;
  };

  void Begin() {
    Waiting next;
    Element argument;
    next.status = source_.input->Next(&argument, &input_ended_);
    if (next.status.ok() && input_ended_) return;
    if (next.status.ok()) {
      auto opening = std::make_unique<SelfOpeningStage>(source_, std::move(argument));
      next.place.failed_to_open = opening->failed();
      auto stage = std::make_unique<PrefetchStage>(source_.context, std::move(opening), buffer_size_);
      stage->Start();
      next.place.stage = std::move(stage);
    }
    waiting_.push_back(std::move(next));
  }

  const Source source_;
  const size_t ahead_;
  const int64_t buffer_size_;
  std::deque<Waiting> waiting_;
  bool input_ended_ = false;
};

class InterleaveStage final : public Stage {
 public:
  InterleaveStage(IteratorContext* context, std::unique_ptr<Opener> opener, size_t cycle_length, int64_t block_length,
                  bool passes_blocks_on)
      : context_(context),
        opener_(std::move(opener)),
        cycle_length_(cycle_length),
        block_length_(block_length),
        passes_blocks_on_(passes_blocks_on) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Interleave"));
      *end = input_ended_ && open_count_ == 0;
      if (*end) return OkStatus();
      if (passes_blocks_on_) HR_RETURN_IF_ERROR(FillCycle());
      if (turn_ == open_.size() && turn_ < cycle_length_) open_.emplace_back();
      Place& current = open_[turn_];
      if (current.stage == nullptr) HR_RETURN_IF_ERROR(Open(current));
      if (current.stage == nullptr) {
        PassTurn();
        continue;
      }
      bool part_ended = false;
      const Status status = current.stage->Next(element, &part_ended);
      if (!status.ok()) {
        if (current.failed_to_open != nullptr && current.failed_to_open->load()) Close(current);
        return status;
      }
      if (!part_ended) {
        if (++given_ == block_length_) TakeTurn();
        return OkStatus();
      }
      Close(current);
      if (passes_blocks_on_) HR_RETURN_IF_ERROR(Open(current));
      if (passes_blocks_on_ && current.stage == nullptr) {
        PassTurn();
      } else {
        TakeTurn();
      }
    }
  }
  bool MayBlock() const override { return true; }  // the function may

 private:
  /// Puts the next dataset into the place, which stays closed at the input's end.
  Status Open(Place& place) {
    if (input_ended_) return OkStatus();
    HR_RETURN_IF_ERROR(opener_->Open(&place, &input_ended_));
    if (!input_ended_) ++open_count_;
    return OkStatus();
  }
  /// Opens as many as the cycle has before the first ends.
  Status FillCycle() {
    while (!input_ended_ && open_.size() < cycle_length_) {
      Place place;
      HR_RETURN_IF_ERROR(Open(place));
      open_.push_back(std::move(place));
    }
    return OkStatus();
  }
  void Close(Place& place) {
    place.Close();
    --open_count_;
  }

  void TakeTurn() {
    PassTurn();
    given_ = 0;
  }
  void PassTurn() {
    turn_ = (turn_ + 1) % cycle_length_;
    if (input_ended_ && turn_ >= open_.size()) turn_ = 0;  // places that were never taken
  }

  IteratorContext* const context_;
  const std::unique_ptr<Opener> opener_;
  const size_t cycle_length_;
  const int64_t block_length_;
  const bool passes_blocks_on_;
  std::vector<Place> open_;  // grows up to the cycle's length
  size_t open_count_ = 0;
  size_t turn_ = 0;
  int64_t given_ = 0;  // in this turn
  bool input_ended_ = false;
};

class InterleaveDataset final : public SpecDataset {
 public:
  InterleaveDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured, ElementSpec spec,
                    const InterleaveOptions& options)
      : SpecDataset(std::move(spec)),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(std::move(captured)),
        options_(options) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    const int64_t threads = context->runtime->compute->num_threads();
    const int64_t cycle_length = options_.cycle_length < 0 ? threads : options_.cycle_length;
    Source source{context, std::move(input), function_, captured_};
    std::unique_ptr<Opener> opener;
    if (options_.parallel) {
      opener = std::make_unique<Ahead>(std::move(source), DatasetsAhead(cycle_length, threads), BufferSize());
    } else {
      opener = std::make_unique<InTurn>(std::move(source));
    }
    return std::unique_ptr<Stage>(std::make_unique<InterleaveStage>(context, std::move(opener),
                                                                    static_cast<size_t>(cycle_length),
                                                                    options_.block_length, options_.passes_blocks_on));
  }

 private:
  /// So many that as many as were asked for can be at work from the beginning.
  size_t DatasetsAhead(int64_t cycle_length, int64_t threads) const {
    const int64_t most = 4 * threads;
    const int64_t calls = options_.num_parallel_calls < 0 ? threads : std::min(options_.num_parallel_calls, most);
    const int64_t at_work = std::min(calls, cycle_length) - 1;
    return static_cast<size_t>(std::clamp<int64_t>(options_.prefetch_input_elements, at_work, std::max(at_work, most)));
  }
  int64_t BufferSize() const {
    constexpr int64_t kMostChosen = 64;
    if (options_.buffer_output_elements > 0) return options_.buffer_output_elements;
    return std::min(options_.block_length, kMostChosen / 2) * 2;
  }

  const DatasetPtr input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
  const InterleaveOptions options_;
};

}  // namespace

Result<DatasetPtr> MakeInterleaveDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured,
                                         ElementSpec spec, const InterleaveOptions& options) {
  const auto check = [](std::string_view name, int64_t value, int64_t least) {
    if (value >= least || value == kChosenHere) return OkStatus();
    return InvalidArgument("`", name, "` must be ", least == 0 ? ">= 0" : "> 0", ", got ", value);
  };
  HR_RETURN_IF_ERROR(check("cycle_length", options.cycle_length, 1));
  if (options.block_length < 1) return InvalidArgument("`block_length` must be > 0, got ", options.block_length);
  HR_RETURN_IF_ERROR(check("num_parallel_calls", options.num_parallel_calls, 1));
  HR_RETURN_IF_ERROR(check("buffer_output_elements", options.buffer_output_elements, 1));
  HR_RETURN_IF_ERROR(check("prefetch_input_elements", options.prefetch_input_elements, 0));
  if (options.cycle_length > 0 && options.num_parallel_calls > options.cycle_length) {
    return InvalidArgument(
        "If `cycle_length` is set to a fixed value, `num_parallel_calls` must be either `tf.data.AUTOTUNE` or a value "
        "less than or equal to `cycle_length`. However, `num_parallel_calls` is ",
        options.num_parallel_calls, " and `cycle_length` is ", options.cycle_length);
  }
  return DatasetPtr(std::make_shared<InterleaveDataset>(std::move(input), std::move(function), std::move(captured),
                                                        std::move(spec), options));
}

}  // namespace headrace
