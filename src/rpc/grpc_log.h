// gRPC's own log lines go through Headrace's sink; while a server starts they are kept, as nothing else says why it cannot.
// Private to rpc.
#pragma once

#include <string>

namespace headrace {

/// Installs the redirection; the first call counts.
void RedirectGrpcLog();

/// Keeps the errors that gRPC logs on this thread, instead of logging them, while it lives. One at a time on a thread.
class GrpcLogCapture {
 public:
  GrpcLogCapture();
  ~GrpcLogCapture();
  GrpcLogCapture(const GrpcLogCapture&) = delete;
  GrpcLogCapture& operator=(const GrpcLogCapture&) = delete;

  /// The last error of the operating system among them ("Address already in use"), or empty.
  std::string SystemError() const;

 private:
  std::string text_;
};

}  // namespace headrace
