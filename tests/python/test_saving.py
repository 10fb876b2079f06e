"""Checkpoints, SavedModels and graphs as files: what is kept, what is restored where, what is refused."""

import os
import tempfile
import unittest

import headrace as tf
import numpy as np


class SavingTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, name):
        return os.path.join(self.directory, name)

    def saved(self, value, name="weights"):
        """A checkpoint with one variable."""
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.Variable(value, name=name)
            session.run(v.initializer)
            return tf.train.Saver().save(session, self.path("model"))


class SaverTest(SavingTest):

    def test_a_variable_of_another_shape_is_refused_by_name(self):
        checkpoint = self.saved([1.0, 2.0])
        for use_resource in (True, False):
            for initialized in (True, False):
                with tf.Graph().as_default(), tf.Session() as session:
                    v = tf.Variable([1.0, 2.0, 3.0], name="weights", use_resource=use_resource)
                    saver = tf.train.Saver()
                    if initialized:
                        session.run(v.initializer)
                    with self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"shape.*\[3\].*\[2\]"):
                        saver.restore(session, checkpoint)
        with tf.Session() as session:
            tf.Variable([1.0, 2.0, 3.0], name="weights")
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "weights"):
                tf.train.Saver().restore(session, checkpoint)

    def test_another_shape_of_as_many_elements_may_be_asked_for(self):
        checkpoint = self.saved(np.float32([[1, 2, 3], [4, 5, 6]]))
        v = tf.Variable(np.zeros([3, 2], np.float32), name="weights")
        with tf.Session() as session:
            tf.train.Saver(reshape=True).restore(session, checkpoint)
            self.assertEqual(session.run(v).tolist(), [[1, 2], [3, 4], [5, 6]])

    def test_without_a_limit_no_checkpoint_is_noted_for_deletion(self):
        v = tf.Variable(0.0)
        saver = tf.train.Saver(max_to_keep=0)
        with tf.Session() as session:
            session.run(v.initializer)
            for step in range(7):
                saver.save(session, self.path("model"), global_step=step)
        self.assertEqual(saver.last_checkpoints, [])
        self.assertEqual(tf.train.latest_checkpoint(self.directory), self.path("model-6"))
        self.assertTrue(tf.train.checkpoint_exists(self.path("model-0")))

    def test_a_state_file_of_another_name_leaves_the_usual_one_alone(self):
        tf.get_variable("v", [2])
        every, best = tf.train.Saver(max_to_keep=2), tf.train.Saver(max_to_keep=1)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            every.save(session, self.path("model"), global_step=1)
            for step in (1, 2):
                best.save(session, self.path("best"), global_step=step, latest_filename="best_checkpoint")
            self.assertEqual(tf.train.latest_checkpoint(self.directory), self.path("model-1"))
            self.assertEqual(tf.train.latest_checkpoint(self.directory, "best_checkpoint"), self.path("best-2"))
            state = tf.train.get_checkpoint_state(self.directory, latest_filename="best_checkpoint")
            self.assertEqual(list(state.all_model_checkpoint_paths), [self.path("best-2")])
            self.assertFalse(tf.train.checkpoint_exists(self.path("best-1")))

    def test_a_saver_that_is_not_built_says_so(self):
        tf.Variable(0.0)
        saver = tf.train.Saver(defer_build=True)
        self.assertIsNone(saver.saver_def)
        with tf.Session() as session, self.assertRaisesRegex(RuntimeError, "build"):
            saver.save(session, self.path("model"))
        saver.build()
        self.assertEqual(saver.saver_def.restore_op_name, "save/restore_all")

    def test_initial_values_come_out_of_a_checkpoint(self):
        checkpoint = self.saved([5.0, 6.0], "old/v")
        with tf.variable_scope("new"):
            v = tf.get_variable("v", [2])
        tf.train.init_from_checkpoint(checkpoint, {"old/": "new/"})
        w = tf.get_variable("w", [2])
        tf.train.init_from_checkpoint(checkpoint, {"old/v": w})
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            self.assertEqual([session.run(v).tolist(), session.run(w).tolist()], [[5, 6], [5, 6]])
        with self.assertRaisesRegex(ValueError, "absent"):
            tf.train.init_from_checkpoint(checkpoint, {"absent": w})
        with self.assertRaisesRegex(ValueError, "Shape of variable x:0"):
            tf.train.init_from_checkpoint(checkpoint, {"old/v": tf.get_variable("x", [3])})


class GraphFilesTest(SavingTest):

    def model(self):
        x = tf.placeholder(tf.float32, [None, 1], name="x")
        w = tf.get_variable("w", initializer=[[2.0]])
        return x, tf.add(tf.matmul(x, w), tf.nn.embedding_lookup(w, [0]), name="y")

    def test_a_saved_model_answers_by_its_signature(self):
        x, y = self.model()
        tf.Variable(1.0, name="local", collections=[tf.GraphKeys.LOCAL_VARIABLES])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            tf.saved_model.simple_save(session, self.path("saved"), {"in": x}, {"out": y})
        with tf.Graph().as_default() as graph, tf.Session() as session:
            meta = tf.saved_model.loader.load(session, [tf.saved_model.tag_constants.SERVING], self.path("saved"))
            signature = meta.signature_def["serving_default"]
            self.assertEqual(signature.method_name, "tensorflow/serving/predict")
            self.assertEqual(session.run(signature.outputs["out"].name, {signature.inputs["in"].name: [[3.0]]}), 8.0)
            self.assertEqual(session.run(graph.get_collection("local_variables")[0]), 1.0)
        with tf.Session() as session, self.assertRaisesRegex(RuntimeError, "tags"):
            tf.saved_model.loader.load(session, ["other"], self.path("saved"))
        with tf.Session() as session, self.assertRaises(OSError):
            tf.saved_model.loader.load(session, ["serve"], self.path("nothing"))
        with self.assertRaisesRegex(AssertionError, "isn't empty"):
            tf.saved_model.Builder(self.path("saved"))

    def test_a_frozen_graph_needs_no_variables(self):
        x, y = self.model()
        tf.Variable(1.0, name="unused")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            frozen = tf.graph_util.convert_variables_to_constants(session, session.graph_def, ["y"])
        self.assertNotIn("unused", [node.name for node in frozen.node])
        with tf.Graph().as_default(), tf.Session() as session:
            x, y = tf.import_graph_def(frozen, return_elements=["x:0", "y:0"])
            self.assertEqual(session.run(y, {x: [[3.0]]}), 8.0)
        with self.assertRaisesRegex(AssertionError, "nothing is not in graph"):
            tf.graph_util.extract_sub_graph(frozen, ["nothing"])

    def test_nodes_that_meet_others_get_names_of_their_own(self):
        with tf.Graph().as_default() as other:
            tf.identity(tf.constant(1.0, name="a"), name="b")
        tf.constant(5.0, name="a")
        result, = tf.import_graph_def(other.as_graph_def(), name="", return_elements=["b:0"])
        with tf.Session() as session:
            self.assertEqual((session.run(result), session.run("a:0"), session.run("a_1:0")), (1.0, 5.0, 1.0))

    def test_an_imported_graph_takes_and_gives_what_it_has(self):
        with tf.Graph().as_default() as other:
            b = tf.add(tf.placeholder(tf.float32, [], name="a"), 1.0, name="b")
            tf.multiply(b, b, name="c")
        definition = other.as_graph_def()
        three = tf.constant(3.0)
        c, mapped = tf.import_graph_def(definition, input_map={"b:0": three}, return_elements=["c:0", "b:0"])
        self.assertIs(mapped, three)
        with tf.Session() as session:
            self.assertEqual(session.run(c), 9.0)
        for wrong in (dict(input_map={"absent:0": three}), dict(input_map={"b:1": three}), dict(return_elements=["absent:0"]),
                      dict(return_elements=["absent"]), dict(return_elements=["c:3"])):
            with self.assertRaises(ValueError, msg=wrong):
                tf.import_graph_def(definition, **wrong)
        for wrong in (dict(return_elements=[3]), dict(input_map=[three]), dict(graph_def="text")):
            with self.assertRaises(TypeError, msg=wrong):
                tf.import_graph_def(**{"graph_def": definition, **wrong})

    def test_texts_in_collections_are_read_again_as_bytes(self):
        tf.add_to_collection("texts", "hello")
        meta = tf.train.export_meta_graph()
        with tf.Graph().as_default():
            tf.train.import_meta_graph(meta)
            self.assertEqual(tf.get_collection("texts"), [b"hello"])

    def test_arrays_are_messages_and_back(self):
        for value in (np.float32([[1, 2]]), np.int64(7), np.array([b"a", b"bc"], object)):
            np.testing.assert_array_equal(tf.make_ndarray(tf.make_tensor_proto(value)), value)


if __name__ == "__main__":
    unittest.main()
