"""What steps print: tf.Print, tf.print, tf.strings.format. The texts are TensorFlow's."""

import contextlib
import os
import sys
import tempfile
import unittest

import numpy as np

import headrace as tf


@contextlib.contextmanager
def written_to(descriptor):
    """A function that returns what native code has written to the descriptor since."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(descriptor)
        os.dup2(file.fileno(), descriptor)

        def text():
            file.seek(0)
            return file.read().decode()

        try:
            yield text
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)


class PrintingTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def printed(self, *operations, descriptor=2):
        with tf.Session() as session, written_to(descriptor) as text:
            for operation in operations:
                session.run(operation)
            return text()

    def test_print_passes_its_input_on_and_shows_the_first_values(self):
        x = tf.constant([1.5, 2.0])
        shown = tf.Print(x, [x, tf.constant([[1, 2], [3, 4]]), "a\n"], message="seen: ")
        with tf.Session() as session, written_to(2) as text:
            self.assertEqual(session.run(shown).tolist(), [1.5, 2.0])
            self.assertEqual(text(), "seen: [1.5 2][[1 2][3...]...][a\\n]\n")

    def test_print_may_show_more_values_and_only_the_first_times(self):
        shown = tf.Print(0, [tf.range(5)], first_n=2, summarize=-1)
        self.assertEqual(self.printed(shown, shown, shown), "[0 1 2 3 4]\n" * 2)

    def test_gradients_pass_through_print(self):
        x = tf.constant(2.0)
        y = tf.square(tf.Print(x, [x]))
        with tf.Session() as session, written_to(2):
            self.assertEqual(session.run(tf.gradients(y, x)), [4.0])

    def test_print_of_structures_puts_tensors_in_their_places(self):
        operation = tf.print("hello", tf.constant([1, 2]), {"b": tf.constant(1), "a": [tf.constant(2.5), "x"]}, 3, (1, 2),
                             None, end="|\n")
        self.assertEqual(self.printed(operation), "hello [1 2] {'a': [2.5, 'x'], 'b': 1} 3 (1, 2) None|\n")

    def test_strings_are_quoted_unless_one_is_all_there_is(self):
        self.assertEqual(self.printed(tf.print(tf.constant("s"), tf.constant(["a", "b"]), sep=", ")), '"s", ["a" "b"]\n')
        self.assertEqual(self.printed(tf.print(tf.constant("s"))), "s\n")

    def test_braces_in_a_text_are_no_places(self):
        self.assertEqual(self.printed(tf.print("{} is", tf.constant(1))), "{} is 1\n")

    def test_of_a_large_tensor_the_edges_are_shown(self):
        table = tf.constant(np.arange(16).reshape(4, 4))
        self.assertEqual(self.printed(tf.print(table, summarize=1)), "[[0 ... 3]\n ...\n [12 ... 15]]\n")

    def test_sparse_tensors_and_variables_are_shown_by_their_values(self):
        sparse = tf.SparseTensor([[0, 1]], [1.0], [2, 2])
        self.assertEqual(self.printed(tf.print(sparse)), "'SparseTensor(indices=[[0 1]], values=[1], shape=[2 2])'\n")
        variable = tf.get_variable("v", initializer=[1.0, 2.0])
        with tf.Session() as session, written_to(2) as text:
            session.run(variable.initializer)
            session.run(tf.print([variable]))
            self.assertEqual(text(), "[[1 2]]\n")

    def test_the_stream_may_be_chosen(self):
        self.assertEqual(self.printed(tf.print("out", output_stream=sys.stdout), descriptor=1), "out\n")
        self.assertRegex(self.printed(tf.print("grave", output_stream=tf.logging.error)), r" E print: grave\n")
        with self.assertRaisesRegex(ValueError, "Unsupported output stream, logging level, or file.nowhere"):
            tf.print("x", output_stream="nowhere")
        with self.assertRaisesRegex(ValueError, "Unrecognized keyword arguments for tf.print"):
            tf.print("x", stream=1)

    def test_lines_are_added_to_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "out.txt")
            operation = tf.print("line", output_stream=f"file://{path}")
            self.printed(operation, operation)
            with open(path) as file:
                self.assertEqual(file.read(), "line\nline\n")
            with self.assertRaisesRegex(tf.errors.NotFoundError, "absent"):
                self.printed(tf.print("line", output_stream=f"file://{directory}/absent/out.txt"))

    def test_format_makes_a_string_tensor(self):
        with tf.Session() as session:
            self.assertEqual(session.run(tf.strings.format("a {} b {}", (tf.constant([1, 2]), 3))), b"a [1 2] b 3")
        with self.assertRaisesRegex(ValueError, "placeholder"):
            tf.strings.format("{} {}", tf.constant(1))


if __name__ == "__main__":
    unittest.main()
