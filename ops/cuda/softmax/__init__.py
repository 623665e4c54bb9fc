"""Softmax, its logarithm, and the losses of classes on a GPU."""
