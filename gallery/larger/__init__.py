"""Larger pictures: a language model, dilated convolutions, a small AlexNet, a Neural Turing Machine."""

from gallery.larger.bengio import BENGIO, ONE_HOT
from gallery.larger.convnet import CONVNET
from gallery.larger.turing_machine import TURING_MACHINE
from gallery.larger.wavenet import ONE_OUTPUT, WAVENET

ENTRIES = (BENGIO, ONE_HOT, WAVENET, ONE_OUTPUT, CONVNET, TURING_MACHINE)
