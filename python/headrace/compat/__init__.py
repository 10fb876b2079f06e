"""tf.compat: `v1` is the whole surface; conversions between text and bytes."""

import importlib


def as_bytes(bytes_or_text, encoding="utf-8"):
    """Text as bytes; bytes as they are."""
    return bytes_or_text.encode(encoding) if isinstance(bytes_or_text, str) else bytes(bytes_or_text)


def as_text(bytes_or_text, encoding="utf-8"):
    """Bytes as text; text as it is."""
    return bytes_or_text if isinstance(bytes_or_text, str) else bytes(bytes_or_text).decode(encoding)


as_str = as_text


def as_str_any(value):
    """Any value as text."""
    return as_text(value) if isinstance(value, (str, bytes)) else str(value)


def __getattr__(name):
    if name == "v1":
        return importlib.import_module(".v1", __name__)
    raise AttributeError(f"module 'headrace.compat' has no attribute '{name}'")
