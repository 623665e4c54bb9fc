"""From which number a derivation counts its time steps: the run under the reading that fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Program
from tracer.checking.derivations.running.interpreter import BeyondStepsError, Run
from tracer.checking.derivations.running.setting import Setting
from tracer.checking.derivations.running.tape import Done
from tracer.errors import DerivationError


def own_run(program: Program, setting: Setting) -> Run:
    """The run on the user's own numbers, its time steps counted as the derivation counts them.

    They are counted as the scope says, else from 0; where a step is asked for that was not recorded, or a loop over
    all steps counts otherwise, from there, or from the other of 0 and 1. Where a line cannot be computed because an
    earlier gradient has the wrong shape, that one is taken as recorded.
    """
    waiting, tried, complaint = [setting.base], set[int](), None
    best: Run | None = None
    while waiting:
        base = waiting.pop(0)
        if base in tried:
            continue
        tried.add(base)
        run, failed = _tolerant(program, replace(setting, base=base))
        elsewhere = [first for first in run.spans.first if first != base]
        if failed is None:
            if complaint is not None and _before_time(setting.names, run):
                continue  # another way to count, under which what stands before the first step is given: no reading
            if not elsewhere or best is not None or elsewhere[0] in tried:
                return run
            best = run
            waiting.insert(0, elsewhere[0])
        else:
            complaint = complaint or failed
            if best is not None:
                return best
            waiting += [*elsewhere[:1], 0, 1]
    if best is not None:
        return best
    assert complaint is not None
    raise complaint


def _before_time(names: Names, run: Run) -> bool:
    """Whether a run gives, as that of a time step, the gradient of what stands before the first."""
    initial = {family.initial for family in names.families.values()}
    return any(done.node in initial and done.step is not None for done in run.done)


def _tolerant(program: Program, setting: Setting) -> tuple[Run, DerivationError | None]:
    """A run that goes on behind gradients of a wrong shape; and the complaint if a time step was not recorded."""
    while True:
        run = Run(program, setting)
        try:
            run.all()
        except BeyondStepsError as beyond:
            return run, beyond.complaint
        except DerivationError:
            latest = {done.node: done for done in run.done if done.node >= 0}
            misfits = {d.number: n for n, d in latest.items() if not _fits(setting.names, d)}
            if misfits.keys() <= setting.right.keys():
                raise
            setting = replace(setting, right={**setting.right, **misfits})
            continue
        return run, None


def _fits(names: Names, done: Done) -> bool:
    size = np.shape(names.trace.value(done.node))
    own = np.shape(done.result)
    return not own or [n for n in own if n != 1] == [n for n in size if n != 1]


def first_step(names: Names) -> int:
    """The number of the first time step as far as the scopes say it, else 0."""
    known = {family.first for family in names.families.values() if family.first is not None}
    return known.pop() if len(known) == 1 else 0
