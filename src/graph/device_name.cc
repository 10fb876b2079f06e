// Grammar: { "/job:" (name | "*") | "/replica:" number | "/task:" number | "/device:" type [ ":" number ]
//          | "/cpu:" number | "/gpu:" number | "/" }, where a number or a type may be "*".
#include "graph/device_name.h"

#include <algorithm>
#include <cctype>

namespace headrace {

namespace {

bool IsIdentifier(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

std::string UpperCase(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// A number or "*"; false for anything else.
bool ReadNumber(std::string_view text, std::optional<int>* number) {
  number->reset();
  if (text == "*") return true;
  int64_t value = 0;
  const bool digits = std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
  if (!digits || !ParseInt64(text, &value) || value > INT32_MAX) return false;
  *number = static_cast<int>(value);
  return true;
}

bool ReadIdentifier(std::string_view text, std::optional<std::string>* name) {
  name->reset();
  if (text == "*") return true;
  if (!IsIdentifier(text)) return false;
  *name = text;
  return true;
}

// "TYPE", "TYPE:3", "TYPE:*", "*:3".
bool ReadTypeAndId(std::string_view text, DeviceName* device) {
  const size_t colon = text.find(':');
  device->id.reset();
  if (!ReadIdentifier(text.substr(0, colon), &device->type)) return false;
  if (device->type) *device->type = UpperCase(*device->type);
  return colon == std::string_view::npos || ReadNumber(text.substr(colon + 1), &device->id);
}

bool ReadPart(std::string_view part, DeviceName* device) {
  const size_t colon = part.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view key = part.substr(0, colon), value = part.substr(colon + 1);
  if (key == "job") return ReadIdentifier(value, &device->job);
  if (key == "replica") return ReadNumber(value, &device->replica);
  if (key == "task") return ReadNumber(value, &device->task);
  if (key == "device") return ReadTypeAndId(value, device);
  if (key == "cpu" || key == "CPU" || key == "gpu" || key == "GPU") {
    device->type = UpperCase(key);
    return ReadNumber(value, &device->id);
  }
  return false;
}

template <typename T> bool Agree(const std::optional<T>& a, const std::optional<T>& b) { return !a || !b || *a == *b; }

template <typename T> bool Given(const std::optional<T>& wanted, const std::optional<T>& actual) {
  return !wanted || wanted == actual;
}

}  // namespace

Result<DeviceName> DeviceName::Parse(std::string_view text) {
  DeviceName device;
  if (text.empty() || text == "/") return device;
  const Status malformed =
      InvalidArgument("Malformed device specification '", text,
                      "'; wanted is /job:NAME/replica:N/task:N/device:TYPE:N, or some of these parts");
  if (text[0] != '/') return malformed;
  for (const std::string& part : StrSplit(text.substr(1), '/')) {
    if (!ReadPart(part, &device)) return malformed;
  }
  return device;
}

Result<DeviceName> DeviceName::ParseFull(std::string_view text) {
  HR_ASSIGN_OR_RETURN(DeviceName device, Parse(text));
  if (!device.IsFull()) {
    return InvalidArgument("Device '", text,
                           "' is not a full name: job, replica, task, device type and number are needed");
  }
  return device;
}

std::string DeviceName::ToString() const {
  std::string text;
  if (job) text += StrCat("/job:", *job);
  if (replica) text += StrCat("/replica:", *replica);
  if (task) text += StrCat("/task:", *task);
  if (type || id) text += StrCat("/device:", type ? *type : "*", ":", id ? std::to_string(*id) : "*");
  return text;
}

bool DeviceName::Matches(const DeviceName& full) const {
  return Given(job, full.job) && Given(replica, full.replica) && Given(task, full.task) && Given(type, full.type) &&
         Given(id, full.id);
}

bool DeviceName::IsCompatibleWith(const DeviceName& other) const {
  return Agree(job, other.job) && Agree(replica, other.replica) && Agree(task, other.task) && Agree(type, other.type) &&
         Agree(id, other.id);
}

DeviceName DeviceName::MergedWith(const DeviceName& inner) const {
  DeviceName merged = *this;
  if (inner.job) merged.job = inner.job;
  if (inner.replica) merged.replica = inner.replica;
  if (inner.task) merged.task = inner.task;
  if (inner.type) merged.type = inner.type;
  if (inner.id) merged.id = inner.id;
  return merged;
}

std::string DeviceName::TaskName() const {
  return StrCat("/job:", job.value_or(""), "/replica:", replica.value_or(0), "/task:", task.value_or(0));
}

}  // namespace headrace
