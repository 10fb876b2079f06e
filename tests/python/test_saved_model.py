"""SavedModels: the files that go with them, their signatures, and what is refused when one is written or read."""

import os
import unittest

import headrace as tf

from test_saving import SavingTest


class SavedModelTest(SavingTest):

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def table(self, path, name):
        file = tf.constant(path, name=name)
        lines = tf.lookup.TextFileInitializer(file, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                                              tf.lookup.TextFileIndex.LINE_NUMBER)
        return tf.lookup.StaticHashTable(lines, -1)

    def export_with_assets(self, directory, as_text=False):
        """A model with two vocabularies whose files have the same last name."""
        tables = [self.table(self.write(f"{name}/words.txt", text), name) for name, text in (("a", "x\ny\n"), ("b", "z\nx\n"))]
        keys = tf.placeholder(tf.string, [None], name="keys")
        tf.stack([table.lookup(keys) for table in tables], name="places")
        weight = tf.get_variable("weight", initializer=3.0)
        with tf.Session() as session:
            session.run([weight.initializer, tf.tables_initializer()])
            builder = tf.saved_model.Builder(directory)
            builder.add_meta_graph_and_variables(
                session, ["serve"], assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
                legacy_init_op=tf.tables_initializer())
            builder.save(as_text)
        for name in "ab":
            os.remove(self.path(f"{name}/words.txt"))

    def test_files_that_a_model_reads_go_with_it(self):
        for as_text in (False, True):
            directory = self.path(f"model{as_text}")
            with tf.Graph().as_default():
                self.export_with_assets(directory, as_text)
            self.assertEqual(sorted(os.listdir(os.path.join(directory, "assets"))), ["words.txt", "words.txt_1"])
            for scope in (None, "inner"):
                prefix = f"{scope}/" if scope else ""
                with tf.Graph().as_default(), tf.Session() as session:
                    tf.saved_model.load(session, ["serve"], directory, import_scope=scope)
                    self.assertEqual(session.run(f"{prefix}places:0", {f"{prefix}keys:0": ["x", "z"]}).tolist(), [[0, -1], [1, 0]])
                    self.assertEqual(session.run(tf.global_variables()), [3.0])

    def test_a_text_file_names_messages_by_tensorflows_package(self):
        self.export_with_assets(self.path("model"), as_text=True)
        path = self.path("model/saved_model.pbtxt")
        with open(path) as file:
            text = file.read()
        start = text.index("any_list")
        end = text.index("\n    }\n", start)
        asset = '[type.googleapis.com/tensorflow.AssetFileDef] { tensor_info { name: "%s:0" } filename: "%s" }'
        values = "".join("value { %s }\n" % (asset % pair) for pair in (("a", "words.txt"), ("b", "words.txt_1")))
        with open(path, "w") as file:
            file.write(text[:start] + "any_list {\n" + values + "}" + text[end:])
        with tf.Graph().as_default(), tf.Session() as session:
            tf.saved_model.load(session, ["serve"], self.path("model"))
            self.assertEqual(session.run("places:0", {"keys:0": ["y"]}).tolist(), [[1], [-1]])

    def test_only_constant_paths_are_assets(self):
        with tf.Session() as session:
            for number, (asset, kind) in enumerate([(tf.placeholder(tf.string), TypeError), (tf.constant(3), TypeError),
                                                    ("text", TypeError), (tf.constant(""), ValueError)]):
                builder = tf.saved_model.Builder(self.path(f"model{number}"))
                with self.assertRaisesRegex(kind, "Asset path tensor"):
                    builder.add_meta_graph_and_variables(session, ["serve"], assets_collection=[asset])

    def test_loading_hands_its_options_on(self):
        builder = tf.saved_model.Builder(self.path("model"))
        with tf.Session() as session:
            session.run(tf.get_variable("v", initializer=2.0).initializer)
            builder.add_meta_graph_and_variables(session, ["here"])
        with tf.Graph().as_default(), tf.device("/job:nowhere/task:7"):
            tf.add(tf.get_variable("v", initializer=2.0), 1.0, name="more")
            builder.add_meta_graph(["there"])
        builder.save()
        with tf.Graph().as_default(), tf.Session() as session:
            tf.saved_model.load(session, ["there"], self.path("model"), clear_devices=True)
            self.assertEqual(session.run("more:0"), 3.0)

    def test_damaged_and_incomplete_models_are_refused(self):
        with tf.Session() as session:
            for name, text in (("saved_model.pb", "\xff\xff"), ("saved_model.pbtxt", "no such field")):
                path = self.write(f"damaged/{name}", text)
                with self.assertRaisesRegex(OSError, "Cannot parse file"):
                    tf.saved_model.load(session, ["serve"], self.path("damaged"))
                os.remove(path)
            v = tf.get_variable("v", initializer=2.0)
            session.run(v.initializer)
            tf.saved_model.simple_save(session, self.path("model"), {"in": v}, {"out": v})
        os.remove(self.path("model/variables/variables.index"))
        with tf.Graph().as_default(), tf.Session() as session, self.assertRaisesRegex(ValueError, "checkpoint"):
            tf.saved_model.load(session, ["serve"], self.path("model"))

    def test_a_model_without_variables_has_no_saver(self):
        x = tf.placeholder(tf.float32, [], name="x")
        with tf.Session() as session:
            tf.saved_model.simple_save(session, self.path("model"), {"x": x}, {"y": tf.multiply(x, 2.0, name="y")})
        with tf.Graph().as_default(), tf.Session() as session:
            tf.get_variable("other", initializer=1.0)
            meta = tf.saved_model.load(session, ["serve"], self.path("model"), import_scope="inner")
            self.assertFalse(meta.HasField("saver_def"))
            self.assertEqual(session.run("inner/y:0", {"inner/x:0": 3.0}), 6.0)

    def test_a_loaded_model_can_be_saved_again_but_has_one_main_operation(self):
        v = tf.get_variable("v", initializer=2.0)
        with tf.Session() as session:
            session.run(v.initializer)
            tf.saved_model.simple_save(session, self.path("first"), {"v": v}, {"v": v})
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.saved_model.load(session, ["serve"], self.path("first"))
            builder = tf.saved_model.Builder(self.path("refused"))
            with self.assertRaisesRegex(ValueError, "already contains one or more main ops"):
                builder.add_meta_graph_and_variables(session, ["serve"], main_op=tf.no_op())
            v, = graph.get_collection("variables")
            tf.saved_model.simple_save(session, self.path("second"), {"v": v}, {"v": v})
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.saved_model.load(session, ["serve"], self.path("second"))
            self.assertEqual(session.run(graph.get_collection("variables")), [2.0])

    def test_a_main_operation_is_an_operation(self):
        with tf.Session() as session, self.assertRaisesRegex(TypeError, "to be an Operation"):
            tf.saved_model.Builder(self.path("model")).add_meta_graph_and_variables(session, ["serve"], main_op=3)


class SignatureTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_a_sparse_tensor_is_described_by_its_parts(self):
        sparse = tf.sparse_placeholder(tf.float32, [None, 4], name="sparse")
        info = tf.saved_model.build_tensor_info(sparse)
        self.assertEqual((info.name, info.coo_sparse.values_tensor_name, info.coo_sparse.dense_shape_tensor_name),
                         ("", "sparse/values:0", "sparse/shape:0"))
        self.assertEqual([dim.size for dim in info.tensor_shape.dim], [-1, 4])
        again = tf.saved_model.get_tensor_from_tensor_info(info)
        self.assertIs(again.indices, sparse.indices)

    def test_methods_ask_for_their_inputs_and_outputs(self):
        model = tf.saved_model
        text, number = tf.placeholder(tf.string), tf.placeholder(tf.float32)
        for signature in (model.classification_signature_def(text, text, number),
                          model.classification_signature_def(text, None, number),
                          model.regression_signature_def(text, number),
                          model.predict_signature_def({"a": number}, {"b": text})):
            self.assertTrue(model.is_valid_signature(signature))
            signature.outputs["other"].dtype = 3
            self.assertEqual(model.is_valid_signature(signature), signature.method_name == model.PREDICT_METHOD_NAME)
        for wrong in (lambda: model.classification_signature_def(text, None, None),
                      lambda: model.classification_signature_def(number, text, None),
                      lambda: model.classification_signature_def(text, number, None),
                      lambda: model.regression_signature_def(text, None),
                      lambda: model.regression_signature_def(text, text)):
            with self.assertRaisesRegex(ValueError, "Classification|Regression"):
                wrong()
        self.assertFalse(model.is_valid_signature(model.build_signature_def(method_name="other")))

    def test_a_tensor_without_name_or_dtype_is_no_part_of_a_signature(self):
        import tempfile
        info = tf.saved_model.build_tensor_info(tf.placeholder(tf.float32))
        info.ClearField("name")
        signature = tf.saved_model.build_signature_def({"a": info}, {}, "some")
        with tempfile.TemporaryDirectory() as directory, tf.Session() as session:
            with self.assertRaisesRegex(AssertionError, "must have the name and dtype"):
                tf.saved_model.Builder(directory).add_meta_graph_and_variables(session, ["serve"], {"key": signature})


if __name__ == "__main__":
    unittest.main()
