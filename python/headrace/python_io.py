"""tf.python_io: TFRecord files from Python."""

from ._native import native


class TFRecordCompressionType:
    NONE, ZLIB, GZIP = 0, 1, 2


class TFRecordOptions:
    """How a file is compressed: one of TFRecordCompressionType, or "", "ZLIB", "GZIP"."""

    compression_type_map = {0: "", 1: "ZLIB", 2: "GZIP"}

    def __init__(self, compression_type=None):
        self.compression_type = compression_type

    @classmethod
    def get_compression_type_string(cls, options):
        if options is None or options == "":
            return ""
        kind = options.compression_type if isinstance(options, TFRecordOptions) else options
        return kind if isinstance(kind, str) else cls.compression_type_map[kind or 0]


class TFRecordWriter:
    """Writes records (bytes) in order. Closed at the end of a `with`."""

    def __init__(self, path, options=None):
        self._writer = native.create_records(str(path), TFRecordOptions.get_compression_type_string(options))

    def write(self, record):
        if self._writer is None:
            raise RuntimeError("the writer is closed")
        self._writer.write(bytes(record))

    def flush(self):
        """Records reach the file when the writer is closed."""

    def close(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()


def tf_record_iterator(path, options=None):
    """The records of a file, as bytes. Raises tf.errors.DataLossError that says where a record is damaged."""
    return iter(native.open_records(str(path), TFRecordOptions.get_compression_type_string(options)))
