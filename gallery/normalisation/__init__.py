"""BatchNorm and LayerNorm (Ioffe & Szegedy 2015; Farrahi & Hare)."""

from gallery.normalisation.batchnorm import BATCHNORM, BY_HAND, DIGITS, FUSED
from gallery.normalisation.batchnorm_train import BATCHNORM_TRAIN
from gallery.normalisation.inference import INFERENCE
from gallery.normalisation.layernorm import LAYERNORM

ENTRIES = (BATCHNORM, FUSED, BY_HAND, DIGITS, INFERENCE, LAYERNORM, BATCHNORM_TRAIN)
