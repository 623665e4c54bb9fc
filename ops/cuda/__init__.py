"""CUDA kernels written in Python, and what launches them: one source for a GPU and for the interpreter."""
