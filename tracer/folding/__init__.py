"""A trace seen as fewer boxes: scopes, time steps and repeats folded into one box each, wires between boxes merged."""
