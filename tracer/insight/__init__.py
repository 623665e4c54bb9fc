"""What a trace tells about its network: the health of its layers and time steps."""

from .layering import Layer as Layer
from .layering import layers as layers
from .layering import time_steps as time_steps
from .report import Health as Health
from .report import health as health
from .report import measured as measured
from .suspicions import suspicions as suspicions
from .vitals import Vitals as Vitals
