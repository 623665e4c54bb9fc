"""Circuits: local gradients times what comes from above (CS188, Deep Learning II)."""

from gallery.circuits.circuit import CIRCUIT
from gallery.circuits.gates import BRANCH, GATES
from gallery.circuits.neuron import ONE_GATE, SIGMOID_NEURON

ENTRIES = (CIRCUIT, SIGMOID_NEURON, ONE_GATE, GATES, BRANCH)
