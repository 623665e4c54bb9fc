"""`tr.verify`: the gradients of a hand derivation beside recorded and certified numbers, line by line."""

from .verifier import verify as verify
