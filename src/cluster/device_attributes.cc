#include "cluster/device_attributes.h"

#include "headrace/proto/cluster.pb.h"

namespace headrace {

void ToProto(const DeviceAttributes& device, proto::DeviceAttributes* message) {
  message->set_name(device.name);
  message->set_device_type(device.device_type);
  message->set_memory_limit(device.memory_limit_bytes);
  message->mutable_locality();
  message->set_incarnation(device.incarnation);
  message->set_physical_device_desc(device.physical_description);
}

DeviceAttributes FromProto(const proto::DeviceAttributes& message) {
  return {.name = message.name(),
          .device_type = message.device_type(),
          .memory_limit_bytes = message.memory_limit(),
          .incarnation = message.incarnation(),
          .physical_description = message.physical_device_desc()};
}

}  // namespace headrace
