"""The versions that a trace was made with."""

from __future__ import annotations

import platform

import numpy as np

VERSIONS = {"gradstep": "0.1.0", "numpy": np.__version__, "python": platform.python_version()}
