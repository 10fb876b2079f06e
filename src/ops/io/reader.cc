#include "ops/io/reader.h"

#include <algorithm>
#include <utility>

namespace headrace {

namespace {

// So much is read ahead at once: one handoff to the blocking pool costs as much as some dozens of short records.
constexpr size_t kRecordsAhead = 256;
constexpr size_t kBytesAhead = size_t{256} << 10;

std::shared_ptr<Queue> MakeTurn() {
  QueueSpec spec;
  spec.capacity = 1;
  return std::make_shared<Queue>(std::move(spec));
}

}  // namespace

Reader::Reader(OpenRecordSource open) : open_(std::move(open)), turn_(MakeTurn()) { EndTurn(); }

void Reader::TakeTurn(CancellationToken* cancellation, std::function<void(const Status&)> then) {
  turn_->Dequeue(1, false, cancellation,
                 [then = std::move(then)](const Status& status, const std::vector<QueueElement>&) { then(status); });
}

void Reader::EndTurn() {
  turn_->Enqueue(std::vector<QueueElement>(1), nullptr, [](const Status&, const std::vector<QueueElement>&) {});
}

void Reader::Read(std::shared_ptr<Queue> queue, int64_t max_records, const Runtime& runtime,
                  CancellationToken* cancellation, Done done) {
  auto call = std::make_shared<Call>(Call{std::move(queue), max_records, &runtime, cancellation, std::move(done)});
  TakeTurn(cancellation, [self = shared_from_this(), call](const Status& status) {
    if (status.ok()) return self->Continue(call);
    call->done(status, {});
  });
}

void Reader::Reset(CancellationToken* cancellation, Done done) {
  TakeTurn(cancellation, [self = shared_from_this(), done = std::move(done)](const Status& status) {
    if (status.ok()) {
      self->has_file_ = self->at_end_ = false;
      self->source_.reset();
      self->ready_.clear();
      self->ready_status_ = OkStatus();
      self->num_produced_ = self->num_completed_ = 0;
      self->EndTurn();
    }
    done(status, {});
  });
}

/// Gives out what is ready; without it goes for more. Each way for more leads back here from another stack.
void Reader::Continue(const std::shared_ptr<Call>& call) {
  if (ready_.empty() && !ready_status_.ok()) return Finish(call, std::exchange(ready_status_, OkStatus()), {});
  if (ready_.empty() && at_end_) {
    at_end_ = has_file_ = false;
    num_completed_.fetch_add(1);
  }
  if (!has_file_) return TakeFile(call);
  const auto wanted = static_cast<size_t>(call->max_records);
  const bool is_all = at_end_ || !ready_status_.ok();
  if (ready_.empty() || (ready_.size() < wanted && !is_all)) return ReadAhead(call);
  std::vector<KeyedRecord> records;
  records.reserve(std::min(wanted, ready_.size()));
  while (records.size() < wanted && !ready_.empty()) {
    records.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  num_produced_.fetch_add(static_cast<int64_t>(records.size()));
  Finish(call, OkStatus(), std::move(records));
}

void Reader::TakeFile(const std::shared_ptr<Call>& call) {
  call->queue->Dequeue(1, false, call->cancellation,
                       [self = shared_from_this(), call](const Status& status, std::vector<QueueElement> names) {
                         if (!status.ok()) return self->Finish(call, status, {});
                         const Tensor& name = names[0][0];
                         if (name.num_elements() != 1) {
                           return self->Finish(call,
                                               InvalidArgument("Reader: a file name must be a scalar, got ", name), {});
                         }
                         self->path_ = name.scalar<std::string>();
                         self->has_file_ = true;
                         self->ReadAhead(call);
                       });
}

void Reader::ReadAhead(const std::shared_ptr<Call>& call) {
  call->runtime->blocking->Schedule([self = shared_from_this(), call] {
    self->ready_status_ = self->Fill(*call->runtime->files);
    // After a damaged record the source goes on, or is at its end; without a source there is no file.
    if (!self->ready_status_.ok() && self->source_ == nullptr) self->has_file_ = false;
    self->Continue(call);
  });
}

Status Reader::Fill(FileSystem& files) {
  if (source_ == nullptr) {
    HR_ASSIGN_OR_RETURN(source_, open_(files, path_));
  }
  size_t bytes = 0;
  for (size_t i = 0; i < kRecordsAhead && bytes < kBytesAhead; ++i) {
    KeyedRecord record;
    bool end = false;
    HR_RETURN_IF_ERROR(source_->Next(&record, &end));
    if (end) {
      at_end_ = true;
      source_.reset();
      break;
    }
    bytes += record.value.size();
    ready_.push_back(std::move(record));
  }
  return OkStatus();
}

void Reader::Finish(const std::shared_ptr<Call>& call, const Status& status, std::vector<KeyedRecord> records) {
  EndTurn();
  call->done(status, std::move(records));
}

}  // namespace headrace
