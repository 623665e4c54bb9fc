"""Parameters that take no part in the loss of a script are named, with their lines; others are not."""

from __future__ import annotations

import textwrap

import pytest

HEAD = "import numpy as np\nimport tracer as tr\n"


@pytest.fixture
def said(gradstep, tmp_path):
    def said(script: str) -> str:
        (tmp_path / "net.py").write_text(HEAD + textwrap.dedent(script))
        status, _, errors = gradstep("show", str(tmp_path / "net.py"))
        assert status == 0
        return errors.partition(": ")[2].strip()

    return said


def test_what_was_detached_and_what_was_forgotten_take_no_part(said):
    assert (
        said("""
        w, u = tr.parameter([1.0, 2.0]), tr.parameter(1.0)
        v = tr.parameter([1.0, 2.0])
        loss = (tr.tanh(w).detach() * v).sum()
        loss.backward()
        """)
        == "w (line 4), u (line 4) take no part in this loss"
    )


def test_layers_that_forward_forgets_are_named_by_their_path(said):
    assert (
        said("""
        class Net(tr.nn.Module):
            def __init__(self):
                super().__init__()
                self.used, self.forgotten = tr.nn.Linear(2, 1), tr.nn.Linear(2, 1, bias=False)
            def forward(self, x):
                return self.used(x)
        net = Net()
        tr.mean(net(tr.constant(np.ones((3, 2))))).backward()
        """)
        == "net.forgotten.weight (line 7) takes no part in this loss"
    )


def test_parameters_that_an_optimiser_has_refilled_take_part(said):
    assert (
        said("""
        w = tr.parameter([1.0, 2.0], name="weights")
        net = tr.nn.Linear(2, 1)
        optimiser = tr.optim.SGD([w, *net.parameters()], lr=0.1)
        for step in range(2):
            loss = tr.mean(net(w * tr.constant(np.ones((3, 2)))))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        """)
        == "backward pass 2 of 2"
    )
