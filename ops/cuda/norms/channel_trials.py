"""What the kernels of norms over channels are tried on: few pixels and many, a mean far from zero, constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Trial
from ops.cuda.norms.trials import drawn, unwritten

_IMAGES = ((1, 1, 1, 32), (2, 3, 31, 32), (3, 2, 33, 32), (1, 4, 140, 32), (2, 2, 129, 64))
"""Samples, channels, pixels and lanes."""


def moments(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Channels of a pixel, around a warp, and longer than four times the lanes; a mean of 100, a constant."""
    for samples, channels, pixels, lanes in _IMAGES:
        x = drawn(rng, T, samples, channels, pixels, at=100)
        x[:, 0] = T(0.1)
        exact = x.astype(np.float64) - x[0, :, :1]
        mean = exact.mean(2)
        expected = np.stack([mean, np.square(exact - mean[..., None]).sum(2)], 1)
        yield Trial(
            (x.ravel(), unwritten(samples, 2, channels, T=T)),
            {1: expected},
            {"lanes": lanes},
            f"{samples} x {channels} x {pixels}",
        )


def affine(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Vectors, and numbers in their place."""
    for number, (samples, channels, pixels, lanes) in enumerate(_IMAGES):
        x = drawn(rng, T, samples, channels, pixels)
        gamma, beta, mean, inv_std = (drawn(rng, T, channels) for _ in range(4))
        vectors = number != 2
        scale, shift = (gamma[:, None], beta[:, None]) if vectors else (2.0, 3.0)
        y = (x.astype(np.float64) - mean[:, None]) * inv_std[:, None] * scale + shift
        yield Trial(
            (x.ravel(), gamma, beta, 2.0, 3.0, pixels, mean, inv_std, unwritten(x.size, T=T)),
            {8: y.ravel()},
            {"lanes": lanes, "scaled": vectors, "shifted": vectors},
            f"{samples} x {channels} x {pixels}" + ("" if vectors else ", numbers"),
        )


def slopes(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Statistics of each channel, of each group of two channels of a sample, and of each sample."""
    for samples, channels, pixels, lanes in _IMAGES:
        for shared in {1, channels}:
            groups = channels if shared == 1 else samples
            mean, inverse = drawn(rng, T, groups), drawn(rng, T, groups)
            g, x = (drawn(rng, T, samples * channels, pixels) for _ in range(2))
            group = np.arange(samples * channels) // shared % groups
            hat = (x.astype(np.float64) - mean[group, None]) * inverse[group, None]
            sums = g.sum(1, dtype=np.float64), (g * hat).sum(1)
            expected = np.stack([total.reshape(samples, channels) for total in sums], 1)
            yield Trial(
                (g.ravel(), x.ravel(), mean, inverse, shared, unwritten(samples, 2, channels, T=T)),
                {5: expected},
                {"lanes": lanes},
                f"{samples} x {channels} x {pixels}, {shared} together",
            )


def flow(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """A scale for each channel, and a number in its place."""
    for number, (samples, channels, pixels, lanes) in enumerate(_IMAGES):
        g, x = (drawn(rng, T, samples, channels, pixels) for _ in range(2))
        vectors = [drawn(rng, T, channels) for _ in range(5)]
        gamma, mean, inv_std, by_beta, by_gamma = (v[:, None].astype(np.float64) for v in vectors)
        scaled, share = number != 2, 1 / (samples * pixels)
        hat = (x - mean) * inv_std
        slope = (gamma if scaled else 2.0) * inv_std
        flow = slope * (g - by_beta * share - hat * by_gamma * share)
        yield Trial(
            (
                g.ravel(),
                x.ravel(),
                vectors[0],
                2.0,
                pixels,
                *vectors[1:],
                unwritten(x.size, T=T),
            ),
            {9: flow.ravel()},
            {"lanes": lanes, "scaled": scaled},
            f"{samples} x {channels} x {pixels}" + ("" if scaled else ", a number"),
        )
