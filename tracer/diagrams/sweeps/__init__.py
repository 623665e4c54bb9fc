"""The backward style: the backward pass as a graph of its own."""
