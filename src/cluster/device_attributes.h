// Devices as they travel between tasks.
#pragma once

#include "session/worker.h"

namespace headrace {

namespace proto {
class DeviceAttributes;
}  // namespace proto

void ToProto(const DeviceAttributes& device, proto::DeviceAttributes* message);
DeviceAttributes FromProto(const proto::DeviceAttributes& message);

}  // namespace headrace
