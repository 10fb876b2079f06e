// Between Headrace's types and gRPC's: bytes, statuses, points in time. Private to rpc.
#pragma once

#include <grpc/support/time.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "base/status.h"
#include "os/clock.h"
#include "rpc/payload.h"

namespace headrace {

/// Shares slices above some hundred bytes, copies smaller ones.
grpc::ByteBuffer ToByteBuffer(const Payload& payload);
/// Shares gRPC's memory. Errors: kInternal for bytes that cannot be decompressed.
Result<Payload> ToPayload(const grpc::ByteBuffer& bytes);

/// Cuts long messages (they travel in a header of limited size) and marks derived errors as TensorFlow does.
grpc::Status ToGrpcStatus(const Status& status);
Status FromGrpcStatus(const grpc::Status& status);

gpr_timespec ToTimespec(TimePoint time);
TimePoint FromTimespec(gpr_timespec time);

}  // namespace headrace
