"""What steps print, and what Python functions in the graph do, in Headrace and in TensorFlow, in one process."""
import os
import sys
import tempfile
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

try:
    import headrace
except ImportError:
    sys.path.append(str(servers.BINARY.parent / "python"))
    import headrace

tf.disable_v2_behavior()

VALUES = [
    np.float32(1 / 3), np.float64(1 / 3), np.float64(1e20), np.float32(1e-7), np.array([np.nan, np.inf, -np.inf], np.float32),
    np.array([0.1, 1e10, 1e22, -0.0, 1e-300, 3.14159265358979, 1e6, 0.1 + 0.2, 123456789.123]),
    np.array([0.1, 1e10, 1e22, -0.0, 1e-30, 3.14159265, 1e6, 3.4e38, 16777217, 123456], np.float32),
    np.array([0.1, 65504, 1e-7], np.float16), np.arange(20), np.arange(12).reshape(3, 4), np.arange(125).reshape(5, 5, 5),
    np.arange(16).reshape(2, 2, 2, 2), np.zeros([7, 7], np.int32), np.array([-3, 65], np.int8), np.array([2**64 - 1], np.uint64),
    np.array([True, False]), np.ones([2, 3], bool), np.array(True), np.array([1 + 2j, 3, 4, 5], np.complex64),
    np.zeros([0], np.float32), np.zeros([2, 0], np.float32), np.zeros([0, 3], np.float32), np.zeros([0], bool),
    np.array(b'hi "x"'), np.array([b"a b", b"c'd\\\n\t\r\x01\x7f\xc3\xa9", b"", b"e"], dtype=object),
]
LIMITS = (3, 1, 0, 2, -1, 100)


class PrintedTexts(unittest.TestCase):

    def both(self, function):
        """function(module, session) of both modules: TensorFlow's, then Headrace's."""
        found = []
        for t in (tf, headrace):
            with t.Graph().as_default(), t.Session() as session:
                found.append(function(t, session))
        return found

    def test_formatted_texts_are_tensorflows(self):
        def texts(t, session):
            return session.run([t.strings.format("<{}>", [t.constant(value)], summarize=limit)
                                for value in VALUES for limit in LIMITS])

        expected, got = self.both(texts)
        self.assertEqual(got, expected)

    def test_assertions_show_tensorflows_texts(self):
        def texts(t, session):
            found = []
            for value in VALUES:
                for limit in LIMITS:
                    with self.assertRaises(t.errors.InvalidArgumentError) as caught:
                        session.run(t.Assert(False, [t.constant(value)], summarize=limit))
                    text = caught.exception.message
                    found.append(text[text.index("assertion failed"):].split("\n")[0].split(" [[{{")[0].rstrip())
            return found

        expected, got = self.both(texts)
        self.assertEqual(got, expected)

    def test_printed_texts_are_tensorflows(self):
        def texts(t, session):
            operations = [t.Print(0, [t.constant(value), t.constant(value)], message="## ", summarize=limit)
                          for value in VALUES for limit in LIMITS]
            operations += [
                t.print("##", t.constant([1, 2]), {"b": t.constant(1), "a": [t.constant(2.5), "x"]}, 3, (1, 2), None, end="|\n"),
                t.print("##", t.constant("s"), t.constant(["a", "b"]), sep=", "), t.print(t.constant("## alone")),
                t.print("## {} %s", t.constant(1)), t.print("##", t.SparseTensor([[0, 1]], [1.0], [2, 2])),
                t.print("##", t.constant(np.arange(100)), summarize=-1, output_stream=sys.stderr)]
            return self.printed(session, operations)

        expected, got = self.both(texts)
        self.assertEqual(len(got), len(VALUES) * len(LIMITS) + 6)
        self.assertEqual(got, expected)

    @staticmethod
    def printed(session, operations):
        """The marked lines that the operations write to standard error; others are log lines."""
        with tempfile.TemporaryFile() as file:
            kept = os.dup(2)
            os.dup2(file.fileno(), 2)
            try:
                for operation in operations:
                    session.run(operation)
            finally:
                os.dup2(kept, 2)
                os.close(kept)
            file.seek(0)
            return [line for line in file.read().split(b"\n") if b"##" in line and not line.startswith(b"W")]


class PythonFunctionsInGraphs(unittest.TestCase):
    """Each outcome is the values, or the class of the error and what its text says first."""

    def outcome(self, t, function, *arguments):
        with t.Graph().as_default(), t.Session() as session:
            try:
                found = session.run(t.py_func(function, *arguments))
                return [(type(x), x.tolist() if isinstance(x, np.ndarray) else x) for x in
                        (found if isinstance(found, list) else [found])]
            except t.errors.OpError as error:
                text = error.message
                start = max(text.find(marker) for marker in ("pyfunc_", "-th value", f"{RAISED}"))
                return type(error).__name__, text[start:].split("\n")[0].split(" [[{{")[0].rstrip()

    def test_arguments_and_results_are_tensorflows(self):
        def described(*arguments):
            return "; ".join(f"{type(a).__name__} {getattr(a, 'dtype', '')} {getattr(a, 'shape', '')} {a!r}" for a in arguments)

        inputs = [1, 2.5, "a", ["a", "b"], [[1, 2]], True, np.zeros((2, 0)), np.int64(3), np.float16(1)]
        for function, Tout in ((lambda *a: np.array(described(*a).encode()), tf.string), (lambda *a: len(a), tf.int64),
                               (lambda *a: (1, 2.5, True, b"x"), [tf.int64, tf.float64, tf.bool, tf.string]),
                               (lambda *a: [np.float32(1)], [tf.float32]), (lambda *a: np.arange(4).reshape(2, 2), tf.int64)):
            names = [t.name for t in Tout] if isinstance(Tout, list) else Tout.name
            expected = self.outcome(tf, function, inputs, names)
            self.assertEqual(self.outcome(headrace, function, inputs, names), expected)

    def test_errors_have_tensorflows_classes(self):
        def fail(kind):
            raise kind(RAISED)

        for kind in (ValueError, TypeError, StopIteration, NotImplementedError, MemoryError, RuntimeError, KeyError, SystemExit,
                     OSError, AssertionError):
            expected, got = (self.outcome(t, lambda kind=kind: fail(kind), [], "int64") for t in (tf, headrace))
            self.assertEqual(got[0], expected[0], kind)


RAISED = "raised on purpose"

if __name__ == "__main__":
    unittest.main()
