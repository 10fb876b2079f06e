"""Device names in parts, and what a device function sees."""

from .._native import native


class DeviceSpec:
    """A device name in parts: job, replica, task, device_type, device_index; each may be None."""

    def __init__(self, job=None, replica=None, task=None, device_type=None, device_index=None):
        self.job, self.replica, self.task = job, replica, task
        self.device_type, self.device_index = device_type, device_index

    @classmethod
    def from_string(cls, text):
        text = native.merge_devices("", text)
        parts = dict(job=None, replica=None, task=None, device_type=None, device_index=None)
        for part in text.split("/"):
            key, _, value = part.partition(":")
            if key == "job":
                parts["job"] = value
            elif key in ("replica", "task"):
                parts[key] = int(value)
            elif key == "device":
                kind, _, index = value.partition(":")
                parts["device_type"] = None if kind == "*" else kind
                parts["device_index"] = int(index) if index not in ("", "*") else None
        return cls(**parts)

    def to_string(self):
        text = "" if self.job is None else f"/job:{self.job}"
        text += "" if self.replica is None else f"/replica:{self.replica}"
        text += "" if self.task is None else f"/task:{self.task}"
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def merge_from(self, other):
        for key in ("job", "replica", "task", "device_type", "device_index"):
            if getattr(other, key) is not None:
                setattr(self, key, getattr(other, key))

    def replace(self, **changes):
        return DeviceSpec(**{**self.__dict__, **changes})

    def __eq__(self, other):
        return isinstance(other, DeviceSpec) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(self.to_string())

    def __repr__(self):
        return f"DeviceSpec({self.to_string()!r})"


def device_text(device):
    if device is None:
        return ""
    return device.to_string() if isinstance(device, DeviceSpec) else device


class NewOperation:
    """What a device function sees of an operation that is about to be made."""

    __slots__ = ("type", "name", "device", "node_def")

    def __init__(self, op_type, name, device):
        self.type, self.name, self.device = op_type, name, device
        self.node_def = self

    @property
    def op(self):
        return self.type
