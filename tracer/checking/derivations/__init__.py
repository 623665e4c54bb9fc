"""Hand derivations as text: read, worked through on the numbers of a trace without running anything, line by line."""
