"""Op functions: arrays, math, nn, random, strings, control flow."""
