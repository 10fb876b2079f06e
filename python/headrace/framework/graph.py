"""The graph, its parts and its scopes in one import."""

from .default_graph import (add_to_collection, add_to_collections, colocate_with, container, control_dependencies, device,
                            get_collection, get_collection_ref, get_default_graph, get_seed, name_scope, reset_default_graph,
                            set_random_seed)
from .device import DeviceSpec
from .graph_core import Graph
from .graph_keys import GraphKeys
from .tensor import IndexedSlices, Operation, Tensor

__all__ = [name for name in globals() if not name.startswith("_")]
