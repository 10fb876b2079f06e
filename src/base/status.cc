#include "base/status.h"

namespace headrace {

std::string_view CodeName(Code code) {
  static constexpr std::string_view kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

Status::Status(Code code, std::string message) {
  if (code != Code::kOk) state_ = std::make_shared<State>(State{code, std::move(message)});
}

const std::string& Status::message() const {
  static const std::string kEmpty;
  return ok() ? kEmpty : state_->message;
}

Status Status::AsDerived() const {
  if (ok()) return *this;
  Status result;
  result.state_ = std::make_shared<State>(State{state_->code, state_->message, true});
  return result;
}

Status Status::WithFrame(std::string_view frame) const {
  if (ok()) return *this;
  Status result;
  result.state_ = std::make_shared<State>(State{state_->code, StrCat(state_->message, "\n  ", frame), state_->derived});
  return result;
}

std::string Status::ToString() const { return ok() ? "OK" : StrCat(CodeName(code()), ": ", message()); }

void KeepRootCause(Status* kept, const Status& candidate) {
  if (candidate.ok()) return;
  if (kept->ok() || (kept->derived() && !candidate.derived())) *kept = candidate;
}

}  // namespace headrace
