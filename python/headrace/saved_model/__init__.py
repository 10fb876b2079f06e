"""tf.saved_model: a directory with a graph, its signatures and its variables, for programs that only use a model."""

from . import builder, constants, loader, main_op, signature_constants, signature_def_utils, tag_constants, utils
from .builder import Builder, simple_save
from .constants import (ASSETS_DIRECTORY, ASSETS_KEY, LEGACY_INIT_OP_KEY, MAIN_OP_KEY, SAVED_MODEL_FILENAME_PB,
                        SAVED_MODEL_FILENAME_PBTXT, VARIABLES_DIRECTORY, VARIABLES_FILENAME)
from .loader import contains_saved_model, load, maybe_saved_model_directory
from .signature_constants import (CLASSIFY_METHOD_NAME, DEFAULT_SERVING_SIGNATURE_DEF_KEY, PREDICT_METHOD_NAME,
                                  REGRESS_METHOD_NAME)
from .signature_def_utils import build_signature_def, predict_signature_def
from .tag_constants import SERVING, TRAINING
from .utils import build_tensor_info
