"""Where arrays may lie besides the memory of the process: a GPU, or the interpreter of kernels in its place."""
