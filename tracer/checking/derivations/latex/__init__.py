"""Hand derivations in a subset of LaTeX, or in signs pasted from slides, read as lines for the calculator."""

from .reader import is_latex as is_latex
from .reader import read_latex as read_latex
