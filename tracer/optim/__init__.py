"""Optimisers, learning-rate schedules, clipping and early stopping, by PyTorch's names; `tr.optim.Adam`."""

from tracer.optim.adaptive import Adagrad as Adagrad
from tracer.optim.adaptive import Adam as Adam
from tracer.optim.adaptive import AdamW as AdamW
from tracer.optim.adaptive import RMSprop as RMSprop
from tracer.optim.clipping import clip_grad_norm as clip_grad_norm
from tracer.optim.clipping import clip_grad_value as clip_grad_value
from tracer.optim.descent import SGD as SGD
from tracer.optim.descent import FixedStep as FixedStep
from tracer.optim.optimizer import Optimizer as Optimizer
from tracer.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from tracer.optim.schedules import ExponentialLR as ExponentialLR
from tracer.optim.schedules import InverseTimeLR as InverseTimeLR
from tracer.optim.schedules import ReduceLROnPlateau as ReduceLROnPlateau
from tracer.optim.schedules import Schedule as Schedule
from tracer.optim.schedules import StepLR as StepLR
from tracer.optim.stopping import EarlyStopping as EarlyStopping
