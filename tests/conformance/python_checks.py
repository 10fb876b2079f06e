"""Headrace's Python functions against TensorFlow's, in one process: the values, and where there are any the gradients.

headrace is imported from the build (python/ below HEADRACE_BUILD), unless PYTHONPATH has it.
"""
import sys
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import python_cases
import python_image_cases
import python_matrix_cases
import python_stream_cases
import servers

try:
    import headrace
except ImportError:
    sys.path.append(str(servers.BINARY.parent / "python"))
    import headrace

tf.disable_v2_behavior()


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def weighted(t, tensor):
    """The sum of the elements, each times its number: so that a gradient tells elements apart."""
    return t.reduce_sum(tensor * t.cast(t.reshape(t.range(1, 1 + t.size(tensor)), t.shape(tensor)), tensor.dtype))


def computed(t, function, arguments, differentiate):
    """(dtypes, values, gradients or None for each argument) of a case."""
    with t.Graph().as_default(), t.Session() as session:
        inputs = [t.constant(a) for a in arguments]
        results = [t.convert_to_tensor(r) for r in listed(function(t, *inputs))]
        gradients = []
        if differentiate:
            gradients = t.gradients([weighted(t, r) for r in results if r.dtype.is_floating], inputs)
        known = [t.convert_to_tensor(g) for g in gradients if g is not None]
        values = session.run(results + known)
        return [r.dtype.name for r in results], values, [g is not None for g in gradients]


class PythonFunctions(unittest.TestCase):

    def compare(self, got, expected, message):
        got, expected = np.asarray(got), np.asarray(expected)
        self.assertEqual(got.shape, expected.shape, message)
        if expected.dtype.kind in "fc":
            np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5, err_msg=message)
        else:
            np.testing.assert_array_equal(got, expected, message)

    def run_table(self, cases, differentiate):
        for name, (function, arguments) in cases.items():
            with self.subTest(name):
                expected, got = (computed(t, function, arguments, differentiate) for t in (tf, headrace))
                self.assertEqual(got[0], expected[0], "dtypes")
                self.assertEqual(got[2], expected[2], "which gradients there are")
                for number, (a, b) in enumerate(zip(got[1], expected[1])):
                    self.compare(a, b, f"{name}: number {number}")

    def test_values_are_tensorflows(self):
        self.run_table(python_cases.CASES, False)

    def test_values_and_gradients_are_tensorflows(self):
        self.run_table(python_cases.DIFFERENTIATED, True)

    def test_images_and_matrices_are_tensorflows(self):
        self.run_table(python_image_cases.CASES, False)

    def test_inverses_and_second_derivatives_are_tensorflows(self):
        self.run_table(python_matrix_cases.CASES, True)

    def test_losses_have_tensorflows_values_and_names(self):
        found = []
        for t in (tf, headrace):
            with t.Graph().as_default(), t.Session() as session:
                names, tensors = zip(*python_stream_cases.losses(t))
                found.append((names, [x.name for x in tensors], session.run(list(tensors)), len(t.losses.get_losses())))
        (names, expected_names, expected, count), (_, got_names, got, got_count) = found
        self.assertEqual((got_names, got_count), (expected_names, count))
        for name, a, b in zip(names, got, expected):
            self.compare(a, b, name)

    def test_metrics_have_tensorflows_values_and_variables(self):
        expected, got = (self.streamed(t) for t in (tf, headrace))
        self.assertEqual(got[1], expected[1])
        for name, a, b in zip(expected[0], got[2], expected[2]):
            for part in zip(a, b):
                self.compare(*part, name)

    def streamed(self, t):
        """(names, variables, for each metric the updates and values after each batch)."""
        with t.Graph().as_default(), t.Session() as session:
            rows = [python_stream_cases.ROWS]
            inputs = [t.placeholder(t.int64, rows), t.placeholder(t.float32, rows), t.placeholder(t.float32, rows)]
            names, pairs = zip(*python_stream_cases.metrics(t, *inputs))
            variables = [(v.name, v.shape.as_list()) for v in t.local_variables()]
            self.assertEqual(len(t.get_collection(t.GraphKeys.METRIC_VARIABLES)), len(variables))
            session.run(t.local_variables_initializer())
            history = [[] for _ in pairs]
            for batch in zip(python_stream_cases.LABELS, python_stream_cases.SCORES, python_stream_cases.WEIGHTS):
                updates = session.run([update for _, update in pairs], dict(zip(inputs, batch)))
                values = session.run([value for value, _ in pairs])
                for record, update, value in zip(history, updates, values):
                    record += [update, value]
            return names, variables, history


if __name__ == "__main__":
    unittest.main()
