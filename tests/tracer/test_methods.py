"""Array methods: those of numpy mean what they mean there, the others call the operation of their name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tracer as tr
from tracer.methods import FUNCTIONS_ELSEWHERE, Elsewhere, Method, Methods

X = np.array([[1.5, 0.5, -0.5], [0.25, -0.75, 2.0]])

NUMPYS: list[Callable[[Any], Any]] = [
    lambda x: x.all(),
    lambda x: x.any(axis=1),
    lambda x: x.argmax(),
    lambda x: x.argmin(1),
    lambda x: x.argsort(),
    lambda x: x.argsort(0),
    lambda x: x.clip(-0.5, 1.0),
    lambda x: x.cumprod(1),
    lambda x: x.cumsum(),
    lambda x: x.diagonal(1),
    lambda x: x.dot(X.T),
    lambda x: x.flatten(),
    lambda x: x.max(0),
    lambda x: x.mean(axis=1, keepdims=True),
    lambda x: x.prod(axis=0),
    lambda x: x.ravel(),
    lambda x: x.repeat(2),
    lambda x: x.repeat([1, 2], axis=0),
    lambda x: x.reshape(3, 2),
    lambda x: x.round(),
    lambda x: x.round(1),
    lambda x: x[:1].squeeze(),
    lambda x: x[:1].squeeze(0),
    lambda x: x.std(),
    lambda x: x.std(axis=0, ddof=1),
    lambda x: x.swapaxes(0, 1),
    lambda x: x.take([4, 0]),
    lambda x: x.take([2, 0], 1),
    lambda x: x.transpose(1, 0),
    lambda x: x.var(0),
]


@pytest.mark.parametrize("number", range(len(NUMPYS)))
def test_a_method_of_numpys_arrays_means_what_it_means_there(number: int):
    call = NUMPYS[number]
    for x in (tr.tensor(X), tr.parameter(X)):
        out = call(x)
        assert out.op is not None
        np.testing.assert_allclose(out.value, call(X), rtol=1e-14, strict=True)


NAMES = [name for name, each in vars(Methods).items() if isinstance(each, Method)]


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_the_operation_of_its_name(name: str):
    assert getattr(tr.Tensor, name) is getattr(tr, name)
    x = tr.tensor(X)
    bound = getattr(x, name)
    assert bound.__func__ is getattr(tr, name)
    assert bound.__self__ is x


def test_every_method_of_numpys_arrays_that_we_have_as_an_operation_is_a_method():
    """But for those that change the array, or would mean something else."""
    missing = {
        name
        for name in dir(np.ndarray)
        if not name.startswith("_") and hasattr(tr, name) and not hasattr(tr.Tensor, name)
    }
    assert missing == {"sort", "trace"}


def test_a_name_that_we_do_not_have_says_what_to_write():
    named = [name for name, each in vars(Methods).items() if isinstance(each, Elsewhere)]
    assert {"view", "permute", "unsqueeze", "clone", "data", "retain_grad"} <= set(named)
    for name in named:
        with pytest.raises(AttributeError, match=rf"no '{name}'\n  try: .*(x|tr)"):
            getattr(tr.tensor(1.0), name)


def test_a_method_takes_pytorchs_word_for_an_axis_as_a_question():
    with pytest.raises(tr.errors.PrimitiveError, match=r"no parameter 'dim'(.|\n)*try: axis=0"):
        tr.tensor(X).cumsum(dim=0)
    with pytest.raises(tr.errors.PrimitiveError, match=r"no parameter 'min'(.|\n)*try: low=0"):
        tr.tensor(X).clip(min=0)


@pytest.mark.parametrize(
    ("module", "name", "cure"),
    [
        (tr, "cat", r"try: tr\.concatenate\("),
        (tr, "asin", r"try: tr\.arcsin$"),
        (tr, "zeros", r"try: tr\.tensor\(np\.zeros"),
        (tr.nn, "ReLU", r"try: tr\.relu, a function"),
        (tr.nn, "BCEWithLogitsLoss", r"try: tr\.binary_cross_entropy_with_logits, a"),
        (tr.nn, "AvgPool2d", r"try: tr\.avg_pool2d, a"),
        (tr.nn, "functional", r"try: import tracer as tr"),
        (tr.nn, "Conv3d", r"no attribute 'Conv3d'$"),
        (tr, "rleu", r"try: tr\.relu$"),
        (tr, "zorp", r"no attribute 'zorp'$"),
    ],
)
def test_a_name_of_pytorchs_says_how_it_is_written_here(module: Any, name: str, cure: str):
    assert not hasattr(module, name)
    with pytest.raises(AttributeError, match=cure):
        getattr(module, name)


def test_functions_that_are_written_otherwise_are_none_of_ours():
    for name, cure in FUNCTIONS_ELSEWHERE.items():
        assert not hasattr(tr, name)
        for ours in re.findall(r"\btr\.(\w+)", cure):
            assert hasattr(tr, ours)
