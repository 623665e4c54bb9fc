"""A user's own forward and backward function, in numpy, Numba or PyTorch, verified as a pair: `tr.verify_function`."""

from .checker import verify_function as verify_function
