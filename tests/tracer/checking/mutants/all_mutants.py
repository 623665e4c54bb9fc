"""All mutants of the published table: chosen by hand, and made by a seeded walk over the derivations."""

from __future__ import annotations

from functools import cache

from tests.tracer.checking.mutants import chosen_layers, chosen_networks
from tests.tracer.checking.mutants.arrays import ArrayMutant, array_mutants
from tests.tracer.checking.mutants.generated import generated
from tests.tracer.checking.mutants.mutant import Mutant, kinds

SEED = 6

TABLES = (
    chosen_layers.BATCHNORM,
    chosen_layers.LAYERNORM,
    chosen_layers.CROSS_ENTROPY,
    chosen_networks.RECURRENT,
    chosen_networks.LONG_SHORT,
    chosen_networks.ATTENTION,
    chosen_networks.CONV,
)

CHOSEN = tuple(
    Mutant(derivation, right, wrong, kinds(words))
    for table in TABLES
    for derivation, edits in table.items()
    for right, wrong, words in edits
)
"""The mutants chosen by hand."""


AnyMutant = Mutant | ArrayMutant


@cache
def mutants() -> tuple[AnyMutant, ...]:
    """All of them, each text once."""
    texts = {(m.derivation, m.text): m for m in (*generated(SEED), *CHOSEN)}
    return (*texts.values(), *array_mutants())
