"""Convolution and pooling on a GPU."""
