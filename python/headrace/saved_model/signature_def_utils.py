"""Signatures: which tensors a caller feeds and fetches."""

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


def classification_signature_def(examples, classes, scores):
    """The signature of a classification of serialized examples. Raises ValueError when both outputs are missing."""
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    outputs = {key: build_tensor_info(tensor) for key, tensor in (
        (signature_constants.CLASSIFY_OUTPUT_CLASSES, classes), (signature_constants.CLASSIFY_OUTPUT_SCORES, scores))
        if tensor is not None}
    return build_signature_def({signature_constants.CLASSIFY_INPUTS: build_tensor_info(examples)}, outputs,
                               signature_constants.CLASSIFY_METHOD_NAME)


def regression_signature_def(examples, predictions):
    """The signature of a regression of serialized examples."""
    return build_signature_def({signature_constants.REGRESS_INPUTS: build_tensor_info(examples)},
                               {signature_constants.REGRESS_OUTPUTS: build_tensor_info(predictions)},
                               signature_constants.REGRESS_METHOD_NAME)
