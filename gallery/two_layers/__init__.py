"""Two-layer networks, classifiers and their losses (Koehn; Simion; Bajwa; CS188)."""

from gallery.two_layers.digits_mlp import DIGITS_MLP
from gallery.two_layers.koehn import KOEHN
from gallery.two_layers.mlp import MLP
from gallery.two_layers.perceptron import LOG_LIKELIHOOD, PERCEPTRON
from gallery.two_layers.soft_targets import SOFT_TARGETS
from gallery.two_layers.softmax import SIGMOID, SOFTMAX, THREE, TWO_LAYERS
from gallery.two_layers.xor import ONE_ZERO, XOR

ENTRIES = (
    XOR,
    ONE_ZERO,
    KOEHN,
    MLP,
    DIGITS_MLP,
    SOFTMAX,
    SIGMOID,
    THREE,
    TWO_LAYERS,
    SOFT_TARGETS,
    PERCEPTRON,
    LOG_LIKELIHOOD,
)
