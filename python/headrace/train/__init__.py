"""tf.train: optimizers, savers, sessions that recover, input queues."""
