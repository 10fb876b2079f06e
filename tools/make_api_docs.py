#!/usr/bin/env python3
"""Writes docs/api: one page for each public module of the package, from its docstrings. The package must be importable.

Usage: make_api_docs.py [--check]     (--check only says which pages differ, and fails if one does)
"""
import importlib
import inspect
import pathlib
import re
import sys

from make_stubs import public

# absl's flags or the like; messages; the ops, whose stubs are generated; the insides.
SKIPPED = {f"headrace.{name}" for name in (
    "flags", "protos", "raw_ops", "framework", "ops", "data.dataset", "data.iterator", "data.readers", "data.structure", "compat.v1")}
NESTED = ("compat", "contrib", "data")  # whose modules have pages of their own
FOLDER = pathlib.Path(__file__).parents[1] / "docs/api"
HEAD = "<!-- Written by tools/make_api_docs.py from the docstrings. -->\n"


def text_of(value):
    return inspect.cleandoc(value.__doc__) if isinstance(getattr(value, "__doc__", None), str) else ""


def signature(function, skip_self=False):
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [p.replace(annotation=p.empty) for p in found.parameters.values()][1 if skip_self else 0:]
    text = str(inspect.Signature(parameters))
    return re.sub(r"<.*?([\w.]+)>", r"\1", re.sub(r"<([\w. ]+) at 0x[0-9a-f]+>", r"<\1>", text))


def methods(cls):
    """A line for each documented method and property of a class."""
    for name, member in sorted(vars(cls).items()):
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if name.startswith("_") or not text_of(plain):
            continue
        if isinstance(plain, property):
            yield f"- `{name}`: {oneline(plain)}\n"
        elif callable(plain):
            yield f"- `{name}{signature(plain, not isinstance(member, staticmethod))}`: {oneline(plain)}\n"


def oneline(value):
    return " ".join(text_of(value).split())


def entry(name, value):
    """A name's part of a page."""
    if hasattr(value, "DESCRIPTOR"):
        return f"### {name}\n\nThe message `{value.DESCRIPTOR.full_name}`.\n"
    if inspect.isclass(value):
        constructor = "" if value.__init__ is object.__init__ else signature(value.__init__, True)
        listed = "".join(methods(value))
        return f"### {name}\n\n`{name}{constructor}`\n\n{text_of(value)}\n" + ("\n" + listed if listed else "")
    return f"### {name}\n\n`{name}{signature(value)}`\n\n{text_of(value)}\n"


def page(module, title):
    shown = dict(public(module))
    entries = [(name, value) for name, value in sorted(shown.items()) if callable(value) and not inspect.ismodule(value) and (
        getattr(value, "__module__", "headrace") or "headrace").startswith(("headrace", "google"))]
    body = "\n".join(entry(name, value) for name, value in entries)
    lines = (line.rstrip() for line in f"{HEAD}# {title}\n\n{text_of(module)}\n\n{body}".split("\n"))
    return "\n".join(lines).rstrip("\n") + "\n"


def modules(package, title="headrace"):
    """Yields (title, module) of the package and of the modules that a program sees in it."""
    yield title, package
    for name, value in public(package):
        if inspect.ismodule(value) and value.__name__.startswith("headrace") and value.__name__ not in SKIPPED:
            if title == "headrace" and name in NESTED:
                yield from modules(value, f"{title}.{name}")
            elif title == "headrace" or value.__name__.startswith(title):
                yield f"{title}.{name}", value


def pages():
    """Yields (file name, text)."""
    found = dict(modules(importlib.import_module("headrace")))
    for title, module in found.items():
        yield f"{title}.md", page(module, title)
    listed = "".join(f"- [{title}]({title}.md): {text_of(module).split(chr(10))[0]}\n" for title, module in sorted(found.items()))
    yield "README.md", f"{HEAD}# The modules of the Python package\n\n{listed}"


if __name__ == "__main__":
    made = dict(pages())
    old = {file.name: file.read_text() for file in FOLDER.glob("*.md")}
    if "--check" in sys.argv:
        wrong = sorted(name for name in made.keys() | old.keys() if made.get(name) != old.get(name))
        print(f"docs/api is not current: {', '.join(wrong)}; run tools/make_api_docs.py" if wrong else "docs/api is current")
        sys.exit(1 if wrong else 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in old.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
