#include "rpc/grpc_bytes.h"

#include <grpcpp/support/slice.h>

#include <chrono>
#include <vector>

#include "rpc/channel.h"

namespace headrace {
namespace {

constexpr size_t kCopyBelowBytes = 512;
constexpr size_t kMaxMessageBytes = 3072;  // headers are limited to 8 KiB, and bytes beyond ASCII take three each

// TensorFlow's marker of derived errors: a serialized map<string, bytes> in field 1 with this one key.
constexpr std::string_view kDerivedKey = "type.googleapis.com/tensorflow.DerivedStatus";

std::string DerivedDetails() {
  std::string entry = StrCat('\x0a', static_cast<char>(kDerivedKey.size()), kDerivedKey, '\x12');
  entry.push_back('\0');
  return StrCat('\x0a', static_cast<char>(entry.size())) + entry;
}

/// Keeps the slices of one received message alive.
class ReceivedSlices : public Buffer {
 public:
  explicit ReceivedSlices(std::vector<grpc::Slice> slices) : Buffer(nullptr, 0), slices_(std::move(slices)) {}
  const std::vector<grpc::Slice>& slices() const { return slices_; }

 private:
  void Destroy() override { delete this; }
  std::vector<grpc::Slice> slices_;
};

grpc::Slice ToSlice(const Payload::Slice& slice) {
  if (slice.bytes.size() < kCopyBelowBytes) return grpc::Slice(slice.bytes.data(), slice.bytes.size());
  Buffer* owner = slice.owner.get();
  owner->Ref();
  return grpc::Slice(
      const_cast<char*>(slice.bytes.data()), slice.bytes.size(),
      [](void* held) { static_cast<Buffer*>(held)->Unref(); }, owner);
}

}  // namespace

grpc::ByteBuffer ToByteBuffer(const Payload& payload) {
  if (payload.slices().size() == 1) {
    const grpc::Slice slice = ToSlice(payload.slices()[0]);
    return grpc::ByteBuffer(&slice, 1);
  }
  std::vector<grpc::Slice> slices;
  slices.reserve(payload.slices().size());
  for (const Payload::Slice& slice : payload.slices()) slices.push_back(ToSlice(slice));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

Result<Payload> ToPayload(const grpc::ByteBuffer& bytes) {
  Payload payload;
  std::vector<grpc::Slice> slices;
  if (!bytes.Valid()) return payload;
  if (!bytes.Dump(&slices).ok()) return Internal("rpc: the message cannot be decompressed");
  auto* received = new ReceivedSlices(std::move(slices));
  const BufferPtr owner(received);
  for (const grpc::Slice& slice : received->slices()) {
    payload.AppendShared({reinterpret_cast<const char*>(slice.begin()), slice.size()}, owner);
  }
  return payload;
}

grpc::Status ToGrpcStatus(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message = status.message();
  if (message.size() > kMaxMessageBytes) message = message.substr(0, kMaxMessageBytes) + " ... [truncated]";
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message, status.derived() ? DerivedDetails() : "");
}

Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  const int code = status.error_code();
  const Status converted(code > 0 && code <= 16 ? static_cast<Code>(code) : Code::kUnknown, status.error_message());
  return status.error_details().find(kDerivedKey) != std::string::npos ? converted.AsDerived() : converted;
}

gpr_timespec ToTimespec(TimePoint time) {
  if (time == kNoDeadline) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const Duration left = time - RealClock().Now();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

TimePoint FromTimespec(gpr_timespec time) {
  const gpr_timespec monotonic = gpr_convert_clock_type(time, GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(monotonic, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0) return kNoDeadline;
  const gpr_timespec left = gpr_time_sub(monotonic, gpr_now(GPR_CLOCK_MONOTONIC));
  return RealClock().Now() + std::chrono::seconds(left.tv_sec) + std::chrono::nanoseconds(left.tv_nsec);
}

}  // namespace headrace
