"""What holds for every primitive on each of its samples. No test names an operation: declaring one adds its tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops import PRIMITIVES
from tests.ops.cases import Case, cases_of, disagreements, marked, operation, signed
from tests.ops.twins import TWINS
from tests.walking import walk
from tracer.symbols import Style, Symbol, write

OURS = [op for op in PRIMITIVES.values() if op.home.startswith("ops.")]
ALL = marked()
DIFFERENTIABLE = marked(lambda case: bool(case.floats))


def by_name(op: Any) -> str:
    return str(op.name)


def test_every_primitive_has_a_twin_and_every_twin_a_primitive():
    assert {op.name for op in OURS} == set(TWINS)


@walk("case", ALL, by=operation)
def test_the_value_is_that_of_plain_numpy(case: Case):
    out, _ = case.run()
    with np.errstate(all="ignore"):
        twin = np.asarray(TWINS[case.op.name](*case.args, **case.params))
    assert np.shape(out) == twin.shape
    assert out.dtype == twin.dtype
    np.testing.assert_allclose(out, twin, rtol=2e-14, atol=1e-300)


@walk("case", ALL, by=operation)
def test_a_value_of_rank_0_is_a_numpy_scalar(case: Case):
    out, saved = case.run()
    assert isinstance(out, np.generic if np.ndim(out) == 0 else np.ndarray)
    assert sorted(saved) == sorted(each.name for each in case.op.saves)


@walk("case", DIFFERENTIABLE, by=operation)
def test_the_rule_agrees_with_certified_numbers(case: Case):
    assert disagreements(case) == []


@walk("case", DIFFERENTIABLE, by=operation)
def test_a_cotangent_has_the_shape_and_dtype_of_its_input(case: Case):
    out, _ = case.run()
    flows = case.flows(signed(np.shape(out)))
    for x, flow, wants in zip(case.args, flows, case.wanted, strict=True):
        assert (flow is not None) == wants
        if wants:
            assert flow.shape == x.shape
            assert flow.dtype == x.dtype


@walk("case", ALL, by=operation)
def test_float32_stays_float32_in_kernels_and_rules(case: Case):
    narrow = case.cast(np.float32)
    wide, _ = case.run()
    out, saved = narrow.run()
    kept = wide.dtype.kind != "f" or not any(
        getattr(x, "dtype", None) == np.float32 for x in narrow.args
    )
    assert out.dtype == (wide.dtype if kept else np.float32)
    assert all(value.dtype == np.float32 for value in saved.values() if value.dtype.kind == "f")
    np.testing.assert_allclose(out, wide, rtol=1e-4, atol=1e-5)
    if narrow.floats:
        g = signed(np.shape(out), dtype=np.float32)
        bare = narrow.bare_flows(g)
        assert {flow.dtype for flow in bare.values()} == {np.dtype(np.float32)}
        flows = case.flows(signed(np.shape(out)))
        for k, flow in enumerate(narrow.flows(g)):
            if flow is not None:
                scale = float(np.max(np.abs(flows[k]), initial=1.0))
                np.testing.assert_allclose(flow, flows[k], rtol=1e-3, atol=1e-5 * scale)


@walk("case", DIFFERENTIABLE, by=operation)
def test_a_rule_is_linear_in_the_cotangent(case: Case):
    out, _ = case.run()
    g, h = signed(np.shape(out)), signed(np.shape(out), seed=2)
    of_zero, of_g, of_h = case.flows(0 * g), case.flows(g), case.flows(h)
    twice, both = case.flows(2 * g), case.flows(g + h)
    for k in case.floats:
        assert not np.any(of_zero[k])
        np.testing.assert_array_equal(twice[k], 2 * of_g[k])
        scale = np.max(np.abs(of_g[k]) + np.abs(of_h[k]), initial=0.0)
        np.testing.assert_allclose(both[k], of_g[k] + of_h[k], rtol=1e-13, atol=1e-14 * scale)


@walk("case", DIFFERENTIABLE, by=operation)
def test_a_rule_is_read_as_a_formula_that_has_the_same_value(case: Case):
    """On Symbols a rule writes itself; every step of what it writes carries the number that arrays give."""
    g = signed(np.shape(case.run()[0]))
    symbols = case.bare_flows(Symbol(g, "g", "g"), lambda value: Symbol(value, "v", "v"))
    for k, flow in case.bare_flows(g).items():
        symbol = symbols[k]
        value = symbol.value if isinstance(symbol, Symbol) else symbol
        np.testing.assert_allclose(np.broadcast_to(value, np.shape(flow)), flow, rtol=1e-14)
        assert write(symbol, Style())
        tex = write(symbol, Style(tex=True))
        assert tex.count("{") == tex.count("}")
        assert write(symbol, Style(numbers=True))


@walk("case", marked(lambda case: case.op.elementwise and bool(case.floats)), by=operation)
def test_a_local_derivative_is_the_rule_with_the_cotangent_1(case: Case):
    """Formulas show an elementwise rule without its cotangent: it must take the plain number 1."""
    ones = np.ones(np.shape(case.run()[0]))[()]
    for k, local in case.bare_flows(1).items():
        wanted = case.bare_flows(ones)[k]
        np.testing.assert_array_equal(np.broadcast_to(local, np.shape(wanted)), wanted)


@walk("case", ALL, by=operation)
def test_nothing_that_was_given_is_changed(case: Case):
    before = [np.array(x) for x in case.args]
    for x in case.args:
        if isinstance(x, np.ndarray):
            x.setflags(write=False)
    out, _ = case.run()
    if case.floats:
        g = signed(np.shape(out))
        kept = np.array(g)
        case.flows(g)
        np.testing.assert_array_equal(g, kept)
    for x, old in zip(case.args, before, strict=True):
        np.testing.assert_array_equal(x, old)


@walk("case", marked(lambda case: case.op.elementwise and len(case.floats) > 0), by=operation)
def test_integers_compute_and_receive_nothing(case: Case):
    whole = case._replace(args=tuple(_as_int(x) for x in case.args))
    out, _ = whole.run()
    with np.errstate(all="ignore"):
        twin = np.asarray(TWINS[case.op.name](*whole.args, **whole.params))
    np.testing.assert_allclose(out, twin, rtol=2e-14)
    assert not any(whole.wanted)
    assert set(whole.flows(signed(np.shape(out)))) == {None}


def _as_int(x: Any) -> Any:
    if getattr(x, "dtype", None) == np.bool_:
        return x
    return np.clip(np.ceil(np.abs(x)), 1, 5).astype(int)


@walk("op", OURS, ids=by_name)
def test_it_says_what_it_is(op: Any):
    assert op.doc
    assert op.doc.rstrip().endswith((".", ")"))
    names = {name: name for name in (*op.inputs, *op.defaults)}
    for template in (op.formula.text, op.formula.tex):
        written = template.format(**names)
        assert any(name in written for name in op.inputs)
        assert written.count("{") == written.count("}")


@walk("op", OURS, ids=by_name)
def test_its_samples_are_chosen(op: Any):
    """Rank 0 and an empty array wherever it works by elements; a broadcast and a Python number if it has two inputs."""
    cases = cases_of(op)
    assert len(cases) >= 1
    if op.elementwise:
        assert any(np.ndim(case.run()[0]) == 0 for case in cases)
        assert any(np.size(case.run()[0]) == 0 for case in cases)
        if len(op.inputs) > 1:
            assert any(len({np.shape(x) for x in case.args}) > 1 for case in cases)
            assert any(type(x) in (int, float) for case in cases for x in case.args)


@walk("op", [op for op in OURS if op.rules and any(op.rules)], ids=by_name)
def test_an_input_with_a_rule_is_tested(op: Any):
    tested = {min(k, len(op.inputs) - 1) for case in cases_of(op) for k in case.floats}
    assert tested == {k for k, rule in enumerate(op.rules) if rule}
