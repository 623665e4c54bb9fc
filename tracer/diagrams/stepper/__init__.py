"""The HTML stepper: a walk through the forward and backward pass as one page."""

from tracer.diagrams.stepper.page import stepper_cell as stepper_cell
from tracer.diagrams.stepper.page import stepper_page as stepper_page
from tracer.diagrams.stepper.page import stepper_part as stepper_part
