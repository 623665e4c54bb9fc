"""The published figures: every wrong derivation is flagged, nearly always on its line, mostly with its cause."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench.mutants import missed, some
from tests.tracer.checking.mutants.all_mutants import CHOSEN, SEED, mutants
from tests.tracer.checking.mutants.derivations import FAMILIES, RIGHT
from tests.tracer.checking.mutants.generated import generated
from tests.tracer.checking.mutants.mutant import Mutant
from tests.tracer.checking.mutants.scoring import GOALS, found, score, scored, table
from tests.tracer.checking.mutants.variants import alarm, alarms, variants

VARIANTS = variants()


def named(variant) -> str:
    return f"{variant.network}, {variant.name}"


def test_there_are_more_mutants_and_right_derivations_than_promised():
    of = Counter(mutant.family for mutant in mutants())
    assert min(of[family] for family in FAMILIES) >= 40
    assert len({mutant.name for mutant in mutants()}) == len(mutants()) >= 450
    assert len(VARIANTS) >= 90
    assert {variant.family for variant in VARIANTS} == set(FAMILIES)


def test_the_seed_alone_decides_which_mutants_are_made():
    assert generated(SEED) == generated(SEED)
    assert generated(SEED) != generated(SEED + 1)


def test_an_edit_that_changes_no_number_is_no_mutant():
    """The second term of the paper's dL/dmu is exactly zero."""
    zero = Mutant("batchnorm", " + dvar * np.sum(-2 * (x - mu), axis=0) / m", "", frozenset())
    assert score(zero) is None


@pytest.mark.parametrize("name", RIGHT)
def test_every_derivation_that_is_broken_is_right_before(name):
    (variant,) = (v for v in VARIANTS if v.name == name)
    assert alarm(variant) == ""


@pytest.mark.parametrize("variant", VARIANTS[::6], ids=named)
def test_a_right_derivation_raises_no_alarm(variant):
    assert alarm(variant) == ""


def test_the_figures_hold_on_a_seeded_choice():
    scores = scored(some(18))
    assert len(scores) > 14
    for what, goal in GOALS.items():
        hits = found(scores, what)
        assert sum(hits) >= goal * len(hits), f"{what}\n{missed(scores)}"


@pytest.mark.slow
def test_the_published_figures_hold():
    scores, raised = scored(mutants()), alarms(VARIANTS)
    print(table(scores, raised))
    assert len(scores) >= 400
    for what, goal in GOALS.items():
        hits = found(scores, what)
        assert sum(hits) >= goal * len(hits), f"{what}\n{missed(scores)}"
    assert not any(any(found_there) for found_there in raised.values())


def test_an_edit_names_its_line():
    (mutant,) = (m for m in CHOSEN if m.name == "batchnorm: **(-3/2) -> **(-1/2)")
    assert mutant.line == 5
    assert mutant.text.splitlines()[4].endswith("(var + eps)**(-1/2)")
