"""Elementwise operations on a GPU: kernels written from their own rules, value and derivative."""
