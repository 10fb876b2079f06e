// Status and Result<T>: how every room reports failure. No exceptions are thrown in Headrace's own code.
//
// Codes are gRPC's canonical set, one to one on the wire. A message says what was wrong, then the values:
// "MatMul: inner dimensions differ: a=f32[2,3] b=f32[2,3]".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/export.h"
#include "base/strings.h"

namespace headrace {

enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// Returns the code's name in gRPC's spelling, e.g. "INVALID_ARGUMENT".
HR_EXPORT std::string_view CodeName(Code code);

/// The outcome of an operation: OK, or a code with a message. One pointer wide; copying is cheap.
class [[nodiscard]] HR_EXPORT Status {
 public:
  Status() = default;
  Status(Code code, std::string message);

  bool ok() const { return state_ == nullptr; }
  Code code() const { return ok() ? Code::kOk : state_->code; }
  const std::string& message() const;

  /// True for an error that is only the consequence of another one (a cancelled sibling, an aborted receive): whoever
  /// collects the errors of a step reports a root cause instead, where there is one.
  bool derived() const { return !ok() && state_->derived; }
  Status AsDerived() const;

  /// Returns the same code with `frame` put on a new line after the message; OK stays OK.
  Status WithFrame(std::string_view frame) const;

  /// "OK" or "CODE_NAME: message".
  std::string ToString() const;

 private:
  struct State {
    Code code;
    std::string message;
    bool derived = false;
  };
  std::shared_ptr<const State> state_;
};

inline Status OkStatus() { return Status(); }

/// Keeps the first root cause among the errors of concurrent parts: replaces `*kept` when that is OK, or when it is derived
/// and `candidate` is not.
HR_EXPORT void KeepRootCause(Status* kept, const Status& candidate);

// One factory per code; the arguments are concatenated (see StrCat).
#define HR_DEFINE_STATUS_FACTORY(Name, kCode) \
  template <typename... Args> Status Name(const Args&... args) { return Status(Code::kCode, StrCat(args...)); }
HR_DEFINE_STATUS_FACTORY(Cancelled, kCancelled)
HR_DEFINE_STATUS_FACTORY(Unknown, kUnknown)
HR_DEFINE_STATUS_FACTORY(InvalidArgument, kInvalidArgument)
HR_DEFINE_STATUS_FACTORY(DeadlineExceeded, kDeadlineExceeded)
HR_DEFINE_STATUS_FACTORY(NotFound, kNotFound)
HR_DEFINE_STATUS_FACTORY(AlreadyExists, kAlreadyExists)
HR_DEFINE_STATUS_FACTORY(PermissionDenied, kPermissionDenied)
HR_DEFINE_STATUS_FACTORY(ResourceExhausted, kResourceExhausted)
HR_DEFINE_STATUS_FACTORY(FailedPrecondition, kFailedPrecondition)
HR_DEFINE_STATUS_FACTORY(Aborted, kAborted)
HR_DEFINE_STATUS_FACTORY(OutOfRange, kOutOfRange)
HR_DEFINE_STATUS_FACTORY(Unimplemented, kUnimplemented)
HR_DEFINE_STATUS_FACTORY(Internal, kInternal)
HR_DEFINE_STATUS_FACTORY(Unavailable, kUnavailable)
HR_DEFINE_STATUS_FACTORY(DataLoss, kDataLoss)
#undef HR_DEFINE_STATUS_FACTORY

/// A value, or the Status that says why there is none.
template <typename T> class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit by design
    if (status_.ok()) status_ = Status(Code::kInternal, "Result made from an OK status");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  /// REQUIRES: ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace headrace

#define HR_CONCAT_INNER(a, b) a##b
#define HR_CONCAT(a, b) HR_CONCAT_INNER(a, b)

#define HR_RETURN_IF_ERROR(expression)           \
  do {                                           \
    ::headrace::Status hr_status = (expression); \
    if (!hr_status.ok()) [[unlikely]]            \
      return hr_status;                          \
  } while (false)

#define HR_ASSIGN_OR_RETURN(declaration, expression) \
  HR_ASSIGN_OR_RETURN_NAMED(HR_CONCAT(hr_result_, __LINE__), declaration, expression)
#define HR_ASSIGN_OR_RETURN_NAMED(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) [[unlikely]]                                   \
    return result.status();                                        \
  declaration = std::move(result).value()
