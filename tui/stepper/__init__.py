"""The stepper of CUDA kernels: a recorded launch, warp by warp and barrier by barrier, forwards and back in time."""
