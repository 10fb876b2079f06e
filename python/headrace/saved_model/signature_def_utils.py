"""Signatures: which tensors a caller feeds and fetches."""

from ..framework import dtypes
from ..framework.graph import Tensor
from . import signature_constants
from .utils import build_tensor_info


def build_signature_def(inputs=None, outputs=None, method_name=None, defaults=None):
    """A SignatureDef message. `inputs`, `outputs`: {key: TensorInfo message}."""
    from ..protos import SignatureDef
    signature = SignatureDef(method_name=method_name or "")
    for target, infos in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for key, info in (infos or {}).items():
            target[key].CopyFrom(info)
    return signature


def predict_signature_def(inputs, outputs):
    """The signature of a prediction. `inputs`, `outputs`: {key: tensor}. Raises ValueError when one is empty."""
    for what, tensors in (("inputs", inputs), ("outputs", outputs)):
        if not tensors:
            raise ValueError(f"Prediction `{what}` cannot be None or empty.")
    return build_signature_def({key: build_tensor_info(tensor) for key, tensor in inputs.items()},
                               {key: build_tensor_info(tensor) for key, tensor in outputs.items()},
                               signature_constants.PREDICT_METHOD_NAME)


def _infos(kind, parts):
    """{key: TensorInfo} of parts (key, tensor, dtype). Raises ValueError for what is no tensor, or one of another dtype."""
    infos = {}
    for key, tensor, dtype in parts:
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{kind} `{key}` must be a Tensor. Found {tensor!r}.")
        infos[key] = build_tensor_info(tensor)
        if infos[key].dtype != dtype.as_datatype_enum:
            raise ValueError(f"{kind} `{key}` tensors must be of type {dtype.name}. Found tensors of type "
                             f"{tensor.dtype.base_dtype.name}.")
    return infos


def classification_signature_def(examples, classes, scores):
    """The signature of a classification of serialized examples. Raises ValueError when both outputs are missing."""
    if examples is None:
        raise ValueError("Classification `examples` cannot be None.")
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    outputs = [part for part in ((signature_constants.CLASSIFY_OUTPUT_CLASSES, classes, dtypes.string),
                                 (signature_constants.CLASSIFY_OUTPUT_SCORES, scores, dtypes.float32)) if part[1] is not None]
    return build_signature_def(
        _infos("Classification", [(signature_constants.CLASSIFY_INPUTS, examples, dtypes.string)]),
        _infos("Classification", outputs), signature_constants.CLASSIFY_METHOD_NAME)


def regression_signature_def(examples, predictions):
    """The signature of a regression of serialized examples. Raises ValueError where one is None."""
    for what, tensor in (("examples", examples), ("predictions", predictions)):
        if tensor is None:
            raise ValueError(f"Regression `{what}` cannot be None.")
    return build_signature_def(
        _infos("Regression", [(signature_constants.REGRESS_INPUTS, examples, dtypes.string)]),
        _infos("Regression", [(signature_constants.REGRESS_OUTPUTS, predictions, dtypes.float32)]),
        signature_constants.REGRESS_METHOD_NAME)


def is_valid_signature(signature_def):
    """Whether the signature has the inputs and outputs that its method needs."""
    known = {signature_constants.CLASSIFY_METHOD_NAME: (
                 {signature_constants.CLASSIFY_OUTPUT_CLASSES: dtypes.string,
                  signature_constants.CLASSIFY_OUTPUT_SCORES: dtypes.float32}),
             signature_constants.REGRESS_METHOD_NAME: {signature_constants.REGRESS_OUTPUTS: dtypes.float32}}
    if not signature_def.inputs or not signature_def.outputs:
        return False
    if signature_def.method_name == signature_constants.PREDICT_METHOD_NAME:
        return True
    if signature_def.method_name not in known:
        return False
    outputs = known[signature_def.method_name]
    return (_fit(signature_def.inputs, {signature_constants.CLASSIFY_INPUTS: dtypes.string})
            and _fit(signature_def.outputs, outputs))


def _fit(infos, wanted):
    return all(key in wanted and info.dtype == wanted[key].as_datatype_enum for key, info in infos.items())
