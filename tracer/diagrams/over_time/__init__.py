"""The unrolled style: a network over its time steps."""
