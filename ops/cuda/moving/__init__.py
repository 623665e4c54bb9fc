"""Copies, indexing, concatenation, embedding and dropout on a GPU."""
