"""One test for many small cases: it walks all of them, and names those that fail.

A test of pytest's costs about two milliseconds for being collected, sent to a worker and reported three times. Where
a case takes less, and there are thousands, that is most of what a run costs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

NAMED = 5
"""How many of the cases that fail the headline names; each stands with its traceback below it."""


class Step(NamedTuple):
    """One case on the way: its name, and the arguments that it gives the test."""

    name: str
    arguments: dict[str, Any]


def walk(
    names: str | tuple[str, ...],
    cases: Iterable[Any],
    by: Callable[..., str] | None = None,
    ids: Callable[[Any], str] = str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Like `pytest.mark.parametrize`, but the cases of one group are one test, which runs them all.

    by: the name of the group of a case, from its arguments; without it, all are one group.
    ids: the name of an argument, unless the case is a `pytest.param` with an id. Cases with other marks are another
    group. What a test asks of fixtures it gets once for a group; a case may not be skipped.
    """
    listed = (names,) if isinstance(names, str) else names
    walked = "_".join(listed)
    groups: dict[tuple[str, ...], list[Step]] = {}
    marks: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for case in cases:
        param = case if hasattr(case, "marks") and hasattr(case, "values") else None
        values = param.values if param else (case,) if len(listed) == 1 else tuple(case)
        name = (param and param.id) or "-".join(map(ids, values))
        marked = tuple(mark.name for mark in param.marks) if param else ()
        group = (by(*values) if by else "", *marked)
        groups.setdefault(group, []).append(Step(name, dict(zip(listed, values, strict=True))))
        marks[group] = tuple(param.marks) if param else ()

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def walking(**given: Any) -> None:
            _walk(test, given.pop(walked), given)

        wanted = [name for name in inspect.signature(test).parameters if name not in listed]
        walking.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY) for each in (*wanted, walked)]
        )
        return pytest.mark.parametrize(
            walked,
            [
                pytest.param(each, id="-".join(filter(None, group)) or "all", marks=marks[group])
                for group, each in groups.items()
            ],
        )(walking)

    return decorate


def _walk(test: Callable[..., None], steps: list[Step], fixtures: dict[str, Any]) -> None:
    """Run a test for each case; afterwards, raise what failed as one group."""
    __tracebackhide__ = True
    failed: list[str] = []
    errors: list[BaseException] = []
    for step in steps:
        try:
            test(**step.arguments, **fixtures)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            error.add_note(f"in the case {step.name}")
            failed.append(step.name)
            errors.append(error)
    if errors:
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        raise BaseExceptionGroup(
            f"{len(failed)} of {len(steps)} cases: {', '.join(failed[:NAMED])}{more}", errors
        )
