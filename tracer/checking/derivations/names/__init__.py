"""What names in a derivation mean: values that were recorded, at each time step or once, and their gradients."""

from .families import Family as Family
from .recorded import Names as Names
from .recorded import node_of as node_of
