"""Kernels compiled by Numba: elementwise rules read as loops, and fused accelerations written by hand.

Nothing here is imported before a kernel is chosen; loading Numba costs more than most small work.
"""
