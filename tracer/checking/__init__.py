"""Gradients checked: certified numerical derivatives, reports, and hand derivations verified line by line."""

from .certified.certificate import Certified as Certified
from .certified.recorded import Derivative as Derivative
from .certified.recorded import certify as certify
from .judge import AGREE as AGREE
from .judge import DISAGREE as DISAGREE
from .judge import UNDECIDABLE as UNDECIDABLE
from .ladder.checker import check as check
from .ladder.checker import check_trace as check_trace
from .report import Element as Element
from .report import Report as Report
from .report import Row as Row
from .verifying import verify as verify
