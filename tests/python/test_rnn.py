"""Recurrent cells and the loops over them, against the formulas in numpy."""

import unittest

import numpy as np

import headrace as tf

BATCH, STEPS, WIDTH, UNITS = 3, 5, 4, 6
INPUTS = np.random.default_rng(0).standard_normal((BATCH, STEPS, WIDTH)).astype(np.float32)
LENGTHS = np.array([5, 2, 3])
CELLS = {"BasicRNNCell": ["basic_rnn_cell/kernel", "basic_rnn_cell/bias"],
         "GRUCell": ["gru_cell/gates/kernel", "gru_cell/gates/bias", "gru_cell/candidate/kernel", "gru_cell/candidate/bias"],
         "BasicLSTMCell": ["basic_lstm_cell/kernel", "basic_lstm_cell/bias"], "LSTMCell": ["lstm_cell/kernel", "lstm_cell/bias"]}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, weights, x, h, c):
    joined = np.concatenate([x, h], 1)
    if kind == "BasicRNNCell":
        return np.tanh(joined @ weights[0] + weights[1]), c
    if kind == "GRUCell":
        reset, update = np.split(sigmoid(joined @ weights[0] + weights[1]), 2, 1)
        candidate = np.tanh(np.concatenate([x, reset * h], 1) @ weights[2] + weights[3])
        return update * h + (1 - update) * candidate, c
    i, j, f, o = np.split(joined @ weights[0] + weights[1], 4, 1)
    c = c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
    return np.tanh(c) * sigmoid(o), c


def unrolled(kind, weights, inputs, lengths):
    h = c = np.zeros((BATCH, UNITS), np.float32)
    outputs = []
    for t in range(STEPS):
        new_h, new_c = step(kind, weights, inputs[:, t], h, c)
        live = (t < lengths)[:, None]
        outputs.append(np.where(live, new_h, 0))
        h, c = np.where(live, new_h, h), np.where(live, new_c, c)
    return np.stack(outputs, 1), h, c


class Recurrent(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def run_all(self, fetches, feeds=None):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return session.run(fetches, feeds)

    def check(self, kind, outputs, state, lengths):
        self.assertEqual([v.op.name for v in tf.trainable_variables()], ["rnn/" + name for name in CELLS[kind]])
        weights, outputs, state = self.run_all([tf.trainable_variables(), outputs, state])
        expected, h, c = unrolled(kind, weights, INPUTS, np.full(BATCH, STEPS) if lengths is None else lengths)
        np.testing.assert_allclose(outputs, expected, atol=1e-5)
        if kind.endswith("LSTMCell"):
            np.testing.assert_allclose(state.c, c, atol=1e-5)
            state = state.h
        np.testing.assert_allclose(state, h, atol=1e-5)

    def test_loops_equal_the_unrolled_formulas(self):
        for kind in CELLS:
            for lengths in (None, LENGTHS):
                for shape in (None, [None, None, WIDTH]):
                    tf.reset_default_graph()
                    inputs = tf.placeholder_with_default(INPUTS, shape) if shape else tf.constant(INPUTS)
                    cell = getattr(tf.nn.rnn_cell, kind)(UNITS)
                    outputs, state = tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32, sequence_length=lengths)
                    self.assertEqual(outputs.shape.as_list(), [None, None, UNITS] if shape else [BATCH, STEPS, UNITS])
                    self.check(kind, outputs, state, lengths)

    def test_unrolled_graphs_equal_the_formulas(self):
        for kind in CELLS:
            tf.reset_default_graph()
            inputs = [tf.constant(INPUTS[:, t]) for t in range(STEPS)]
            cell = getattr(tf.nn.rnn_cell, kind)(UNITS)
            outputs, state = tf.nn.static_rnn(cell, inputs, dtype=tf.float32, sequence_length=LENGTHS)
            self.check(kind, tf.stack(outputs, 1), state, LENGTHS)

    def test_gradients_through_the_loop_equal_those_of_the_unrolled_graph(self):
        for kind in ("GRUCell", "LSTMCell"):
            tf.reset_default_graph()
            cell = getattr(tf.nn.rnn_cell, kind)(UNITS)
            with tf.variable_scope("shared"):
                looped, _ = tf.nn.dynamic_rnn(cell, tf.constant(INPUTS), LENGTHS, dtype=tf.float32)
            inputs = [tf.constant(INPUTS[:, t]) for t in range(STEPS)]
            listed, _ = tf.nn.static_rnn(cell, inputs, dtype=tf.float32, sequence_length=LENGTHS)
            self.assertEqual(len(tf.trainable_variables()), len(CELLS[kind]))
            pair = [tf.gradients(tf.reduce_sum(tf.square(y)), tf.trainable_variables()) for y in (looped, tf.stack(listed, 1))]
            for a, b in zip(*self.run_all(pair)):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

    def test_time_may_come_first(self):
        cell = tf.nn.rnn_cell.GRUCell(UNITS)
        turned, _ = tf.nn.dynamic_rnn(cell, tf.constant(INPUTS.swapaxes(0, 1)), LENGTHS, dtype=tf.float32, time_major=True)
        self.assertEqual(turned.shape.as_list(), [STEPS, BATCH, UNITS])
        weights, outputs = self.run_all([tf.trainable_variables(), turned])
        np.testing.assert_allclose(outputs.swapaxes(0, 1), unrolled("GRUCell", weights, INPUTS, LENGTHS)[0], atol=1e-5)

    def test_stacked_cells_have_scopes_by_number_and_wrappers_none(self):
        cells = [tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicLSTMCell(UNITS), output_keep_prob=0.5) for _ in range(2)]
        stacked = tf.nn.rnn_cell.MultiRNNCell(cells)
        state = stacked.zero_state(BATCH, tf.float32)
        outputs, final = tf.nn.dynamic_rnn(stacked, tf.constant(INPUTS), initial_state=state)
        self.assertEqual([v.op.name for v in tf.trainable_variables()],
                         [f"rnn/multi_rnn_cell/cell_{i}/basic_lstm_cell/{n}" for i in range(2) for n in ("kernel", "bias")])
        outputs, final = self.run_all([outputs, final])
        self.assertTrue(0.2 < (outputs == 0).mean() < 0.8)
        self.assertIsInstance(final[1], tf.nn.rnn_cell.LSTMStateTuple)

    def test_the_loop_ends_with_the_longest_sequence(self):
        count = tf.get_variable("count", initializer=0, trainable=False)

        class Counting(tf.nn.rnn_cell.RNNCell):
            state_size = output_size = WIDTH

            def __call__(self, inputs, state, scope=None):
                with tf.control_dependencies([count.assign_add(1)]):
                    output = tf.tanh(inputs + state)
                return output, output

        inputs, lengths = tf.placeholder(tf.float32, [None, None, WIDTH]), tf.placeholder(tf.int32, [None])
        outputs, state = tf.nn.dynamic_rnn(Counting(), inputs, lengths, dtype=tf.float32)
        slopes = tf.gradients(tf.reduce_sum(outputs) + tf.reduce_sum(state), inputs)[0]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for given, steps in (([2, 0, 3], 3), ([0, 0, 0], 1), ([1, 9, 2], STEPS)):  # as TensorFlow: one step at least
                before = session.run(count)
                made, last, found = session.run([outputs, state, slopes], {inputs: INPUTS, lengths: given})
                self.assertEqual(session.run(count) - before, steps)
                self.assertEqual(made.shape, INPUTS.shape)
                for row, length in enumerate(given):
                    np.testing.assert_array_equal(made[row, length:], 0)
                    np.testing.assert_array_equal(found[row, length:], 0)
                    np.testing.assert_array_equal(last[row], made[row, min(length, STEPS) - 1] if length else np.zeros(WIDTH))

    def test_a_function_may_decide_the_inputs_and_the_end(self):
        cell = tf.nn.rnn_cell.GRUCell(UNITS)
        slices = tf.TensorArray(tf.float32, size=STEPS).unstack(INPUTS.swapaxes(0, 1))
        lengths = tf.placeholder_with_default(np.int32(LENGTHS), [BATCH])

        def loop(time, output, state, seen):
            finished = time >= lengths
            following = tf.cond(tf.reduce_all(finished), lambda: tf.zeros([BATCH, WIDTH]), lambda: slices.read(time))
            if output is None:
                return finished, following, cell.zero_state(BATCH, tf.float32), None, tf.constant(0)
            return finished, following, state, output, seen + time

        emitted, final, seen = tf.nn.raw_rnn(cell, loop)
        pair = [emitted.stack(), tf.nn.dynamic_rnn(cell, tf.constant(INPUTS), LENGTHS, dtype=tf.float32)[0]]
        slopes = [tf.gradients(tf.reduce_sum(tf.square(y)), tf.trainable_variables()) for y in pair]
        weights, made, state, total, (own, other) = self.run_all([tf.trainable_variables(), pair[0], final, seen, slopes])
        expected, last, _ = unrolled("GRUCell", weights, INPUTS, LENGTHS)
        np.testing.assert_allclose(made.swapaxes(0, 1), expected, atol=1e-5)
        np.testing.assert_allclose(state, last, atol=1e-5)
        self.assertEqual(total, 15)
        for a, b in zip(own, other):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

    def test_what_is_emitted_may_differ_from_the_outputs(self):
        cell = tf.nn.rnn_cell.BasicRNNCell(UNITS)

        def loop(time, output, state, _):
            first = output is None
            emission = (tf.zeros([2]), tf.zeros([], tf.int32)) if first else (output[:, :2], tf.fill([BATCH], time))
            return (tf.fill([BATCH], time >= 3), tf.ones([BATCH, WIDTH]), cell.zero_state(BATCH, tf.float32) if first else state,
                    emission, None)

        (parts, times), _, nothing = tf.nn.raw_rnn(cell, loop)
        self.assertIsNone(nothing)
        parts, times = self.run_all([parts.stack(), times.stack()])
        self.assertEqual(parts.shape, (3, BATCH, 2))
        np.testing.assert_array_equal(times, [[1] * BATCH, [2] * BATCH, [3] * BATCH])
        with self.assertRaisesRegex(TypeError, "loop_fn must be a callable"):
            tf.nn.raw_rnn(cell, None)

    def test_both_directions(self):
        pair = [tf.nn.rnn_cell.BasicRNNCell(UNITS) for _ in range(2)]
        outputs, states = tf.nn.bidirectional_dynamic_rnn(*pair, tf.constant(INPUTS), LENGTHS, dtype=tf.float32)
        names = [v.op.name for v in tf.trainable_variables()]
        self.assertEqual(names, [f"bidirectional_rnn/{d}/basic_rnn_cell/{n}" for d in ("fw", "bw") for n in ("kernel", "bias")])
        weights, outputs, states = self.run_all([tf.trainable_variables(), outputs, states])
        turned = INPUTS.copy()
        for row, length in enumerate(LENGTHS):
            turned[row, :length] = INPUTS[row, :length][::-1]
        expected, last, _ = unrolled("BasicRNNCell", weights[2:], turned, LENGTHS)
        for row, length in enumerate(LENGTHS):
            expected[row, :length] = expected[row, :length][::-1].copy()
        np.testing.assert_allclose(outputs[0], unrolled("BasicRNNCell", weights[:2], INPUTS, LENGTHS)[0], atol=1e-5)
        np.testing.assert_allclose(outputs[1], expected, atol=1e-5)
        np.testing.assert_allclose(states[1], last, atol=1e-5)

    def test_peepholes_projection_and_clipping_have_variables_and_bounds(self):
        cell = tf.nn.rnn_cell.LSTMCell(UNITS, use_peepholes=True, num_proj=2, cell_clip=0.1, proj_clip=0.05)
        outputs, state = tf.nn.dynamic_rnn(cell, tf.constant(INPUTS * 10), dtype=tf.float32)
        self.assertEqual([v.op.name.rsplit("lstm_cell/")[1] for v in tf.trainable_variables()],
                         ["kernel", "bias", "w_f_diag", "w_i_diag", "w_o_diag", "projection/kernel"])
        outputs, state = self.run_all([outputs, state])
        self.assertEqual(outputs.shape, (BATCH, STEPS, 2))
        self.assertLessEqual(np.abs(outputs).max(), 0.0501)
        self.assertLessEqual(np.abs(state.c).max(), 0.1001)

    def test_a_missing_dtype_and_wrong_lengths_are_refused(self):
        cell = tf.nn.rnn_cell.GRUCell(UNITS)
        with self.assertRaisesRegex(ValueError, "you must give a dtype"):
            tf.nn.dynamic_rnn(cell, tf.constant(INPUTS))
        outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(UNITS), tf.constant(INPUTS), tf.constant([1, 2]), dtype=tf.float32)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "Expected shape for sequence_length"):
            self.run_all(outputs)


if __name__ == "__main__":
    unittest.main()
