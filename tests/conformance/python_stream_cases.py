"""tf.losses and tf.metrics of a module: what python_checks.py compares. Each function yields (name, tensors)."""

import numpy as np

RANDOM = np.random.default_rng(5)
ROWS = 50
LABELS = [RANDOM.integers(0, 2, ROWS) for _ in range(3)]
SCORES = [np.clip(labels * 0.3 + RANDOM.random(ROWS) * 0.7, 0, 1).astype(np.float32) for labels in LABELS]
SCORES[0][:5] = [0, 1, 0.5, 1 / 199, 2 / 199]
WEIGHTS = [RANDOM.random(ROWS).astype(np.float32) for _ in LABELS]

WANTED = RANDOM.random((4, 5)).astype(np.float32)
GIVEN = RANDOM.random((4, 5)).astype(np.float32)
BINARY = (WANTED > 0.5).astype(np.float32)
CLASSES = np.array([0, 2, 4, 1])
LOSS_WEIGHTS = (1.0, RANDOM.random((4, 1)).astype(np.float32), (RANDOM.random((4, 5)) > 0.5).astype(np.float32), 0.0)


def losses(t):
    for reduction in t.losses.Reduction.all():
        for number, weights in enumerate(LOSS_WEIGHTS):
            options = {"weights": weights, "reduction": reduction}
            for name, labels, predictions in (
                    ("absolute_difference", WANTED, GIVEN), ("mean_squared_error", WANTED, GIVEN),
                    ("huber_loss", WANTED, GIVEN * 3), ("log_loss", BINARY, GIVEN),
                    ("hinge_loss", BINARY, GIVEN * 2 - 1),
                    ("sigmoid_cross_entropy", BINARY, GIVEN * 4 - 2)):
                yield f"{name} {reduction} {number}", getattr(t.losses, name)(
                    t.constant(labels), t.constant(predictions), **options)
            if np.shape(weights) != (4, 5):
                flat = weights if np.shape(weights) == () else weights[:, 0]
                logits = t.constant(GIVEN * 5)
                yield f"softmax {reduction} {number}", t.losses.softmax_cross_entropy(
                    np.eye(5, dtype=np.float32)[CLASSES], logits, flat, label_smoothing=0.1, reduction=reduction)
                yield f"sparse {reduction} {number}", t.losses.sparse_softmax_cross_entropy(CLASSES[:, None], logits, **options)
                yield f"cosine {reduction} {number}", t.losses.cosine_distance(
                    t.constant(WANTED), t.constant(GIVEN), axis=1, **options)


def metrics(t, labels, scores, batch_weights):
    m = t.metrics
    wanted = t.cast(labels, t.float32)
    for weights in (None, batch_weights):
        for name in "mean_absolute_error mean_squared_error root_mean_squared_error".split():
            yield name, getattr(m, name)(wanted, scores, weights=weights)
        for name in "accuracy precision recall true_positives false_positives true_negatives false_negatives".split():
            yield name, getattr(m, name)(labels, t.cast(scores + 0.5, t.int64), weights=weights)
        yield "mean", m.mean(scores, weights=weights)
        yield "mean_tensor", m.mean_tensor(scores, weights=weights)
        yield "percentage_below", m.percentage_below(scores, 0.4, weights=weights)
        yield "mean_relative_error", m.mean_relative_error(wanted, scores, wanted, weights=weights)
        yield "mean_per_class_accuracy", m.mean_per_class_accuracy(labels, t.cast(scores * 3, t.int64), 3, weights=weights)
        if weights is None:
            yield "mean_iou", m.mean_iou(labels, t.cast(scores * 2.99, t.int64), 3)
        for curve in ("ROC", "PR"):
            for method in "trapezoidal careful_interpolation minoring majoring".split():
                yield f"auc {curve} {method}", m.auc(labels, scores, weights=weights, curve=curve, summation_method=method)
        yield "auc at thresholds", m.auc(labels, scores, weights=weights, thresholds=[0.7, 0.2])
        yield "auc of 50", m.auc(labels[:, None], scores, weights=weights, num_thresholds=50)
        for name in "true_positives false_positives true_negatives false_negatives precision recall".split():
            yield name + " at thresholds", getattr(m, name + "_at_thresholds")(labels, scores, [0.7, 0.2, 0.5], weights=weights)
