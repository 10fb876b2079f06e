"""Writes tests/cases/train/apply_golden.case: two steps of each optimizer's op, with the values that TensorFlow computes.
The ops on ref variables come last, with the values of their twins on resource variables.

Run: python make_train_cases.py > ../cases/train/apply_golden.case (needs tensorflow)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_resource_variable_ops as variables
from tensorflow.python.ops import gen_training_ops as ops

tf.disable_eager_execution()

DTYPES = {"f32": (tf.float32, "1e-6"), "f64": (tf.float64, "1e-12"), "f16": (tf.float16, "4e-3"), "bf16": (tf.bfloat16, "3e-2")}
MOMENTUM = dict(lr=0.1, momentum=0.9)
ADAM = dict(beta1_power=0.81, beta2_power=0.998, lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-3)
RMSPROP = dict(lr=0.01, rho=0.9, momentum=0.5, epsilon=1e-2)
FTRL = dict(lr=0.2, l1=0.05, l2=0.1, lr_power=-0.5)
FTRL2 = dict(lr=0.2, l1=0.05, l2=0.1, l2_shrinkage=0.3, lr_power=-0.5)

ADADELTA = dict(lr=0.5, rho=0.9, epsilon=1e-2)
ADADELTA_SLOTS = {"accum": True, "accum_update": True}
INTEGERS = {"global_step": np.int64}
PROXIMAL = dict(alpha=0.2, lr=0.2, l1=0.05, l2=0.1, global_step=3)
DUAL_SLOTS = {"gradient_accumulator": False, "gradient_squared_accumulator": True}

# op, slots (with a positive start where true, one of at least 1 where 2), the inputs after them, constants, attributes
ROWS = [
    ("ResourceApplyGradientDescent", {}, "alpha delta", dict(alpha=0.1), {}),
    ("ResourceApplyMomentum", {"accum": False}, "lr grad momentum", MOMENTUM, {}),
    ("ResourceApplyMomentum", {"accum": False}, "lr grad momentum", MOMENTUM, dict(use_nesterov=True)),
    ("ResourceSparseApplyMomentum", {"accum": False}, "lr grad indices momentum", MOMENTUM, {}),
    ("ResourceSparseApplyMomentum", {"accum": False}, "lr grad indices momentum", MOMENTUM, dict(use_nesterov=True)),
    ("ResourceApplyAdagrad", {"accum": True}, "lr grad", dict(lr=0.1), {}),
    ("ResourceApplyAdagrad", {"accum": True}, "lr grad", dict(lr=0.1), dict(update_slots=False)),
    ("ResourceSparseApplyAdagrad", {"accum": True}, "lr grad indices", dict(lr=0.1), {}),
    ("ResourceSparseApplyAdagrad", {"accum": True}, "lr grad indices", dict(lr=0.1), dict(update_slots=False)),
    ("ResourceApplyAdagradV2", {"accum": True}, "lr epsilon grad", dict(lr=0.1, epsilon=0.01), {}),
    ("ResourceApplyAdagradV2", {"accum": True}, "lr epsilon grad", dict(lr=0.1, epsilon=0.01), dict(update_slots=False)),
    ("ResourceSparseApplyAdagradV2", {"accum": True}, "lr epsilon grad indices", dict(lr=0.1, epsilon=0.01), {}),
    ("ResourceApplyAdam", {"m": False, "v": True}, "beta1_power beta2_power lr beta1 beta2 epsilon grad", ADAM, {}),
    ("ResourceApplyAdam", {"m": False, "v": True}, "beta1_power beta2_power lr beta1 beta2 epsilon grad", ADAM,
     dict(use_nesterov=True)),
    ("ResourceApplyRMSProp", {"ms": True, "mom": False}, "lr rho momentum epsilon grad", RMSPROP, {}),
    ("ResourceSparseApplyRMSProp", {"ms": True, "mom": False}, "lr rho momentum epsilon grad indices", RMSPROP, {}),
    ("ResourceApplyCenteredRMSProp", {"mg": False, "ms": 2, "mom": False}, "lr rho momentum epsilon grad", RMSPROP, {}),
    ("ResourceSparseApplyCenteredRMSProp", {"mg": False, "ms": 2, "mom": False}, "lr rho momentum epsilon grad indices", RMSPROP,
     {}),
    ("ResourceApplyAdadelta", ADADELTA_SLOTS, "lr rho epsilon grad", ADADELTA, {}),
    ("ResourceSparseApplyAdadelta", ADADELTA_SLOTS, "lr rho epsilon grad indices", ADADELTA, {}),
    ("ResourceApplyAdaMax", {"m": False, "v": True}, "beta1_power lr beta1 beta2 epsilon grad", ADAM, {}),
    ("ResourceApplyProximalGradientDescent", {}, "alpha l1 l2 delta", PROXIMAL, {}),
    ("ResourceApplyProximalGradientDescent", {}, "alpha l1 l2 delta", dict(PROXIMAL, l1=0), {}),
    ("ResourceSparseApplyProximalGradientDescent", {}, "alpha l1 l2 grad indices", PROXIMAL, {}),
    ("ResourceApplyProximalAdagrad", {"accum": True}, "lr l1 l2 grad", PROXIMAL, {}),
    ("ResourceSparseApplyProximalAdagrad", {"accum": True}, "lr l1 l2 grad indices", PROXIMAL, {}),
    ("ResourceApplyAdagradDA", DUAL_SLOTS, "grad lr l1 l2 global_step", PROXIMAL, {}),
    ("ResourceApplyAdagradDA", DUAL_SLOTS, "grad lr l1 l2 global_step", dict(PROXIMAL, l1=0), {}),
    ("ResourceSparseApplyAdagradDA", DUAL_SLOTS, "grad indices lr l1 l2 global_step", PROXIMAL, {}),
    ("ResourceApplyFtrl", {"accum": True, "linear": False}, "grad lr l1 l2 lr_power", FTRL, {}),
    ("ResourceApplyFtrl", {"accum": True, "linear": False}, "grad lr l1 l2 lr_power", dict(FTRL, lr_power=-0.7), {}),
    ("ResourceApplyFtrl", {"accum": True, "linear": False}, "grad lr l1 l2 lr_power", FTRL, dict(multiply_linear_by_lr=True)),
    ("ResourceApplyFtrl", {"accum": True, "linear": False}, "grad lr l1 l2 lr_power", dict(FTRL, lr_power=-0.7),
     dict(multiply_linear_by_lr=True)),
    ("ResourceApplyFtrlV2", {"accum": True, "linear": False}, "grad lr l1 l2 l2_shrinkage lr_power", FTRL2, {}),
    ("ResourceApplyFtrlV2", {"accum": True, "linear": False}, "grad lr l1 l2 l2_shrinkage lr_power", FTRL2,
     dict(multiply_linear_by_lr=True)),
    ("ResourceSparseApplyFtrl", {"accum": True, "linear": False}, "grad indices lr l1 l2 lr_power", FTRL, {}),
    ("ResourceSparseApplyFtrl", {"accum": True, "linear": False}, "grad indices lr l1 l2 lr_power", dict(FTRL, lr_power=-0.7), {}),
    ("ResourceSparseApplyFtrl", {"accum": True, "linear": False}, "grad indices lr l1 l2 lr_power", FTRL,
     dict(multiply_linear_by_lr=True)),
    ("ResourceSparseApplyFtrlV2", {"accum": True, "linear": False}, "grad indices lr l1 l2 l2_shrinkage lr_power", FTRL2, {}),
    ("ResourceSparseApplyFtrlV2", {"accum": True, "linear": False}, "grad indices lr l1 l2 l2_shrinkage lr_power", FTRL2,
     dict(multiply_linear_by_lr=True)),
]


def snake(name):
    text = "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
    return text.replace("r_m_s_prop", "rms_prop").replace("grad_d_a", "grad_da")


def literal(name, value):
    value = np.asarray(value)
    dims = ",".join(map(str, value.shape))
    if name[0] != "i" and value.dtype not in (np.float32, np.float64):
        value = value.astype(np.float32)
    number = str if name[0] == "i" else lambda x: np.format_float_positional(x, trim="-")
    return f"{name}[{dims}] = " + " ".join(number(x) for x in value.ravel())


def write(op, slots, inputs, constants, attrs, name, rng, is_ref=False):
    dtype, tolerance = DTYPES[name]
    sparse = "indices" in inputs.split()
    shape = (4, 19) if sparse and name == "f32" else (4, 3) if sparse else (19,) if name == "f32" else (5,)
    numpy_type = dtype.as_numpy_dtype
    if name not in ("f32", "f64") and attrs:
        return
    draw = lambda s: np.round(rng.uniform(-1, 1, s), 2).astype(numpy_type)
    starts = {"var": draw(shape)}
    for slot, positive in slots.items():
        starts[slot] = np.abs(draw(shape)) + numpy_type(positive - 0.875) if positive else draw(shape)
    indices = np.array([2, 0, 2], np.int32)
    grads = [draw((3,) + shape[1:] if sparse else shape) for _ in range(2)]
    with tf.Graph().as_default(), tf.Session() as session:
        handles = {n: variables.var_handle_op(dtype=dtype, shape=shape, shared_name=n) for n in starts}
        for n, value in starts.items():
            session.run(variables.assign_variable_op(handles[n], tf.constant(value)))
        calls = []
        for grad in grads:
            args, texts = list(handles.values()), [f"${n}" for n in starts]
            for n in inputs.split():
                value = indices if n == "indices" else grad if n in ("grad", "delta") else INTEGERS.get(n, numpy_type)(constants[n])
                args.append(tf.constant(value))
                texts.append(literal("i32" if n == "indices" else "i64" if n in INTEGERS else name, value))
            try:
                session.run(getattr(ops, snake(op))(*args, **attrs))
            except tf.errors.InvalidArgumentError as error:
                assert "No OpKernel" in str(error) and name in ("f16", "bf16"), error
                return
            calls.append(texts)
        ends = {n: session.run(variables.read_variable_op(h, dtype)) for n, h in handles.items()}
    attr_text = " ".join(f"{k}={str(v).lower()}" for k, v in attrs.items())
    print(f"run  {name} {attr_text} {'lr_power ' + str(constants['lr_power']) if 'lr_power' in constants else ''}".rstrip())
    print(f"  attrs T={name} {attr_text}".rstrip())
    print(f"  tolerance {tolerance}")
    dims = ",".join(map(str, shape))
    for n in starts:
        print(f"  let {n} = VarHandleOp() dtype={name} shape=[{dims}] shared_name='{n}'")
        print(f"  do AssignVariableOp(${n}; {literal(name, starts[n])}) dtype={name}")
    ref_op = op[len("Resource"):] if is_ref else op
    print(f"  do {ref_op}({'; '.join(calls[0])}) T={name} {attr_text}".rstrip())
    for n, text in zip(list(starts) + inputs.split(), calls[1]):
        print(f"  {n}: {text}")
    if is_ref:
        print(f"  -> {literal(name, ends['var'])}")
    for n in starts:
        print(f"  then ReadVariableOp(${n}) dtype={name} -> {literal(name, ends[n])}")


print("# Made by tests/golden/make_train_cases.py: the expected values are TensorFlow's.")
for is_ref in (False, True):
    last = None
    for index, row in enumerate(ROWS):
        if row[0] != last:
            last = row[0]
            print(f"\nop {last[len('Resource'):] if is_ref else last}")
        elif is_ref:
            continue
        for name in ["f32"] if is_ref else DTYPES:
            write(*row, name, np.random.default_rng(index), is_ref)
