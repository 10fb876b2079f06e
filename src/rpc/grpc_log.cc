#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "os/log.h"

namespace headrace {
namespace {

thread_local std::string* captured = nullptr;

void Log(gpr_log_func_args* line) {
  if (captured != nullptr) {
    *captured += line->message;
  } else {
    LogWarning("grpc", line->message);
  }
}

}  // namespace

void RedirectGrpcLog() {
  [[maybe_unused]] static const bool installed = [] {
    gpr_set_log_function(Log);
    return true;
  }();
}

GrpcLogCapture::GrpcLogCapture() {
  RedirectGrpcLog();
  captured = &text_;
}

GrpcLogCapture::~GrpcLogCapture() { captured = nullptr; }

std::string GrpcLogCapture::SystemError() const {
  constexpr std::string_view kMark = "os_error:\"";
  const size_t mark = text_.rfind(kMark);
  if (mark == std::string::npos) return "";
  const size_t begin = mark + kMark.size();
  return text_.substr(begin, text_.find('"', begin) - begin);
}

}  // namespace headrace
