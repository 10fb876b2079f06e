"""Losses over many classes by sampling some of them."""

from .. import nn
from ..framework import dtypes
from ..framework.graph import get_seed, name_scope
from ..framework.op_library import apply_op
from . import array, math
from .embedding import embedding_lookup


def _sampler(op_type):
    def sample(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
        seed1, seed2 = get_seed(seed)
        return apply_op(op_type, true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique,
                        range_max=range_max, seed=seed1, seed2=seed2, name=name)

    sample.__doc__ = f"Draws negative classes: the op {op_type} (candidates, expected counts of true and drawn classes)."
    return sample


log_uniform_candidate_sampler = _sampler("LogUniformCandidateSampler")
uniform_candidate_sampler = _sampler("UniformCandidateSampler")
learned_unigram_candidate_sampler = _sampler("LearnedUnigramCandidateSampler")


def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Where drawn classes are true ones: indices, ids, weights."""
    seed1, seed2 = get_seed(seed)
    return apply_op("ComputeAccidentalHits", true_classes, sampled_candidates, num_true=num_true, seed=seed1, seed2=seed2,
                    name=name)


def _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, subtract_log_q,
                    remove_accidental_hits, partition_strategy, seed):
    labels = math.cast(labels, dtypes.int64)
    flat_labels = array.reshape(labels, [-1])
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    sampled, true_count, sampled_count = [array.stop_gradient(t) for t in sampled_values]
    everything = array.concat([flat_labels, sampled], 0)
    rows = embedding_lookup(weights, everything, partition_strategy)
    offsets = embedding_lookup(biases, everything, partition_strategy)
    num_labels = array.shape(flat_labels)[0]
    true_rows, sampled_rows = rows[:num_labels], rows[num_labels:]
    true_bias, sampled_bias = offsets[:num_labels], offsets[num_labels:]
    width = array.shape(true_rows)[1]
    products = array.expand_dims(inputs, 1) * array.reshape(true_rows, array.stack([-1, num_true, width]))
    true_logits = math.reduce_sum(products, 2) + array.reshape(true_bias, [-1, num_true])
    sampled_logits = math.matmul(inputs, sampled_rows, transpose_b=True) + sampled_bias
    if remove_accidental_hits:
        hits = compute_accidental_hits(labels, sampled, num_true, seed)
        positions = array.stack([hits.indices, math.cast(hits.ids, dtypes.int32)], 1)
        sampled_logits += array.scatter_nd(positions, math.cast(hits.weights, sampled_logits.dtype.base_dtype),
                                           array.shape(sampled_logits))
    if subtract_log_q:
        true_logits -= math.log(true_count)
        sampled_logits -= math.log(sampled_count)
    logits = array.concat([true_logits, sampled_logits], 1)
    targets = array.concat([array.ones_like(true_logits) / num_true, array.zeros_like(sampled_logits)], 1)
    return logits, targets


def nce_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
             remove_accidental_hits=False, partition_strategy="mod", name="nce_loss", seed=None):
    """Noise-contrastive estimation: for each row the loss of telling true classes from drawn ones (Gutmann, Hyvarinen 2010)."""
    with name_scope(name):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, True, remove_accidental_hits, partition_strategy, seed)
        return math.reduce_sum(nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), 1)


def sampled_softmax_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
                         remove_accidental_hits=True, partition_strategy="mod", name="sampled_softmax_loss", seed=None):
    """Softmax cross entropy over the true and some drawn classes (Jean et al. 2014)."""
    with name_scope(name):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, True, remove_accidental_hits, partition_strategy, seed)
        return nn.softmax_cross_entropy_with_logits_v2(array.stop_gradient(targets), logits)
