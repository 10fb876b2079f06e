#!/usr/bin/env python3
"""Writes type stubs for those modules of the package that make names at run time: ops, messages, what is loaded late.

Names that Python source defines are imported from there, so that editors see their definitions; the others get a signature.
The package must be importable (PYTHONPATH=build/release/python).

Usage: make_stubs.py FOLDER
"""
import ast
import glob
import importlib
import inspect
import pathlib
import sys
import types

HEAD = '"""{}"""\n# Written by tools/make_stubs.py.\nimport builtins\nimport typing\n\n_Any = typing.Any\n'
ATTR_TYPES = {"int": "builtins.int", "float": "builtins.float", "bool": "builtins.bool", "string": "builtins.str"}
_definitions = {}


def first_line(text):
    return inspect.cleandoc(text or "").split("\n")[0].replace("\\", "\\\\").replace('"""', "'''")


def docstring(value, indent="    "):
    text = inspect.cleandoc(getattr(value, "__doc__", None) or "").replace("\\", "\\\\").replace('"""', "'''")
    lines = text.replace("\n", "\n" + indent).replace("\n" + indent + "\n", "\n\n")
    return f'{indent}"""{lines}"""\n' if text else ""


def defined_in(module):
    """The names that the source of a module defines or assigns at its top."""
    if module not in _definitions:
        names, file = set(), getattr(sys.modules.get(module), "__file__", None)
        for node in ast.parse(pathlib.Path(file).read_text()).body if file and file.endswith(".py") else ():
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        _definitions[module] = names
    return _definitions[module]


def parameter(entry):
    text = {entry.VAR_POSITIONAL: "*", entry.VAR_KEYWORD: "**"}.get(entry.kind, "") + entry.name + ": _Any"
    return text if entry.default is entry.empty else text + " = ..."


def signature(function):
    """The parameters of a function as a stub writes them."""
    parts, star = [], False
    for entry in inspect.signature(function).parameters.values():
        star = star or entry.kind == entry.VAR_POSITIONAL
        if entry.kind == entry.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        parts.append(parameter(entry))
    return ", ".join(parts)


def export(module, name, value):
    """One name of a module as its stub shows it."""
    if isinstance(value, types.ModuleType):
        if not value.__name__.startswith("headrace") or "._" in value.__name__:
            return ""
        parent, _, leaf = value.__name__.rpartition(".")
        return f"from {parent} import {leaf} as {name}\n"
    origin, real = getattr(value, "__module__", None) or "", getattr(value, "__name__", name)
    if origin == "headrace.protos" or (isinstance(value, type) and hasattr(value, "DESCRIPTOR")):
        return f"from headrace.protos import {real} as {name}\n"
    if origin.startswith("headrace") and real in defined_in(origin) and origin != module.__name__:
        return f"from {origin} import {real} as {name}\n"
    if inspect.isclass(value):
        return inspect.getsource(value).split("\n")[0].rstrip(":") + ":\n" + docstring(value) + \
            "    def __init__(self, *args: _Any, **kwargs: _Any) -> None: ...\n    def __getattr__(self, name: builtins.str) -> _Any: ...\n"
    if callable(value) and not type(value).__module__.startswith("headrace"):
        return f"def {name}({signature(value)}) -> _Any:\n{docstring(value)}    ...\n"
    kind = type(value)
    if kind.__module__.startswith("headrace"):
        return f"{name}: {kind.__module__}.{kind.__qualname__}\n"
    return f"{name}: {'builtins.' + kind.__name__ if kind.__module__ == 'builtins' and value is not None else 'None'}\n"


def public(module):
    """The public names of a module and their values; a name that cannot be loaded is told and left out."""
    for name in dir(module):
        if not name.startswith("_"):
            try:
                yield name, getattr(module, name)
            except ImportError as error:
                print(f"make_stubs: {module.__name__}.{name}: {error}", file=sys.stderr)


def module_stub(module):
    """The stub of a module with a __getattr__ of its own, or with names that its source does not show."""
    lines = [export(module, name, value) for name, value in public(module)]
    if hasattr(module, "__version__"):
        lines.append("__version__: builtins.str\n")
    used = sorted({line.split(": ")[1].rpartition(".")[0] for line in lines if line.count(": headrace.") and line.count("\n") == 1})
    return HEAD.format(first_line(module.__doc__)) + "".join(f"import {name}\n" for name in used) + "".join(sorted(
        lines, key=lambda line: not line.startswith("from")))


def op_stub(op, native):
    """One op of the registry as a function."""
    _, inputs, outputs, attrs, _ = native.op_signature(op)
    inferred = {attr for arg in inputs for attr in arg[2:5] if attr}
    many = [bool(arg[3] or arg[4]) for arg in outputs]
    result = "Operation" if not outputs else ("list[Tensor]" if many[0] else "Tensor") if len(outputs) == 1 else "_Any"
    parts = [f"{arg[0]}: _Any" for arg in inputs] + ["*"]
    for attr, kind, has_default, *_ in attrs:
        if attr not in inferred:
            parts.append(f"{attr}: {ATTR_TYPES.get(kind, '_Any')}" + (" = ..." if has_default else ""))
    parts.append("name: typing.Optional[builtins.str] = ...")
    shown = ", ".join(arg[0] for arg in outputs)
    return f'def {op}({", ".join(parts)}) -> {result}:\n    """The op {op}; gives {shown or "nothing"}."""\n    ...\n'


def raw_ops_stub(module, native):
    head = HEAD.format(first_line(module.__doc__)) + "from headrace.framework.graph import Operation, Tensor\n\n"
    return head + "".join(op_stub(op, native) for op in sorted(native.op_names()) if not op.startswith("_"))


def message_stub(message):
    fields = "".join(f"    {field.name}: _Any\n" for field in message.DESCRIPTOR.fields if field.name.isidentifier())
    names = "".join(f", {field.name}: _Any = ..." for field in message.DESCRIPTOR.fields)
    nested = "".join(f"    {entry.name}: _Any\n" for kind in (message.DESCRIPTOR.nested_types, message.DESCRIPTOR.enum_types)
                     for entry in kind)
    values = "".join(f"    {value.name}: builtins.int\n" for enum in message.DESCRIPTOR.enum_types for value in enum.values)
    star = ", *" if names else ""
    return f"class {message.__name__}(_Message):\n{fields}{nested}{values}    def __init__(self{star}{names}) -> None: ...\n"


def protos_stub(module):
    methods = "".join(f"    def {name}(self, *args: _Any, **kwargs: _Any) -> {result}: ...\n" for name, result in (
        ("SerializeToString", "builtins.bytes"), ("ParseFromString", "builtins.int"), ("MergeFromString", "builtins.int"),
        ("CopyFrom", "None"), ("MergeFrom", "None"), ("Clear", "None"), ("ClearField", "None"), ("ByteSize", "builtins.int"),
        ("HasField", "builtins.bool"), ("WhichOneof", "typing.Optional[builtins.str]"), ("ListFields", "_Any")))
    base = "class _Message:\n    DESCRIPTOR: _Any\n    @classmethod\n    def FromString(cls, data: builtins.bytes) -> " \
           "typing.Self: ...\n" + methods
    return HEAD.format(first_line(module.__doc__)) + base + "".join(message_stub(getattr(module, name)) for name in dir(module))


def stubs(package):
    """Yields (path, text) of every stub."""
    yield "headrace/__init__.pyi", module_stub(package)
    folder = pathlib.Path(package.__file__).parent
    found = glob.glob(f"{folder}/**/*.py", recursive=True)  # unlike Path.glob it goes through links
    files = sorted(pathlib.Path(file).relative_to(folder).with_suffix("") for file in found)
    names = [".".join(("headrace", *file.parts)) for file in files if not file.name.startswith("_")]
    names += [".".join(("headrace", *file.parent.parts)) for file in files if file.name == "__init__" and file.parent.parts]
    modules = [importlib.import_module(name) for name in names]
    for module in modules:
        path = module.__name__.replace(".", "/") + ("/__init__.pyi" if "__path__" in vars(module) else ".pyi")
        if module.__name__ == "headrace.raw_ops":
            yield path, raw_ops_stub(module, importlib.import_module("headrace._native").native)
        elif module.__name__ == "headrace.protos":
            yield path, protos_stub(module)
        elif module.__name__ in ("headrace.compat.v1", "headrace.train") or "__getattr__" in vars(module):
            yield path, module_stub(module)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    for path, text in stubs(importlib.import_module("headrace")):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)
