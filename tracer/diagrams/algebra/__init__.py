"""The chain rule of a trace as aligned equations."""
