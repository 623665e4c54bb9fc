"""The loop over time of recurrent layers, forward: one persistent kernel, in which a block owns rows of the batch.

The state of its rows stays in shared memory for all time steps. At each step the weights stream past it: a lane takes
four columns and a stretch of rows of them, so that neighbours read neighbours and many reads are under way; where the
weights are just too many for the cache next to the multiprocessor, lanes keep some of them in registers for all steps.
The sums of the stretches meet in shared memory, in order. That takes two barriers a step, and none between blocks,
since rows of a batch do not depend on each other. How many stretches there are follows from shapes: every launch gives
the same bits.
"""

from __future__ import annotations

from typing import Any

Array = Any

NATURAL = (1 << 31) - 1
"""What an index is masked with, so that the compiler sees that it cannot be negative and count from the end."""
GATES = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}
"""The cells, and how many blocks of sums each has."""


def build_forward(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    cell: str,
    hidden: int = 256,
    batch: int = 1,
    stretches: int = 4,
    held: int = 0,
) -> Any:
    """The states after each step, and the gates and cells of those that have them.

    sums: x w_ihᵀ, (T, B, G·H). h0, c0: (B, H). v: w_hhᵀ row by row, (H · G·H,). states, cells: (T, B, H). gates:
    (T, B, 4·H). For what a cell has not, any array of as many axes. backwards: 1 or 0. H is `hidden`, and a block owns
    `batch` rows; that these are constants spares most of the arithmetic of addresses. Of the first `held` rows of its
    stretch, a multiple of 4 that each stretch has, a lane keeps the weights in registers for all steps.
    """
    zero, one = T(0), T(1)
    relu, gru, lstm = cell == "relu", cell == "gru", cell == "lstm"
    columns, sums_of_lane = GATES[cell] * hidden, 4 * batch
    quads, stretch = (columns + 3) // 4, (hidden + stretches - 1) // stretches
    uneven = columns % 4 > 0
    size, room = batch * hidden, batch * stretches * columns
    cells_size = size if lstm else 1
    kept_size = 4 * held if held else 1
    single = threads >= quads * stretches  # only a thread of one lane can keep anything

    def kernel(
        sums: Array,
        b_ih: Array,
        b_hh: Array,
        h0: Array,
        c0: Array,
        v: Array,
        backwards: Any,
        states: Array,
        cells: Array,
        gates: Array,
    ) -> None:
        state = cuda.shared.array(size, T)
        memory = cuda.shared.array(cells_size, T)
        part = cuda.shared.array(room, T)
        total = cuda.local.array(sums_of_lane, T)
        given = cuda.local.array(sums_of_lane, T)
        kept = cuda.local.array(kept_size, T)
        count, people = states.shape[0], states.shape[1]
        if single and cuda.threadIdx.x < quads * stretches:
            piece = cuda.threadIdx.x // quads
            k0 = cuda.threadIdx.x - piece * quads
            for r in range(held):
                o = (piece * stretch + r) * columns
                for c in range(4):
                    column = k0 + c * quads
                    kept[4 * r + c] = v[(o + (column if column < columns else k0)) & NATURAL]
        for first in range(cuda.blockIdx.x * batch, people, cuda.gridDim.x * batch):
            for b in range(batch):
                for j in range(cuda.threadIdx.x, hidden, threads):
                    state[b * hidden + j] = h0[first + b, j] if first + b < people else zero
                    if lstm:
                        memory[b * hidden + j] = c0[first + b, j] if first + b < people else zero
            cuda.syncthreads()
            for number in range(count):
                t = count - 1 - number if backwards else number
                for item in range(cuda.threadIdx.x, quads * stretches, threads):
                    piece = item // quads
                    k0 = item - piece * quads
                    e1, e2, e3 = quads, 2 * quads, 3 * quads
                    if uneven:  # of the columns past the end, the sums are not kept
                        e1 = e1 if k0 + e1 < columns else 0
                        e2 = e2 if k0 + e2 < columns else 0
                        e3 = e3 if k0 + e3 < columns else 0
                    for b in range(batch):  # read first and added last: under way meanwhile
                        for c in range(4):
                            total[4 * b + c] = zero
                            given[4 * b + c] = zero
                            column = k0 + c * quads
                            if piece == 0 and column < columns and first + b < people:
                                z = b_hh[column]
                                if not gru or column < 2 * hidden:
                                    z += sums[t, first + b, column] + b_ih[column]
                                given[4 * b + c] = z
                    k = piece * stretch
                    high = k + stretch
                    high = high if high < hidden else hidden
                    for r in range(0, 4 * held, 16):
                        if single:
                            p0, p1, p2, p3 = kept[r], kept[r + 1], kept[r + 2], kept[r + 3]
                            q0, q1, q2, q3 = kept[r + 4], kept[r + 5], kept[r + 6], kept[r + 7]
                            r0, r1, r2, r3 = kept[r + 8], kept[r + 9], kept[r + 10], kept[r + 11]
                            s0, s1, s2, s3 = kept[r + 12], kept[r + 13], kept[r + 14], kept[r + 15]
                        else:
                            o = (k * columns + k0) & NATURAL
                            p0, p1, p2, p3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                            o += columns
                            q0, q1, q2, q3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                            o += columns
                            r0, r1, r2, r3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                            o += columns
                            s0, s1, s2, s3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        for b in range(batch):
                            o = (b * hidden + k) & NATURAL
                            x, y, z, w = state[o], state[o + 1], state[o + 2], state[o + 3]
                            total[4 * b] += (x * p0 + y * q0) + (z * r0 + w * s0)
                            total[4 * b + 1] += (x * p1 + y * q1) + (z * r1 + w * s1)
                            total[4 * b + 2] += (x * p2 + y * q2) + (z * r2 + w * s2)
                            total[4 * b + 3] += (x * p3 + y * q3) + (z * r3 + w * s3)
                        k += 4
                    while k + 3 < high:
                        o = (k * columns + k0) & NATURAL
                        p0, p1, p2, p3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        o += columns
                        q0, q1, q2, q3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        o += columns
                        r0, r1, r2, r3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        o += columns
                        s0, s1, s2, s3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        for b in range(batch):
                            o = (b * hidden + k) & NATURAL
                            x, y, z, w = state[o], state[o + 1], state[o + 2], state[o + 3]
                            total[4 * b] += (x * p0 + y * q0) + (z * r0 + w * s0)
                            total[4 * b + 1] += (x * p1 + y * q1) + (z * r1 + w * s1)
                            total[4 * b + 2] += (x * p2 + y * q2) + (z * r2 + w * s2)
                            total[4 * b + 3] += (x * p3 + y * q3) + (z * r3 + w * s3)
                        k += 4
                    while k < high:
                        o = (k * columns + k0) & NATURAL
                        p0, p1, p2, p3 = v[o], v[o + e1], v[o + e2], v[o + e3]
                        for b in range(batch):
                            x = state[(b * hidden + k) & NATURAL]
                            total[4 * b] += x * p0
                            total[4 * b + 1] += x * p1
                            total[4 * b + 2] += x * p2
                            total[4 * b + 3] += x * p3
                        k += 1
                    for b in range(batch):
                        o = (b * stretches + piece) * columns + k0
                        for c in range(4):
                            if k0 + c * quads < columns:
                                part[o + c * quads] = total[4 * b + c] + given[4 * b + c]
                cuda.syncthreads()
                for b in range(batch):
                    for j in range(cuda.threadIdx.x, hidden, threads):
                        o = b * stretches * columns + j
                        z0, z1, z2, z3 = zero, zero, zero, zero
                        for _ in range(stretches):
                            z0 += part[o]
                            if gru or lstm:
                                z1 += part[o + hidden]
                                z2 += part[o + 2 * hidden]
                            if lstm:
                                z3 += part[o + 3 * hidden]
                            o += columns
                        there = first + b < people
                        before = state[b * hidden + j]
                        if gru:
                            r, z = one / (one + math.exp(-z0)), one / (one + math.exp(-z1))
                            n = zero
                            if there:
                                n = sums[t, first + b, 2 * hidden + j] + b_ih[2 * hidden + j]
                            n = math.tanh(n + r * z2)
                            h = (one - z) * n + z * before
                            if there:
                                gates[t, first + b, j] = r
                                gates[t, first + b, hidden + j] = z
                                gates[t, first + b, 2 * hidden + j] = n
                                gates[t, first + b, 3 * hidden + j] = z2
                        elif lstm:
                            i, f = one / (one + math.exp(-z0)), one / (one + math.exp(-z1))
                            n, out = math.tanh(z2), one / (one + math.exp(-z3))
                            new = f * memory[b * hidden + j] + i * n
                            memory[b * hidden + j] = new
                            h = out * math.tanh(new)
                            if there:
                                gates[t, first + b, j] = i
                                gates[t, first + b, hidden + j] = f
                                gates[t, first + b, 2 * hidden + j] = n
                                gates[t, first + b, 3 * hidden + j] = out
                                cells[t, first + b, j] = new
                        elif relu:
                            h = zero if z0 <= zero else z0  # NaN stays
                        else:
                            h = math.tanh(z0)
                        state[b * hidden + j] = h
                        if there:
                            states[t, first + b, j] = h
                cuda.syncthreads()

    return kernel
