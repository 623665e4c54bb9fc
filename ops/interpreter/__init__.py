"""An interpreter of CUDA kernels: threads in a fixed order, barriers, shared memory, and checks of every access."""
