"""The moving family: what copies, rearranges and picks elements on a device; embedding and dropout."""

from __future__ import annotations

from ops.cuda.kernel import Kernel
from ops.cuda.moving import dropout as moving_dropout
from ops.cuda.moving import indexing as moving_indexing
from ops.cuda.moving import rearranging as moving_rearranging
from ops.cuda.moving import tables as moving_tables
from ops.cuda.moving.adding import ADD_LINES, ADD_ROWS, SUM_ROWS
from ops.cuda.moving.borders import FRAME, TRIANGLE
from ops.cuda.moving.copies import FILL, MOVE, TRANSPOSE
from ops.cuda.moving.dropout import DROPOUT, DROPPED
from ops.cuda.moving.picking import ADD_PLACES, ONE_HOT, OUTSIDE, PICK
from ops.cuda.native import Native

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        MOVE,
        TRANSPOSE,
        FILL,
        FRAME,
        TRIANGLE,
        OUTSIDE,
        ADD_PLACES,
        PICK,
        ONE_HOT,
        ADD_LINES,
        ADD_ROWS,
        SUM_ROWS,
        DROPOUT,
        DROPPED,
    )
}

NATIVE: dict[str, Native] = {
    **moving_rearranging.NATIVE,
    **moving_indexing.NATIVE,
    **moving_tables.NATIVE,
    **moving_dropout.NATIVE,
}
