"""What a node is."""

KINDS = ("op", "parameter", "input", "buffer", "constant")
"""All but the first are leaves; the column `kind_of` of a trace points into this table."""
