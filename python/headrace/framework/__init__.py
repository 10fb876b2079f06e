"""What every other part stands on: dtypes, shapes, the graph, conversion, errors, sessions."""
