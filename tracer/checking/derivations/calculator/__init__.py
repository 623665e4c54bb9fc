"""Arithmetic, indexing and a fixed list of functions on arrays: expressions as syntax trees, never handed to Python."""

from .complaints import text_of as text_of
from .evaluation import evaluate as evaluate
from .evaluation import turns as turns
from .known import Known as Known
from .looping import unpacked as unpacked
