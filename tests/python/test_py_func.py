"""Python functions in the graph: tf.py_func, tf.numpy_function, Dataset.from_generator."""

import gc
import itertools
import os
import subprocess
import sys
import textwrap
import threading
import unittest
import weakref

import numpy as np

import headrace as tf
from dataset_testing import Drained

from_generator = tf.data.Dataset.from_generator


def run_program(text):
    """Runs a program of its own: how it ends is what is looked at."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


class PyFuncTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        self.session = tf.Session()
        self.addCleanup(self.session.close)

    def error_of(self, function, Tout=tf.int64):  # noqa: N803
        with self.assertRaises(tf.errors.OpError) as caught:
            self.session.run(tf.py_func(function, [], Tout))
        return caught.exception

    def test_a_function_gets_arrays_and_scalars(self):
        seen = []

        def function(*arguments):
            seen.extend(arguments)
            return np.float32(arguments[0] * 2), np.array(["x", "y"])

        results = tf.py_func(function, [1, [1.5, 2.5], "a", ["b", "c"], True], [tf.float32, tf.string])
        number, texts = self.session.run(results)
        self.assertEqual((number, texts.tolist()), (2.0, [b"x", b"y"]))
        self.assertEqual([type(x) for x in seen], [np.int32, np.ndarray, bytes, np.ndarray, np.bool_])
        self.assertEqual((seen[1].tolist(), seen[2], seen[3].tolist()), ([1.5, 2.5], b"a", [b"b", b"c"]))

    def test_the_results_have_the_form_of_tout(self):
        self.assertIsInstance(tf.py_func(lambda: 1, [], tf.int64), tf.Tensor)
        self.assertEqual(self.session.run(tf.py_func(lambda: 1, [], [tf.int64])), [1])
        operation = tf.py_func(lambda: None, [], [])
        self.assertIsInstance(operation, tf.Operation)
        self.assertIsNone(self.session.run(operation))
        self.assertEqual(self.session.run(tf.numpy_function(lambda x: x + 1, [np.int64(1)], tf.int64)), 2)
        self.assertEqual(tf.py_func(lambda: 1, [], tf.int64, stateful=False).op.type, "PyFuncStateless")

    def test_other_results_than_tout_says_are_errors(self):
        self.assertRegex(str(self.error_of(lambda: 1.5)), r"0-th value returned by pyfunc_\w+ is double, but expects int64")
        self.assertRegex(str(self.error_of(lambda: "a")), r"is string, but expects int64")
        self.assertRegex(str(self.error_of(lambda: (1, 2))), r"pyfunc_\w+ returns 2 values, but expects to see 1 values.")
        self.assertRegex(str(self.error_of(lambda: None)), r"returns 0 values, but expects to see 1 values.")

    def test_exceptions_are_errors_of_the_step_with_their_traceback(self):
        expected = {ValueError: tf.errors.InvalidArgumentError, TypeError: tf.errors.InvalidArgumentError,
                    StopIteration: tf.errors.OutOfRangeError, NotImplementedError: tf.errors.UnimplementedError,
                    MemoryError: tf.errors.ResourceExhaustedError, RuntimeError: tf.errors.UnknownError,
                    SystemExit: tf.errors.UnknownError}
        for raised, error in expected.items():
            def fail(raised=raised):
                raise raised("for a reason")

            caught = self.error_of(fail)
            self.assertIs(type(caught), error)
            self.assertRegex(str(caught), rf"^{raised.__name__}: for a reason\nTraceback \(most recent call last\):\n.*"
                                          r"test_py_func.py.*\n.*raise raised")

    def test_a_function_may_run_steps_of_the_same_session(self):
        inner = tf.py_func(lambda: 5, [], tf.int64)
        outer = tf.py_func(lambda: self.session.run(inner) + 1, [], tf.int64)
        self.assertEqual(self.session.run(outer), 6)

    def test_functions_of_one_step_may_wait_for_each_other(self):
        meeting = threading.Barrier(12)
        calls = [tf.py_func(lambda: meeting.wait(30), [], tf.int64) for _ in range(12)]
        self.assertEqual(sorted(self.session.run(calls)), list(range(12)))

    def test_a_step_that_times_out_does_not_wait_for_the_function(self):
        done = threading.Event()
        blocked = tf.py_func(lambda: done.wait(30), [], tf.bool)
        with self.assertRaises(tf.errors.DeadlineExceededError):
            self.session.run(blocked, options=tf.RunOptions(timeout_in_ms=50))
        done.set()
        self.assertTrue(self.session.run(blocked))

    def test_functions_work_inside_of_graph_functions(self):
        loop = tf.while_loop(lambda i: i < 3, lambda i: tf.py_func(lambda k: k + np.int64(1), [i], tf.int64), [np.int64(0)],
                             shape_invariants=[tf.TensorShape(None)])
        self.assertEqual(self.session.run(loop), 3)
        mapped = tf.data.Dataset.range(3).map(lambda x: tf.py_func(lambda k: k * 10, [x], tf.int64), 2)
        element = mapped.make_one_shot_iterator().get_next()
        self.assertEqual([self.session.run(element) for _ in range(3)], [0, 10, 20])

    def test_a_function_lives_as_long_as_its_graph(self):
        class Function:
            def __call__(self):
                return self.graph is not None

        graph, function = tf.Graph(), Function()
        function.graph = graph  # refers back
        with graph.as_default():
            call = tf.py_func(function, [], tf.bool)
        watched = weakref.ref(function)
        del function
        with tf.Session(graph=graph) as session:
            self.assertTrue(session.run(call))
        del graph, call, session
        gc.collect()
        self.assertIsNone(watched())

    def test_a_server_of_this_process_calls_them(self):
        call = tf.py_func(lambda x: x + 1, [41], tf.int32)
        server = tf.train.Server.create_local_server()
        with tf.Session(server.target) as session:
            self.assertEqual(session.run(call), 42)

    def test_a_server_of_another_process_says_where_the_function_is(self):
        program = "import headrace as tf, sys; s = tf.train.Server.create_local_server(); print(s.target, flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as server:
            target = server.stdout.readline().strip()
            call = tf.py_func(lambda x: x + 1, [41], tf.int32)
            with tf.Session(target) as session:
                with self.assertRaisesRegex(tf.errors.InvalidArgumentError,
                                            r"callback pyfunc_\w+ is not found.*lives in another process"):
                    session.run(call)
            server.stdin.close()

    def test_a_program_may_end_while_functions_run(self):
        done = run_program("""
            import headrace as tf, queue, threading
            waiting, started = queue.Queue(), threading.Event()
            def numbers():
                yield 1
                waiting.get()
            element = tf.data.Dataset.from_generator(numbers, tf.int64).prefetch(2).make_one_shot_iterator().get_next()
            def busy():
                started.set()
                while True:
                    pass
            call = tf.py_func(busy, [], [])
            session = tf.Session()
            assert session.run(element) == 1
            threading.Thread(target=session.run, args=[call], daemon=True).start()
            started.wait()
            print("end")
            """)
        self.assertEqual((done.returncode, done.stdout), (0, "end\n"), done.stderr)


class FromGeneratorTest(Drained):

    def error_of(self, elements, output_types, output_shapes=None):
        with self.assertRaises(tf.errors.OpError) as caught:
            self.drained(from_generator(lambda: iter(elements), output_types, output_shapes))
        return caught.exception

    def test_what_is_yielded_are_the_elements(self):
        self.assertEqual(self.drained(from_generator(lambda: range(3), tf.int64)), [0, 1, 2])

    def test_elements_have_the_structure_of_the_types(self):
        dataset = from_generator(lambda: iter([({"b": 1, "a": "x"}, [1, 2])]), ({"a": tf.string, "b": tf.int32}, tf.float32),
                                 ({"a": [], "b": []}, [None]))
        self.assertEqual(str(dataset.output_shapes[1]), "(?,)")
        (named, row), = self.drained(dataset)
        self.assertEqual((named, row.tolist(), row.dtype), ({"a": b"x", "b": 1}, [1.0, 2.0], np.float32))

    def test_each_run_calls_the_generator_anew(self):
        calls = []

        def numbers():
            calls.append(None)
            yield from range(2)

        self.assertEqual(self.drained(from_generator(numbers, tf.int64).repeat(3)), [0, 1] * 3)
        self.assertEqual(len(calls), 3)

    def test_arguments_are_tensors_evaluated_when_a_run_begins(self):
        dataset = from_generator(lambda first, last: range(first, last), tf.int64, [], args=(tf.constant(3), 5))
        self.assertEqual(self.drained(dataset), [3, 4])

    def test_runs_go_on_independently(self):
        dataset = tf.data.Dataset.range(3).interleave(lambda i: from_generator(lambda k: [k, k * 10], tf.int64, [], args=(i,)),
                                                      cycle_length=3)
        self.assertEqual(self.drained(dataset), [0, 1, 2, 0, 10, 20])

    def test_what_does_not_fit_the_types_is_an_error(self):
        self.assertRegex(str(self.error_of([(1, 2, 3)], (tf.int64, tf.int64))),
                         r"TypeError: `generator` yielded an element that did not match the expected structure. The expected "
                         r"structure was \(tf.int64, tf.int64\), but the yielded element was \(1, 2, 3\).")
        self.assertRegex(str(self.error_of(["a"], tf.int64)),
                         "TypeError: `generator` yielded an element that could not be converted to the expected type. The "
                         "expected type was int64, but the yielded element was a.")
        self.assertRegex(str(self.error_of([np.float32(1.5)], tf.int64)),
                         "`generator` yielded an element of type float32 where an element of type int64 was expected.")
        error = self.error_of([[1, 2]], tf.int64, [3])
        self.assertIsInstance(error, tf.errors.InvalidArgumentError)
        self.assertRegex(str(error), r"yielded an element of shape \(2,\) where an element of shape \(3,\) was expected.")
        with self.assertRaisesRegex(TypeError, "`generator` must be a Python callable."):
            from_generator([1], tf.int64)

    def test_an_exception_ends_the_step_and_then_the_run(self):
        def numbers():
            yield 1
            raise RuntimeError("broken")

        element = from_generator(numbers, tf.int64).make_one_shot_iterator().get_next()
        with tf.Session() as session:
            self.assertEqual(session.run(element), 1)
            with self.assertRaisesRegex(tf.errors.UnknownError, "RuntimeError: broken"):
                session.run(element)
            with self.assertRaises(tf.errors.OutOfRangeError):
                session.run(element)

    def test_a_dropped_run_lets_go_of_its_iterator(self):
        closed = threading.Event()

        def numbers():
            try:
                yield from itertools.count()
            finally:
                closed.set()

        iterator = from_generator(numbers, tf.int64).prefetch(2).make_initializable_iterator()
        element = iterator.get_next()
        with tf.Session() as session:
            session.run(iterator.initializer)
            self.assertEqual(session.run(element), 0)
            session.run(iterator.initializer)
            self.assertTrue(closed.wait(30))
            self.assertEqual(session.run(element), 0)

    def test_a_new_run_begins_while_the_one_before_waits_for_its_generator(self):
        waiting, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def numbers():
            yield 1
            waiting.set()
            go_on.wait(30)

        iterator = from_generator(numbers, tf.int64).prefetch(2).make_initializable_iterator()
        element = iterator.get_next()
        with tf.Session() as session:
            for _ in range(2):
                session.run(iterator.initializer, options=tf.RunOptions(timeout_in_ms=20000))
                self.assertEqual(session.run(element), 1)
                self.assertTrue(waiting.wait(30))
                waiting.clear()

    def test_a_new_run_begins_while_the_one_before_waits_for_a_queue(self):
        queue, begun = tf.FIFOQueue(10, [tf.int64], shapes=[[]]), threading.Event()

        def note(number):
            if number == 1:
                begun.set()
            return number

        def add_dequeued(x):
            with tf.control_dependencies([tf.py_func(note, [x], tf.int64)]):
                return x + queue.dequeue()

        iterator = tf.data.Dataset.range(100).map(add_dequeued).prefetch(2).make_initializable_iterator()
        element, enqueue = iterator.get_next(), queue.enqueue(tf.constant(5, tf.int64))
        with tf.Session() as session:
            for _ in range(20):
                session.run(iterator.initializer)
                session.run(enqueue)
                self.assertEqual(session.run(element), 5)
                self.assertTrue(begun.wait(30))
                begun.clear()

    def test_sessions_end_while_generators_run_ahead(self):
        for _ in range(5):
            with tf.Graph().as_default():
                dataset = from_generator(itertools.count, tf.int64).map(
                    lambda x: tf.py_func(lambda k: k + 1, [x], tf.int64), 4).prefetch(4)
                element = dataset.make_one_shot_iterator().get_next()
                session = tf.Session()
                self.assertEqual(session.run(element), 1)
                del session, element
                gc.collect()

    def test_many_iterators_at_once_do_not_use_up_the_threads(self):
        elements = [from_generator(lambda: range(5), tf.int64).map(lambda x: tf.py_func(lambda k: k, [x], tf.int64))
                    .make_one_shot_iterator().get_next() for _ in range(24)]
        with tf.Session() as session:
            for i in range(5):
                self.assertEqual(session.run(elements), [i] * 24)


if __name__ == "__main__":
    unittest.main()
