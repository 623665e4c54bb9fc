"""The gradients that a derivation gives, on the user's own numbers and each by itself, and notes about them."""

from .claims import Claim as Claim
from .claims import Derived as Derived
from .claims import claims_of_mapping as claims_of_mapping
from .claims import claims_of_text as claims_of_text
from .unjudged import Unjudged as Unjudged
