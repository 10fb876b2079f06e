"""Learning rates that follow the global step."""

import math as _math

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..ops import array, math, random


def _step(global_step, dtype):
    if global_step is None:
        raise ValueError("global_step is required for a learning rate that decays.")
    return math.cast(global_step, dtype)


def _rate_and_step(learning_rate, global_step):
    rate = convert_to_tensor(learning_rate, name="learning_rate")
    return rate, _step(global_step, rate.dtype.base_dtype)


def exponential_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate * decay_rate ** (global_step / decay_steps); the quotient is rounded down if `staircase`."""
    with name_scope(name or "ExponentialDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        progress = step / math.cast(decay_steps, rate.dtype)
        progress = math.floor(progress) if staircase else progress
        return math.multiply(rate, math.pow(math.cast(decay_rate, rate.dtype), progress), name=scope)


def natural_exp_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate * exp(-decay_rate * global_step / decay_steps)."""
    with name_scope(name or "NaturalExpDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        progress = step / math.cast(decay_steps, rate.dtype)
        progress = math.floor(progress) if staircase else progress
        return math.multiply(rate, math.exp(-decay_rate * progress), name=scope)


def inverse_time_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """learning_rate / (1 + decay_rate * global_step / decay_steps)."""
    with name_scope(name or "InverseTimeDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        progress = step / math.cast(decay_steps, rate.dtype)
        progress = math.floor(progress) if staircase else progress
        return math.divide(rate, 1 + decay_rate * progress, name=scope)


def polynomial_decay(learning_rate, global_step, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name=None):
    """From learning_rate to end_learning_rate along a power of the remaining share of `decay_steps`."""
    with name_scope(name or "PolynomialDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        steps = math.cast(decay_steps, rate.dtype)
        if cycle:
            rounds = array.where(math.equal(step, 0), array.ones_like(step), math.ceil(step / steps))
            steps = steps * rounds
        else:
            step = math.minimum(step, steps)
        rest = math.pow(1 - step / steps, power)
        return math.add((rate - end_learning_rate) * rest, end_learning_rate, name=scope)


def cosine_decay(learning_rate, global_step, decay_steps, alpha=0.0, name=None):
    """From learning_rate to alpha * learning_rate along half a cosine."""
    with name_scope(name or "CosineDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        share = _part_of(global_step, decay_steps, rate.dtype.base_dtype)
        return math.multiply(rate, (1 - alpha) * _half_cosine(share) + alpha, name=scope)


def _part_of(global_step, decay_steps, dtype):
    """The share of `decay_steps` that is over, at most 1."""
    return math.minimum(_step(global_step, dtype), math.cast(decay_steps, dtype)) / math.cast(decay_steps, dtype)


def _half_cosine(share):
    return 0.5 * (1.0 + math.cos(np.float32(_math.pi) * share))


def cosine_decay_restarts(learning_rate, global_step, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name=None):
    """cosine_decay again and again: each round takes `t_mul` times the steps of the one before, and begins at `m_mul` times."""
    with name_scope(name or "SGDRDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        done = step / math.cast(first_decay_steps, rate.dtype)
        if t_mul == 1.0:
            rounds = math.floor(done)
            share = done - rounds
        else:
            rounds = math.floor(math.log(1.0 - done * (1.0 - t_mul)) / _math.log(t_mul))
            begun = (1.0 - math.pow(convert_to_tensor(t_mul, rate.dtype), rounds)) / (1.0 - t_mul)
            share = (done - begun) / math.pow(convert_to_tensor(t_mul, rate.dtype), rounds)
        height = math.pow(convert_to_tensor(m_mul, rate.dtype), rounds) * _half_cosine(share)
        return math.multiply(rate, (1 - alpha) * height + alpha, name=scope)


def linear_cosine_decay(learning_rate, global_step, decay_steps, num_periods=0.5, alpha=0.0, beta=0.001, name=None):
    """learning_rate * ((alpha + the share of steps left) * a cosine of `num_periods` periods + beta)."""
    with name_scope(name or "LinearCosineDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        share = _part_of(global_step, decay_steps, rate.dtype.base_dtype)
        height = (alpha + 1.0 - share) * _half_cosine(2.0 * num_periods * share) + beta
        return math.multiply(rate, height, name=scope)


def noisy_linear_cosine_decay(learning_rate, global_step, decay_steps, initial_variance=1.0, variance_decay=0.55,
                              num_periods=0.5, alpha=0.0, beta=0.001, name=None):
    """linear_cosine_decay with noise on its linear part, of variance initial_variance / (1 + step) ** variance_decay."""
    with name_scope(name or "NoisyLinearCosineDecay") as scope:
        rate, step = _rate_and_step(learning_rate, global_step)
        share = _part_of(global_step, decay_steps, rate.dtype.base_dtype)
        deviation = math.sqrt(initial_variance / math.pow(1.0 + step, variance_decay))
        noise = random.random_normal(array.shape(share), stddev=deviation)
        height = (alpha + 1.0 - share + noise) * _half_cosine(2.0 * num_periods * share) + beta
        return math.multiply(rate, height, name=scope)


def piecewise_constant(x, boundaries, values, name=None):
    """values[0] up to boundaries[0], values[1] up to boundaries[1], and so on."""
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name or "PiecewiseConstant"):
        x = convert_to_tensor(x)
        edges = convert_to_tensor(np.asarray(boundaries), x.dtype.base_dtype) if x.dtype.is_floating else \
            convert_to_tensor([int(b) for b in boundaries], x.dtype.base_dtype)
        index = math.reduce_sum(math.cast(math.greater(x, edges), dtypes.int32))
        return array.gather(convert_to_tensor(values), index)


piecewise_constant_decay = piecewise_constant
