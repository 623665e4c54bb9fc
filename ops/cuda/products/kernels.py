"""The kernels of matrix products: tiles in shared memory for large ones, one thread an element for tiny ones.

Every element of a product is one chain of multiply-adds over k from 0 upwards, whatever the tile and the launch: so all
kernels here give the same bits. Only a split of k, made by shape alone, sums in another order: each stretch by itself,
then the stretches by a fixed number of lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any

WIDTH = 32
"""Neighbouring elements of a result that a block adds the splits of, a warp to each row of them."""


# ----- a tile of the product in the registers of a block


def build_product(
    cuda: Any, math: Any, T: Any, threads: int, *, per: int, depth: int, ta: bool, tb: bool
) -> Callable[..., None]:
    """out[split, s] = A B for each matrix s of a stack, A = a or aᵀ, B = b or bᵀ, over that split's part of k.

    The block is a square of threads, each with per · per elements, `side` apart, so that neighbours read and write
    neighbours. Tiles of A and B, `depth` long, take turns in two buffers: while one is multiplied, the loads of the
    next are on their way. `side` is a multiple of `per`, per · depth one of `side`, the threads one of `depth`.

    a: matrices (M, length), with ta (length, M), one behind another. b: (length, N), with tb (N, length).
    out: (splits, stack, M, N). Matrix s sums the products of a[s // a_every modulo a_count] and likewise of b, then of
    those a_step and b_step further, `summed` in all.
    """
    zero = T(0)
    # an unsigned index is not looked at for being counted from the end
    unsigned, signed = np.uintp, np.int64
    side = round(threads**0.5)
    wide = side * per
    loads = per * depth // side
    far_wide, far_deep = threads // wide, threads // depth
    both = 2 * depth
    pitch = wide + 32 // depth  # threads that store a column of a tile meet no memory bank twice

    def kernel(
        a: Array,
        b: Array,
        out: Array,
        length: int,
        a_every: int,
        a_count: int,
        a_step: int,
        b_every: int,
        b_count: int,
        b_step: int,
        summed: int,
    ) -> None:
        left = cuda.shared.array((both, pitch), T)
        right = cuda.shared.array((both, pitch), T)
        next_left = cuda.local.array(loads, T)
        next_right = cuda.local.array(loads, T)
        from_a = cuda.local.array(loads, signed)
        from_b = cuda.local.array(loads, signed)
        rows = cuda.local.array(per, T)
        columns = cuda.local.array(per, T)
        total = cuda.local.array((per, per), T)
        thread = cuda.threadIdx.x
        down = thread // side
        across = thread % side
        splits = out.shape[0]
        stack = out.shape[1]
        height = out.shape[2]
        width = out.shape[3]
        steps = (length + depth - 1) // depth
        high = (height + wide - 1) // wide
        broad = (width + wide - 1) // wide
        # what this thread loads of a tile: its first element here, the others `far` apart
        a_row, a_k = (thread % wide, thread // wide) if ta else (thread // depth, thread % depth)
        b_column, b_k = (thread // depth, thread % depth) if tb else (thread % wide, thread // wide)
        # from a tile to the next, and from the last one of a matrix to the first one of the next matrix
        hop_a = depth * height if ta else depth
        hop_b = depth if tb else depth * width
        jump_a = a_step * height * length - (steps - 1) * hop_a
        jump_b = b_step * width * length - (steps - 1) * hop_b
        tile = cuda.blockIdx.x
        while tile < splits * stack * high * broad:
            column0 = tile % broad * wide
            row0 = tile // broad % high * wide
            matrix = tile // (broad * high) % stack
            split = tile // (broad * high * stack)
            first = summed * steps * split // splits
            count = summed * steps * (split + 1) // splits - first
            in_a = matrix // a_every % a_count
            in_b = matrix // b_every % b_count
            k0 = first * depth
            if summed > 1 and count > 0:
                in_a += first // steps * a_step
                in_b += first // steps * b_step
                k0 = first % steps * depth
            for n in range(loads):
                # rows behind the last stand in as the last: what they give is not stored
                if ta:
                    row, k = row0 + a_row, k0 + a_k + n * far_wide
                else:
                    row, k = row0 + a_row + n * far_deep, k0 + a_k
                row = row if row < height else height - 1
                from_a[n] = in_a * height * length + (k * height + row if ta else row * length + k)
                if tb:
                    column, k = column0 + b_column + n * far_deep, k0 + b_k
                else:
                    column, k = column0 + b_column, k0 + b_k + n * far_wide
                column = column if column < width else width - 1
                from_b[n] = in_b * width * length + (
                    column * length + k if tb else k * width + column
                )
            for i in range(per):
                for j in range(per):
                    total[i, j] = zero
            for step in range(count + 1):
                if step < count:
                    more = k0 + depth < length
                    for n in range(loads):
                        value = zero
                        if k0 + a_k + (n * far_wide if ta else 0) < length:
                            value = a[unsigned(from_a[n])]
                        next_left[n] = value
                        from_a[n] += hop_a if more else jump_a
                    for n in range(loads):
                        value = zero
                        if k0 + b_k + (0 if tb else n * far_wide) < length:
                            value = b[unsigned(from_b[n])]
                        next_right[n] = value
                        from_b[n] += hop_b if more else jump_b
                    k0 = k0 + depth if more else 0
                if step > 0:
                    k = (step + 1) % 2 * depth
                    # two at a time: so the second is loaded while the first is multiplied
                    for _ in range(depth // 2):
                        for _ in range(2):
                            for i in range(per):
                                rows[i] = left[unsigned(k), unsigned(down + i * side)]
                                columns[i] = right[unsigned(k), unsigned(across + i * side)]
                            for i in range(per):
                                for j in range(per):
                                    total[i, j] += rows[i] * columns[j]
                            k += 1
                if step < count:
                    k_a, k_b = step % 2 * depth + a_k, step % 2 * depth + b_k
                    for n in range(loads):
                        if ta:
                            left[unsigned(k_a + n * far_wide), unsigned(a_row)] = next_left[n]
                        else:
                            left[unsigned(k_a), unsigned(a_row + n * far_deep)] = next_left[n]
                        if tb:
                            right[unsigned(k_b), unsigned(b_column + n * far_deep)] = next_right[n]
                        else:
                            right[unsigned(k_b + n * far_wide), unsigned(b_column)] = next_right[n]
                # one barrier is enough: what is stored now was last read before the barrier before
                cuda.syncthreads()
            for i in range(per):
                row = row0 + down + i * side
                if row < height:
                    for j in range(per):
                        column = column0 + across + j * side
                        if column < width:
                            where = (
                                unsigned(split),
                                unsigned(matrix),
                                unsigned(row),
                                unsigned(column),
                            )
                            out[where] = total[i, j]
            tile += cuda.gridDim.x

    return kernel


# ----- one thread an element


def build_small_product(
    cuda: Any, math: Any, T: Any, threads: int, *, ta: bool, tb: bool
) -> Callable[..., None]:
    """The same product, for one split: every thread sums the elements that fall to it by itself."""
    zero = T(0)

    def kernel(
        a: Array,
        b: Array,
        out: Array,
        length: int,
        a_every: int,
        a_count: int,
        a_step: int,
        b_every: int,
        b_count: int,
        b_step: int,
        summed: int,
    ) -> None:
        stack = out.shape[1]
        height = out.shape[2]
        width = out.shape[3]
        i = cuda.grid(1)
        while i < stack * height * width:
            column = i % width
            row = i // width % height
            matrix = i // (height * width)
            hop_a = height if ta else 1
            hop_b = 1 if tb else width
            total = zero
            for n in range(summed):
                in_a = (matrix // a_every % a_count + n * a_step) * height * length
                in_b = (matrix // b_every % b_count + n * b_step) * width * length
                in_a += row if ta else row * length
                in_b += column * length if tb else column
                for k in range(length):
                    total += a[in_a + k * hop_a] * b[in_b + k * hop_b]
            out[0, matrix, row, column] = total
            i += cuda.gridsize(1)

    return kernel


# ----- the second stage of a split


def build_add_splits(
    cuda: Any, math: Any, T: Any, threads: int, *, depth: int = 1
) -> Callable[..., None]:
    """out[i] = Σ parts[split, i], where lane d of `depth` adds splits d, d + depth, ..., then the lanes are added."""
    zero = T(0)
    held = 4

    def kernel(parts: Array, out: Array) -> None:
        ready = cuda.local.array(held, T)
        found = cuda.shared.array((depth, WIDTH), T)
        splits, size = parts.shape[0], parts.shape[1]
        for strip in range(cuda.blockIdx.x, (size + WIDTH - 1) // WIDTH, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x & 1023, depth * WIDTH, threads):
                i = strip * WIDTH + lane % WIDTH
                total = zero
                if i < size:
                    for low in range(lane // WIDTH, splits, held * depth):
                        for k in range(held):
                            split = low + k * depth
                            ready[k] = parts[split if split < splits else low, i]
                        for k in range(held):
                            if low + k * depth < splits:
                                total += ready[k]
                found[lane // WIDTH, lane % WIDTH] = total
            cuda.syncthreads()
            for lane in range(cuda.threadIdx.x & 1023, WIDTH, threads):
                i = strip * WIDTH + lane
                if i < size:
                    total = zero
                    for d in range(depth):
                        total += found[d, lane]
                    out[i] = total
            cuda.syncthreads()

    return kernel
