"""The transformations of tf.data one by one: the same elements in the same order in TensorFlow's session and on a Headrace server."""
import gzip
import os
import pathlib
import tempfile
import unittest
import zlib

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_dataset_ops, gen_experimental_dataset_ops

import pipelines

data = tf.data.Dataset
experimental = tf.data.experimental


def uneven(i):
    """A dataset of i elements, or of five."""
    return data.from_tensors(i).repeat(tf.where(tf.equal(i % 3, 1), tf.constant(5, tf.int64), i))


SPEC = {"output_types": [tf.int64], "output_shapes": [[]]}


def shuffled_v2(handle, _):
    numbers = data.range(10)
    return pipelines.wrap(gen_dataset_ops.shuffle_dataset_v2(numbers._variant_tensor, tf.constant(6, tf.int64), handle, **SPEC),
                          numbers.element_spec).repeat(3)


def shuffled_v3(handle, reshuffle):
    numbers = data.range(10)
    buffer_size, seed, seed2 = (tf.constant(value, tf.int64) for value in (6, 11, 12))
    return pipelines.wrap(gen_dataset_ops.shuffle_dataset_v3(numbers._variant_tensor, buffer_size, seed, seed2, handle,
                                                             reshuffle_each_iteration=reshuffle, **SPEC), numbers.element_spec).repeat(3)


def shuffled_and_repeated_v2(handle, reshuffle):
    numbers = data.range(10)
    buffer_size, seed, seed2, count = (tf.constant(value, tf.int64) for value in (6, 11, 12, 3))
    return pipelines.wrap(gen_dataset_ops.shuffle_and_repeat_dataset_v2(
        numbers._variant_tensor, buffer_size, seed, seed2, count, handle, reshuffle_each_iteration=reshuffle, **SPEC), numbers.element_spec)


class Transformations(pipelines.PipelineTest):
    def test_padded_batch(self):
        rows = lambda: data.range(1, 8).map(lambda i: (tf.fill([i], i), tf.fill([2, i % 3], "x"), i))
        self.compare(lambda: rows().padded_batch(3, ([None], [None, None], [])))
        self.compare(lambda: rows().padded_batch(3, ([9], [3, 4], []), padding_values=(tf.constant(-1, tf.int64), "pad", tf.constant(0, tf.int64)),
                                                 drop_remainder=True))
        self.compare(lambda: data.range(5).map(lambda i: tf.fill([i % 2, 3], tf.cast(i, tf.float32))).padded_batch(2, [None, None]))

    def test_padded_batch_errors(self):
        self.compare_errors(lambda: data.range(4).map(lambda i: tf.fill([i], i)).padded_batch(2, [2]),
                            "Attempted to pad to a smaller size than the input element.")
        ranks = lambda i: tf.fill(tf.fill([1 + i // 2], 2), i)
        self.compare_errors(lambda: data.range(4).map(ranks).padded_batch(3, [3]), "expected rank 1 but got element with rank 2")

    def test_interleave_in_parallel(self):
        for cycle_length, block_length in ((1, 1), (2, 2), (3, 1), (4, 3), (20, 2)):
            self.compare(lambda: data.range(9).interleave(uneven, cycle_length, block_length, num_parallel_calls=min(3, cycle_length)), kinds=[False])
            self.compare(lambda: data.range(9).interleave(uneven, cycle_length, block_length, num_parallel_calls=tf.data.AUTOTUNE))
            self.compare(lambda: data.range(9).apply(experimental.parallel_interleave(
                uneven, cycle_length, block_length, buffer_output_elements=1, prefetch_input_elements=2)), kinds=[False])
            self.compare(lambda: data.range(9).apply(experimental.parallel_interleave(uneven, cycle_length, block_length)), kinds=[False])
        self.compare_errors(lambda: data.range(9).interleave(uneven, 2, num_parallel_calls=3), "less than or equal to `cycle_length`")

    def test_interleave_ops_of_other_versions(self):
        def versions(op, *parameters):
            def make():
                base = data.range(9).interleave(uneven, 3, 2)
                function = base._dataset._map_func.function
                numbers = [tf.constant(value, tf.bool if isinstance(value, bool) else tf.int64) for value in parameters]
                return pipelines.wrap(op(base._dataset._input_dataset._variant_tensor, [], *numbers, f=function, output_types=[tf.int64],
                                         output_shapes=[[]]), base.element_spec)
            return make
        self.compare(versions(gen_dataset_ops.parallel_interleave_dataset_v2, 3, 2, 2), kinds=[True])
        self.compare(versions(gen_dataset_ops.parallel_interleave_dataset_v3, 3, 2, 2), kinds=[True])

    def test_flat_map_over_gzip_files(self):
        with tempfile.TemporaryDirectory() as directory:
            names = [f"{directory}/{i}.gz" for i in range(4)]
            for i, name in enumerate(names):
                with gzip.open(name, "wb") as file:
                    file.write("".join(f"file {i} line {j}\n" for j in range(3 * i)).encode())
            lines = lambda name: tf.data.TextLineDataset(name, compression_type="GZIP")
            self.compare(lambda: data.from_tensor_slices(names).flat_map(lines))
            self.compare(lambda: data.from_tensor_slices(names).interleave(lines, 2, 2, num_parallel_calls=2))
            self.compare(lambda: lines(names))
            self.compare_errors(lambda: tf.data.TextLineDataset(names[2], compression_type="ZLIB"), "header")

    def test_compressed_records(self):
        with tempfile.TemporaryDirectory() as directory:
            for kind in "GZIP", "ZLIB", "":
                names = [f"{directory}/{kind}{i}" for i in range(3)]
                for name in names:
                    with tf.io.TFRecordWriter(name, kind) as writer:
                        for j in range(4):
                            writer.write(f"{name} {j}".encode() * 50)
                self.compare(lambda: tf.data.TFRecordDataset(names, compression_type=kind))
                self.compare(lambda: tf.data.TFRecordDataset(names, kind, num_parallel_reads=2), kinds=[False])

    def test_fixed_length_records(self):
        with tempfile.TemporaryDirectory() as directory:
            name = pathlib.Path(directory) / "records"
            body = b"HH" + bytes(range(60)) + b"F"
            name.write_bytes(body)
            (name.parent / "z").write_bytes(zlib.compress(body))
            self.compare(lambda: tf.data.FixedLengthRecordDataset([str(name)] * 2, 4, 2, 1))
            self.compare(lambda: tf.data.FixedLengthRecordDataset(str(name), 4, 2, 1, buffer_size=3))
            self.compare(lambda: tf.data.FixedLengthRecordDataset(str(name.parent / "z"), 6, 2, 1, compression_type="ZLIB"))
            for path, kind in (name, None), (name.parent / "z", "ZLIB"):
                self.compare_errors(lambda: tf.data.FixedLengthRecordDataset(str(path), 7, 2, 1, compression_type=kind),
                                    "has body length 60 bytes, which is not an exact multiple of the record length (7 bytes).")

    def test_cache(self):
        self.compare(lambda: data.range(5).shuffle(5, seed=2).cache().repeat(3))
        self.compare(lambda: data.range(5).cache().take(3).repeat(2))

    def test_cache_in_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            numbers = iter(range(100))
            rows = lambda: data.range(6).map(lambda i: (tf.fill([i], i), tf.gather(["", "text", "much longer text than that"], i % 3), tf.cast(i, tf.float32) / 3))
            self.compare(lambda: rows().cache(f"{directory}/{next(numbers)}").repeat(2))
            shared = lambda: data.range(6).shuffle(6).cache(f"{directory}/shared")
            first, again = (self.elements(self.cluster.target, shared, False, 10) for _ in range(2))
            self.assertEqual(first, again)
            self.assertFalse([name for name in os.listdir(directory) if ".part" in name])
        self.compare_errors(lambda: data.range(3).cache("/nowhere/at/all"), "/nowhere/at/all")

    def test_shuffle_and_repeat(self):
        for buffer_size, count in ((1, 2), (4, 3), (10, 2), (35, 9), (100, 2), (4, -1)):
            self.compare(lambda: data.range(10).apply(experimental.shuffle_and_repeat(buffer_size, count, seed=5)), limit=80)

    def test_shuffles_without_a_seed_generator(self):
        for reshuffle in True, False:
            for make in shuffled_v3, shuffled_and_repeated_v2:
                self.compare(lambda: make(gen_dataset_ops.dummy_seed_generator(), reshuffle), kinds=[True])

    def test_unbatch(self):
        self.compare(lambda: data.range(10).batch(4).unbatch())
        self.compare(lambda: data.range(1, 5).map(lambda i: (tf.fill([i, 2], i), tf.fill([i], "s"))).unbatch().batch(3))
        two = lambda i: (tf.placeholder_with_default(tf.fill([2], i), None), tf.placeholder_with_default(tf.fill([3], i), None))
        self.compare_errors(lambda: data.range(2).map(two).unbatch(), "Input element must have the same batch size in each component.")
        self.compare_errors(lambda: data.range(2).map(lambda i: tf.placeholder_with_default(i, None)).unbatch(),
                            "Input element must have a non-scalar value in each component.")

    def test_window(self):
        for size, shift, stride, drop in ((3, 2, 2, False), (3, 1, 1, True), (2, 5, 1, False), (2, 4, 3, True), (20, None, 1, False)):
            self.compare(lambda: data.range(9).window(size, shift, stride, drop).flat_map(lambda part: part.batch(20)))
        self.compare(lambda: data.zip((data.range(6), data.range(10, 16))).window(2).flat_map(lambda a, b: data.zip((a, b.skip(1)))))

    def test_group_by_window(self):
        rest = lambda i: tf.where(tf.equal(i % 7, 0), i * 0 - 1, i % 3)
        for size in 1, 3, 50:
            self.compare(lambda: data.range(20).group_by_window(rest, lambda key, window: window.batch(4).map(lambda b: (key, b)), size))
        captured = lambda: tf.constant([2, 4, 3, 1], tf.int64)
        sizes = lambda: data.range(30).group_by_window(rest, lambda key, window: window.skip(1), window_size_func=lambda key: captured()[key])
        self.compare(sizes)
        self.compare(lambda: data.zip((data.range(9), data.range(10, 19))).group_by_window(
            lambda a, b: a % 2, lambda key, window: data.zip((window.batch(2), window.map(lambda a, b: key + b))), 3).repeat(2))
        self.compare_errors(lambda: data.range(9).group_by_window(rest, lambda key, window: window, window_size_func=lambda key: key),
                            "Window size must be greater than zero, but got -1.")

    def test_bucket_by_sequence_length(self):
        rows = lambda: data.range(40).map(lambda i: (tf.fill([(i * 7) % 11], i), i))
        length = lambda row, i: tf.shape(row)[0]
        buckets = lambda **options: rows().bucket_by_sequence_length(length, [3, 6, 12], [4, 3, 2, 1], **options)
        self.compare(buckets)
        self.compare(lambda: buckets(pad_to_bucket_boundary=True))
        self.compare(lambda: buckets(drop_remainder=True, padding_values=(tf.constant(-1, tf.int64), tf.constant(0, tf.int64))))
        self.compare(lambda: data.range(20).bucket_by_sequence_length(lambda i: tf.cast(i, tf.int32), [5, 9], [2, 3, 4], no_padding=True))

    def test_unique(self):
        self.compare(lambda: data.range(20).map(lambda i: i * i % 7).unique())
        self.compare(lambda: data.range(12).map(lambda i: tf.fill([i % 3], tf.as_string(i % 2))).unique())

    def test_scan_and_take_while(self):
        self.compare(lambda: data.range(8).scan(tf.constant(1, tf.int64), lambda state, i: (state + i, (state * i, i))))
        self.compare(lambda: data.range(8).take_while(lambda i: i * i < 20))

    def test_ignored_errors_and_expected_sizes(self):
        inverse = lambda i: tf.debugging.check_numerics(1 / tf.cast(i - 2, tf.float32), "infinite")
        self.compare(lambda: data.range(5).map(inverse).ignore_errors())
        self.compare(lambda: data.range(4).apply(experimental.assert_cardinality(4)))
        self.compare_errors(lambda: data.range(3).apply(experimental.assert_cardinality(4)), "expected to contain 4 elements but contained only 3")
        self.compare_errors(lambda: data.range(5).apply(experimental.assert_cardinality(4)), "but contained at least 5 elements.")

    def test_choosing_among_datasets(self):
        numbers = lambda: [data.range(5), data.range(10, 13), data.range(20, 30)]
        self.compare(lambda: data.choose_from_datasets(numbers(), data.range(3).repeat(8), stop_on_empty_dataset=False))
        self.compare(lambda: data.choose_from_datasets(numbers(), data.range(3).repeat(8), stop_on_empty_dataset=True))
        self.compare(lambda: data.random(seed=4).take(9), kinds=[False])
        self.compare_errors(lambda: data.choose_from_datasets(numbers(), data.range(9)), "Selector index out of range: 3 >= 3")

    def test_sampling(self):
        def sampled():
            numbers = data.range(40)
            return pipelines.wrap(gen_experimental_dataset_ops.sampling_dataset(numbers._variant_tensor, 0.4, 5, 6, output_types=[tf.int64],
                                                                   output_shapes=[[]]), numbers.element_spec)
        self.compare(sampled, kinds=[True])

    def test_sparse_slices(self):
        sparse = lambda: tf.SparseTensor([[0, 1, 0], [2, 0, 3], [2, 3, 1]], ["a", "b", "c"], [4, 4, 5])
        self.compare(lambda: data.from_sparse_tensor_slices(sparse()))

    def test_enumerate_options_and_parallel_batches(self):
        options = tf.data.Options()
        options.threading.private_threadpool_size = 2
        options.threading.max_intra_op_parallelism = 1
        self.compare(lambda: data.range(9).enumerate(3).batch(2, num_parallel_calls=2, drop_remainder=True).with_options(options))
        self.compare(lambda: data.range(9).apply(experimental.map_and_batch(lambda i: i * 2, 4, num_parallel_calls=3)))

    def test_range_and_concatenate(self):
        self.compare(lambda: data.range(10, 0, -3).concatenate(data.range(2)).concatenate(data.from_tensor_slices(np.arange(3))))
        self.compare(lambda: data.range(5, output_type=tf.float32).concatenate(data.from_tensor_slices([0.5])))


class Results(pipelines.PipelineTest):
    """Whole datasets, iterators and optionals as values of a step."""

    def check(self, make):
        expected, actual = self.both(make)
        self.assertEqual(actual, expected)

    @staticmethod
    def attempt(session, fetches, feed=None):
        """The values, or the class and text of the error."""
        try:
            return session.run(fetches, feed)
        except tf.errors.OpError as error:
            return type(error), error.message.split("\n")[0]

    def test_reduce(self):
        self.check(lambda session: session.run(data.range(5).reduce(tf.constant(3, tf.int64), lambda state, i: state + i)))
        self.check(lambda session: session.run(data.range(0).reduce((1.5, "none"), lambda state, i: state)))
        self.check(lambda session: session.run(data.range(4).reduce(
            (0.0, ""), lambda state, i: (state[0] + tf.cast(i, tf.float32), tf.strings.join([state[1], tf.gather(["a", "b"], i % 2)])))))

    def test_a_single_element(self):
        for count in range(3):
            self.check(lambda session: self.attempt(session, experimental.get_single_element(data.range(count))))

    def test_cardinality(self):
        pipeline = lambda: data.range(7).batch(2).repeat(3).skip(1).shard(2, 1)
        self.check(lambda session: session.run(experimental.cardinality(pipeline())))
        self.check(lambda session: session.run(experimental.cardinality(data.range(2).repeat())))
        self.check(lambda session: session.run(experimental.cardinality(data.range(2).filter(lambda i: i > 0))))

    def test_optionals(self):
        def optionals(session):
            following = tf.data.make_one_shot_iterator(data.range(2)).get_next_as_optional()
            return [self.attempt(session, [following.has_value(), following.get_value()][:count]) for count in (2, 2, 1, 2)]
        self.check(optionals)
        self.check(lambda session: session.run(tf.experimental.Optional.from_value(tf.constant(4.0)).get_value()))
        empty = lambda: tf.experimental.Optional.empty(tf.TensorSpec([], tf.float32))
        self.check(lambda session: self.attempt(session, empty().get_value()))

    def test_one_iterator_for_several_datasets(self):
        def reinitialized(session):
            iterator = tf.data.Iterator.from_structure(tf.int64, [])
            training = iterator.make_initializer(data.range(5).shuffle(5, seed=1))
            evaluation = iterator.make_initializer(data.range(10, 13))
            following = iterator.get_next()
            found = [self.attempt(session, following)[0]]
            for initializer in training, evaluation, training:
                session.run(initializer)
                found += [session.run(following) for _ in range(3)]
            return found + [self.attempt(session, following) for _ in range(3)][:2]
        self.check(reinitialized)

    def test_feedable_iterators(self):
        def fed(session):
            handle = tf.placeholder(tf.string, [])
            following = tf.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
            initializable = tf.data.make_initializable_iterator(data.range(10, 20))
            handles = session.run([tf.data.make_one_shot_iterator(data.range(3)).string_handle(), initializable.string_handle()])
            session.run(initializable.initializer)
            found = [session.run(following, {handle: handles[i]}) for i in (0, 1, 1, 0, 1, 0)]
            end = self.attempt(session, following, {handle: handles[0]})
            other = session.run(tf.data.make_one_shot_iterator(data.range(4).batch(2)).string_handle())
            return found, end[0], self.attempt(session, following, {handle: other})[0], self.attempt(session, following, {handle: "x"})[0]
        self.check(fed)

    def test_a_shared_cache(self):
        def cached(session):
            numbers = data.range(4)
            cache = gen_dataset_ops.anonymous_memory_cache()
            variant = gen_dataset_ops.cache_dataset_v2(numbers._variant_tensor, "", cache.handle, **SPEC)
            iterator = tf.data.make_initializable_iterator(pipelines.wrap(variant, numbers.element_spec).repeat(2))
            following = iterator.get_next()
            session.run(iterator.initializer)
            return [session.run(following) for _ in range(8)]
        self.check(cached)

    def test_shuffles_with_a_seed_generator(self):
        for reshuffle in True, False:
            for make in shuffled_v2, shuffled_v3, shuffled_and_repeated_v2:
                def shuffled(session):
                    generator = gen_dataset_ops.anonymous_seed_generator(tf.constant(3, tf.int64), tf.constant(4, tf.int64), reshuffle)
                    iterator = tf.data.make_initializable_iterator(make(generator.handle, reshuffle))
                    following = iterator.get_next()
                    session.run(iterator.initializer)
                    return [session.run(following) for _ in range(30)]
                self.check(shuffled)


if __name__ == "__main__":
    unittest.main()
