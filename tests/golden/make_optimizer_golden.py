"""Writes optimizers.txt: every variable after 20 steps of each of TensorFlow's optimizers, by a whole gradient and by rows.

Run: python make_optimizer_golden.py > optimizers.txt (needs tensorflow)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
START = (np.arange(8, dtype=np.float32) / 8 - 0.5).reshape(4, 2)
TARGET = np.array([[1, -1], [0.5, 0.25], [-0.75, 2]], np.float32)
t = tf.train
OPTIMIZERS = {
    "GradientDescent": lambda step: t.GradientDescentOptimizer(0.1),
    "Momentum": lambda step: t.MomentumOptimizer(0.1, 0.9),
    "Nesterov": lambda step: t.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "Adagrad": lambda step: t.AdagradOptimizer(0.1),
    "Adadelta": lambda step: t.AdadeltaOptimizer(0.5, rho=0.9, epsilon=1e-3),
    "Adam": lambda step: t.AdamOptimizer(0.1),
    "DecayedAdam": lambda step: t.AdamOptimizer(t.exponential_decay(0.1, step, 5, 0.5), beta1=tf.constant(0.8)),
    "RMSProp": lambda step: t.RMSPropOptimizer(0.01),
    "RMSPropMomentum": lambda step: t.RMSPropOptimizer(0.01, decay=0.8, momentum=0.5, epsilon=1e-3),
    "RMSPropCentered": lambda step: t.RMSPropOptimizer(0.01, momentum=0.5, epsilon=1e-3, centered=True),
    "Ftrl": lambda step: t.FtrlOptimizer(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02, beta=0.1),
    "FtrlShrinkage": lambda step: t.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.05),
    "ProximalGradientDescent": lambda step: t.ProximalGradientDescentOptimizer(0.1, 0.01, 0.02),
    "ProximalAdagrad": lambda step: t.ProximalAdagradOptimizer(0.1, 0.1, 0.01, 0.02),
    "AdagradDA": lambda step: t.AdagradDAOptimizer(0.1, step, 0.1, 0.01, 0.02),
}


def run(make, rows, use_resource):
    with tf.Graph().as_default():
        step = t.get_or_create_global_step()
        v = tf.get_variable("v", initializer=START, use_resource=use_resource)
        picked = tf.nn.embedding_lookup(v, [2, 0, 2]) if rows else v[:3] * 1.5
        train = make(step).minimize(tf.reduce_sum(tf.square(picked - TARGET)), global_step=step)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(20):
                session.run(train)
            return session.run({x.op.name: x for x in tf.global_variables()})


for name, make in OPTIMIZERS.items():
    for rows in False, True:
        values = run(make, rows, True)
        for other, value in run(make, rows, False).items():
            np.testing.assert_allclose(values[other], value, rtol=1e-6)
        for variable, value in sorted(values.items()):
            numbers = " ".join(np.format_float_positional(x, trim="-") for x in np.float32(value).ravel())
            print(name, "rows" if rows else "dense", variable, numbers)
