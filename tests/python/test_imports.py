"""Importing the package: how long it takes, what it loads, and next to which other packages it lives."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent


def run_python(*arguments, **environment):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment})


class ImportTest(unittest.TestCase):

    def check_order(self, *modules):
        for module in modules:
            if importlib.util.find_spec(module.split(".")[0]) is None:
                self.skipTest(f"{module} is not installed")
        done = run_python(str(HERE / "import_order.py"), *modules)
        self.assertEqual(done.stdout.strip()[-2:], "ok", done.stderr[-2000:])

    def test_a_session_and_a_server_run_when_headrace_is_alone(self):
        self.check_order("headrace")

    def test_headrace_may_come_before_grpc_and_protobuf(self):
        self.check_order("headrace", "grpc", "google.protobuf")

    def test_headrace_may_come_after_grpc_and_protobuf(self):
        self.check_order("grpc", "google.protobuf", "headrace")

    def test_headrace_may_come_before_pyarrow(self):
        self.check_order("headrace", "pyarrow")

    def test_headrace_may_come_after_pyarrow(self):
        self.check_order("pyarrow", "headrace")

    def test_headrace_may_come_before_tensorflow(self):
        self.check_order("headrace", "tensorflow")

    def test_headrace_may_come_after_tensorflow(self):
        self.check_order("tensorflow", "headrace")

    def test_a_preloaded_malloc_after_tensorflow_is_refused_in_words(self):
        program = "import sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow')\nimport os\n" \
                  "os.environ['LD_PRELOAD'] = 'libtcmalloc.so'\nimport headrace"
        done = run_python("-c", program)
        self.assertIn("ImportError: import headrace before tensorflow", done.stderr)

    def test_what_a_program_does_not_use_is_not_loaded(self):
        program = "import sys, headrace; print([m for m in ('google.protobuf', 'headrace.train', 'headrace.nn', 'headrace.data', " \
                  "'asyncio', 'unittest', 'multiprocessing') if m in sys.modules])"
        done = run_python("-c", program)
        self.assertEqual(done.stdout.strip(), "[]", done.stderr)

    def test_every_listed_name_can_be_loaded(self):
        program = "import headrace as tf\nfor m in (tf, tf.train, tf.nn, tf.data, tf.compat.v1):\n    for n in dir(m): getattr(m, n)"
        done = run_python("-c", program)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_compat_v1_shows_the_same_names(self):
        program = "import headrace as tf, headrace.compat.v1 as v1; print(set(dir(tf)) - set(dir(v1)), v1.Session is tf.Session)"
        done = run_python("-c", program)
        self.assertEqual(done.stdout.strip(), "set() True", done.stderr)


if __name__ == "__main__":
    unittest.main()
