"""Ways to write that every course uses: dictionaries of gradients, prompts, fences, chained comparisons."""

from __future__ import annotations

import pytest

import tracer as tr
from tracer.errors import DerivationError

TRACE = tr.trace(tr.square(tr.tensor(3.0, name="x")))


@pytest.mark.parametrize(
    "text",
    [
        "grads['x'] = 2 * x",
        "grads = {}\ngrads['dx'] = 2 * x",
        "grads = {'x': 2 * x}",
        "dx = 2 * cache['x']",
        "kept = {'two': 2}\ndx = kept['two'] * x",
        "kept['two'] = 2\ndx = kept['two'] * x",
        "```python\ndx = 2 * x\n```",
        ">>> dx = 2 * x",
        "%matplotlib inline\ndx = 2 * x",
        "\ufeffdx = 2 * x",
        "dx = 2 * x if 1 < 2 < 3 else 0",
        "assert x > 0\ndx = 2 * x",
        "dx = 2 * x  # a separator \u2028 is no line",
    ],
)
def test_it_is_read(text):
    assert tr.verify(TRACE, text).ok


def test_an_entry_that_stands_for_a_recorded_value_is_mentioned():
    assert (
        "cache['x'] was read as the recorded x, and so on"
        in tr.verify(TRACE, "dx = 2 * cache['x']").notes
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("dx = [x, x]", "line 1: dx is a list, no array"),
        ("dx = {}", "line 1: dx is a dictionary, no array"),
        ("dx = []\ndx.append(x)", "line 1: dx is a list, no array"),
        ("def f(q):\n    return 2 * q\ndx = f(x)", "line 3: f is a function of its own"),
        ("dx = torch.sum(x)", "np.sum"),
        ("dx = np.sum(x, dim=0)", "axis=0, keepdims=True"),
    ],
)
def test_what_cannot_be_read_is_said_in_the_users_words(text, complaint):
    with pytest.raises(DerivationError) as caught:
        tr.verify(TRACE, text)
    assert complaint in str(caught.value)
