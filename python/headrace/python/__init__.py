"""Modules that programs import from inside of TensorFlow, at their places there: `from headrace.python.client import timeline`."""
