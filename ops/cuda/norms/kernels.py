"""The kernels of the norms: what launches and tests them reads these entries."""

from __future__ import annotations

from ops.cuda.kernel import Kernel
from ops.cuda.norms import channel_trials, channels, columns, row_slopes, rows, trials
from ops.cuda.norms import column_flows as flows

MOMENTS = Kernel(
    "column_moments",
    "norms",
    columns.build_moments,
    "T[:] T[:,:,:]",
    trials.moments,
    doc="Mean and sum of squares about it of every column, slab by slab of rows.",
)
STATISTICS = Kernel(
    "column_statistics",
    "norms",
    columns.build_statistics,
    "T[:,:] T[:,:,:] i8 T T[:] T[:]",
    trials.statistics,
    doc="Mean and inverse deviation of every column, from the moments of its slabs.",
)
AFFINE = Kernel(
    "column_affine",
    "norms",
    columns.build_affine,
    "T[:] T[:] T[:] T T T[:] T[:] T[:]",
    trials.affine,
    doc="Columns normalised by given statistics, scaled and shifted.",
)
SLOPES = Kernel(
    "column_slopes",
    "norms",
    flows.build_slopes,
    "T[:] T[:] T[:] T[:] T[:,:,:]",
    trials.slopes,
    ulps=16,
    doc="Sum of g and of g x̂ of every column, slab by slab of rows.",
)
SLOPES_SUM = Kernel(
    "column_slopes_sum",
    "norms",
    flows.build_slopes_sum,
    "T[:,:,:] T[:] T[:]",
    trials.slopes_sum,
    ulps=8,
    doc="The flows of shift and scale: sums over all slabs of rows.",
)
FLOW = Kernel(
    "column_flow",
    "norms",
    flows.build_flow,
    "T[:] T[:] T[:] T T[:] T[:] T[:] T[:] T[:]",
    trials.flow,
    doc="The flow of a batch through its normalisation by columns.",
)
FORWARD = Kernel(
    "row_norm",
    "norms",
    rows.build_forward,
    "T[:] T[:] T[:] T T T i8 i8 i8 T[:] T[:] T[:]",
    trials.grouped,
    ulps=32,  # in float64 the reference is no sharper than the kernel
    doc="Rows normalised by their own mean and deviation, or by their root mean square.",
)
BACKWARD = Kernel(
    "row_norm_backward",
    "norms",
    rows.build_backward,
    "T[:] T[:] T[:] T i8 T[:] T[:] T[:] T[:,:,:]",
    trials.backward,
    ulps=16,
    doc="The flow of rows through their normalisation, and the sums for scale and shift, slab by slab.",
)
ROW_SLOPES = Kernel(
    "row_slopes",
    "norms",
    row_slopes.build_row_slopes,
    "T[:] T[:] T[:] T[:] T[:,:,:]",
    trials.row_slopes,
    ulps=16,
    doc="Sum of g and of g x̂ of every column of long rows, slab by slab of rows.",
)
CHANNEL_MOMENTS = Kernel(
    "channel_moments",
    "norms",
    channels.build_moments,
    "T[:] T[:,:,:]",
    channel_trials.moments,
    ulps=8,
    doc="Mean and sum of squares about it of the pixels of every channel of each sample.",
)
CHANNEL_AFFINE = Kernel(
    "channel_affine",
    "norms",
    channels.build_affine,
    "T[:] T[:] T[:] T T i8 T[:] T[:] T[:]",
    channel_trials.affine,
    doc="Channels normalised by given statistics, scaled and shifted.",
)
CHANNEL_SLOPES = Kernel(
    "channel_slopes",
    "norms",
    channels.build_slopes,
    "T[:] T[:] T[:] T[:] i8 T[:,:,:]",
    channel_trials.slopes,
    ulps=16,
    doc="Sum of g and of g x̂ over the pixels of every channel of each sample.",
)
CHANNEL_FLOW = Kernel(
    "channel_flow",
    "norms",
    channels.build_flow,
    "T[:] T[:] T[:] T i8 T[:] T[:] T[:] T[:] T[:]",
    channel_trials.flow,
    doc="The flow of a batch through its normalisation by channels.",
)
