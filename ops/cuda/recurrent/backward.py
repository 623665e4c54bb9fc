"""The loop over time of recurrent layers, backward: the persistent kernel of the forward pass, against time.

What the step after sends back is its cotangents times the weights, which stream past them as in the forward pass; then
each lane turns what arrives at a state into the cotangents of the sums before its gates. The gradients of the weights
are products over all steps at once, afterwards.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.recurrent.forward import GATES, NATURAL

Array = Any


def build_backward(
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
    """The cotangents of the sums before the gates, for_state (T, B, G·H), and what arrives at the first cell or state.

    g, g_cell, states, cells: (T, B, H). start, carried: (B, H). gates: (T, B, 4·H). w: w_hh row by row, (G·H · H,).
    truncate: 0 for none. Of a GRU, start is h0, for_input holds the cotangents of the sums of the input, and carried
    what passes its last update gate; of an LSTM start is c0 and carried its cotangent. For what a cell has not, any
    array of as many axes. H is `hidden`, and a block owns `batch` rows.
    """
    zero, one = T(0), T(1)
    relu, gru, lstm = cell == "relu", cell == "gru", cell == "lstm"
    width, sums_of_lane = GATES[cell] * hidden, 4 * batch
    quads, stretch = (hidden + 3) // 4, (width + stretches - 1) // stretches
    uneven = hidden % 4 > 0
    delta_size, kept_size = batch * width, batch * hidden if gru or lstm else 1
    room = batch * stretches * hidden
    near_size = 4 * held if held else 1
    single = threads >= quads * stretches  # only a thread of one lane can keep anything

    def kernel(
        g: Array,
        g_cell: Array,
        states: Array,
        cells: Array,
        start: Array,
        gates: Array,
        w: Array,
        truncate: Any,
        backwards: Any,
        for_state: Array,
        for_input: Array,
        carried: Array,
    ) -> None:
        delta = cuda.shared.array(delta_size, T)
        kept = cuda.shared.array(kept_size, T)
        part = cuda.shared.array(room, T)
        total = cuda.local.array(sums_of_lane, T)
        given = cuda.local.array(sums_of_lane, T)
        near = cuda.local.array(near_size, T)
        count, people = g.shape[0], g.shape[1]
        if single and cuda.threadIdx.x < quads * stretches:
            piece = cuda.threadIdx.x // quads
            k0 = cuda.threadIdx.x - piece * quads
            for r in range(held):
                o = (piece * stretch + r) * hidden
                for c in range(4):
                    column = k0 + c * quads
                    near[4 * r + c] = w[(o + (column if column < hidden else k0)) & NATURAL]
        for first in range(cuda.blockIdx.x * batch, people, cuda.gridDim.x * batch):
            for number in range(count - 1, -1, -1):
                t = count - 1 - number if backwards else number
                earlier = t + 1 if backwards else t - 1
                linked = number + 1 < count
                if linked and truncate > 0 and (number + 1) % truncate == 0:
                    linked = False  # the step after sends nothing back
                last = width if linked else 0
                for item in range(cuda.threadIdx.x, quads * stretches, threads):
                    piece = item // quads
                    k0 = item - piece * quads
                    e1, e2, e3 = quads, 2 * quads, 3 * quads
                    if uneven:  # of the columns past the end, the sums are not kept
                        e1 = e1 if k0 + e1 < hidden else 0
                        e2 = e2 if k0 + e2 < hidden else 0
                        e3 = e3 if k0 + e3 < hidden else 0
                    for b in range(batch):  # read first and added last: under way meanwhile
                        for c in range(4):
                            total[4 * b + c] = zero
                            given[4 * b + c] = zero
                            column = k0 + c * quads
                            if piece == 0 and column < hidden and first + b < people:
                                z = g[t, first + b, column]
                                if gru and linked:
                                    z += kept[b * hidden + column]
                                given[4 * b + c] = z
                    k = piece * stretch
                    high = k + stretch
                    high = high if high < last else last
                    if linked:
                        for r in range(0, 4 * held, 16):
                            if single:
                                p0, p1, p2, p3 = near[r], near[r + 1], near[r + 2], near[r + 3]
                                q0, q1, q2, q3 = near[r + 4], near[r + 5], near[r + 6], near[r + 7]
                                r0, r1, r2, r3 = (
                                    near[r + 8],
                                    near[r + 9],
                                    near[r + 10],
                                    near[r + 11],
                                )
                                s0, s1, s2, s3 = (
                                    near[r + 12],
                                    near[r + 13],
                                    near[r + 14],
                                    near[r + 15],
                                )
                            else:
                                o = (k * hidden + k0) & NATURAL
                                p0, p1, p2, p3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                                o += hidden
                                q0, q1, q2, q3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                                o += hidden
                                r0, r1, r2, r3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                                o += hidden
                                s0, s1, s2, s3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                            for b in range(batch):
                                o = (b * width + k) & NATURAL
                                x, y, z, u = delta[o], delta[o + 1], delta[o + 2], delta[o + 3]
                                total[4 * b] += (x * p0 + y * q0) + (z * r0 + u * s0)
                                total[4 * b + 1] += (x * p1 + y * q1) + (z * r1 + u * s1)
                                total[4 * b + 2] += (x * p2 + y * q2) + (z * r2 + u * s2)
                                total[4 * b + 3] += (x * p3 + y * q3) + (z * r3 + u * s3)
                            k += 4
                    while k + 3 < high:
                        o = (k * hidden + k0) & NATURAL
                        p0, p1, p2, p3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                        o += hidden
                        q0, q1, q2, q3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                        o += hidden
                        r0, r1, r2, r3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                        o += hidden
                        s0, s1, s2, s3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                        for b in range(batch):
                            o = (b * width + k) & NATURAL
                            x, y, z, u = delta[o], delta[o + 1], delta[o + 2], delta[o + 3]
                            total[4 * b] += (x * p0 + y * q0) + (z * r0 + u * s0)
                            total[4 * b + 1] += (x * p1 + y * q1) + (z * r1 + u * s1)
                            total[4 * b + 2] += (x * p2 + y * q2) + (z * r2 + u * s2)
                            total[4 * b + 3] += (x * p3 + y * q3) + (z * r3 + u * s3)
                        k += 4
                    while k < high:
                        o = (k * hidden + k0) & NATURAL
                        p0, p1, p2, p3 = w[o], w[o + e1], w[o + e2], w[o + e3]
                        for b in range(batch):
                            x = delta[(b * width + k) & NATURAL]
                            total[4 * b] += x * p0
                            total[4 * b + 1] += x * p1
                            total[4 * b + 2] += x * p2
                            total[4 * b + 3] += x * p3
                        k += 1
                    for b in range(batch):
                        o = (b * stretches + piece) * hidden + k0
                        for c in range(4):
                            if k0 + c * quads < hidden:
                                part[o + c * quads] = total[4 * b + c] + given[4 * b + c]
                cuda.syncthreads()
                for b in range(batch):
                    for j in range(cuda.threadIdx.x, hidden, threads):
                        i = b * hidden + j
                        o = b * stretches * hidden + j
                        k = b * width + j
                        person = first + b if first + b < people else first
                        there = first + b < people
                        dh = zero
                        for _ in range(stretches):
                            dh += part[o]
                            o += hidden
                        if gru:
                            r, z = gates[t, person, j], gates[t, person, hidden + j]
                            n = gates[t, person, 2 * hidden + j]
                            offer = gates[t, person, 3 * hidden + j]
                            before = states[earlier, person, j] if number > 0 else start[person, j]
                            dn = dh * ((one - z) * (one - n * n))
                            dr = dn * offer * (r * (one - r))
                            dz = dh * (before - n) * (z * (one - z))
                            kept[i] = dh * z
                            delta[k], delta[k + hidden], delta[k + 2 * hidden] = dr, dz, dn * r
                            if there:
                                for_state[t, person, j] = dr
                                for_state[t, person, hidden + j] = dz
                                for_state[t, person, 2 * hidden + j] = dn * r
                                for_input[t, person, j] = dr
                                for_input[t, person, hidden + j] = dz
                                for_input[t, person, 2 * hidden + j] = dn
                                if number == 0:
                                    carried[person, j] = dh * z
                        elif lstm:
                            m, f = gates[t, person, j], gates[t, person, hidden + j]
                            n = gates[t, person, 2 * hidden + j]
                            out = gates[t, person, 3 * hidden + j]
                            before = cells[earlier, person, j] if number > 0 else start[person, j]
                            squashed = math.tanh(cells[t, person, j])
                            dc = g_cell[t, person, j] + dh * (out * (one - squashed * squashed))
                            if linked:
                                dc += kept[i]
                            kept[i] = dc * f
                            di = dc * (n * (m * (one - m)))
                            df = dc * (before * (f * (one - f)))
                            dn = dc * (m * (one - n * n))
                            do = dh * (squashed * (out * (one - out)))
                            delta[k], delta[k + hidden] = di, df
                            delta[k + 2 * hidden], delta[k + 3 * hidden] = dn, do
                            if there:
                                for_state[t, person, j] = di
                                for_state[t, person, hidden + j] = df
                                for_state[t, person, 2 * hidden + j] = dn
                                for_state[t, person, 3 * hidden + j] = do
                                if number == 0:
                                    carried[person, j] = dc * f
                        else:
                            h = states[t, person, j]
                            dz = dh * (one - h * h)
                            if relu:  # as its rule has it: 0 at the kink, and NaN lets through
                                dz = zero if h <= zero else dh
                            delta[k] = dz
                            if there:
                                for_state[t, person, j] = dz
                cuda.syncthreads()

    return kernel
