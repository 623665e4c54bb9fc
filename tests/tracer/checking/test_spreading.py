"""Work spread over executors: a pool of processes, threads, and Dask's client; the same results, progress, an end."""

from __future__ import annotations

import contextlib
import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking import spread_work as work
from tracer.checking import Report
from tracer.checking.progress import StoppedError
from tracer.checking.spreading import AHEAD, Job, finished, workers
from tracer.errors import CheckError


@contextlib.contextmanager
def dask(*, processes: bool = False) -> Iterator[Executor]:
    """The executor of a Dask client, whose scheduler and workers run here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own sockets and clocks
        distributed = pytest.importorskip("distributed")
        with (
            distributed.LocalCluster(
                n_workers=2 if processes else 1,
                threads_per_worker=1 if processes else 2,
                processes=processes,
                dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client.get_executor()


@contextlib.contextmanager
def pool(number: int = 2) -> Iterator[ProcessPoolExecutor]:
    """A pool of new processes that share nothing with this one."""
    with ProcessPoolExecutor(number, multiprocessing.get_context("spawn")) as executor:
        yield executor


def test_results_come_in_the_order_of_the_jobs():
    jobs = [Job(work.square, (float(k),)) for k in range(30)]
    assert finished(jobs) == [float(k * k) for k in range(30)]
    with ThreadPoolExecutor(3) as executor:
        assert finished(jobs, executor) == finished(jobs)


def test_the_error_of_a_job_is_raised():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="cannot be done"):
        finished([Job(work.refuse, ())], executor)


def test_progress_counts_the_numbers_of_finished_jobs():
    seen: list[tuple[int, int]] = []
    jobs = [Job(work.square, (1.0,), size) for size in (3, 5, 2)]
    with ThreadPoolExecutor(1) as executor:
        finished(jobs, executor, lambda done, of: seen.append((done, of)))
    assert [of for _, of in seen] == [10] * 3
    assert seen[-1] == (10, 10)
    assert sorted(done for done, _ in seen) == [done for done, _ in seen]


class StopError(Exception):
    """What a user's progress raises to end a check."""


def test_whoever_is_told_may_end_the_work_and_what_has_not_begun_never_does(tmp_path: Path):
    def told(done: int, of: int) -> None:
        raise StopError

    jobs = [Job(work.slowly, (str(tmp_path), k)) for k in range(100)]
    with ThreadPoolExecutor(2) as executor, pytest.raises(StopError):
        finished(jobs, executor, told)
    assert len(list(tmp_path.iterdir())) <= 2 * AHEAD


def test_the_number_of_workers_is_read_off_a_pool():
    with ThreadPoolExecutor(3) as executor:
        assert workers(executor) == 3


def test_an_executor_that_tells_nothing_gets_as_many_jobs_as_there_are_processors():
    assert workers(Executor()) >= 1


def test_a_pool_of_processes_gives_the_same_results():
    jobs = [Job(work.square, (float(k),)) for k in range(10)]
    with pool() as executor:
        assert finished(jobs, executor) == finished(jobs)


def test_a_worker_that_dies_is_said_in_words():
    with pool(1) as executor, pytest.raises(CheckError, match="a worker process ended"):
        finished([Job(work.die, ())], executor)


def test_work_that_cannot_be_sent_is_said_in_words():
    with pool(1) as executor, pytest.raises(CheckError, match="declared in a module"):
        finished([Job(lambda: 1, ())], executor)


def test_a_client_of_dask_gives_the_same_results():
    jobs = [Job(work.square, (float(k),)) for k in range(10)]
    with dask() as executor:
        assert workers(executor) == 2
        assert finished(jobs, executor) == finished(jobs)


# ----- whole checks


def test_a_check_spread_over_processes_gives_the_same_verdicts_and_numbers():
    here = tr.check(work.network, work.arguments(), elements=300)
    with pool() as executor:
        away = tr.check(work.network, work.arguments(), elements=300, executor=executor)
    assert agreeing(here, away)


def test_a_check_of_a_trace_spread_over_a_dask_cluster_gives_the_same_verdicts_and_numbers():
    trace = recorded()
    here = tr.check(trace, elements=300)
    with dask() as executor:
        assert agreeing(here, tr.check(trace, elements=300, executor=executor))


@pytest.mark.slow
def test_a_dask_cluster_of_processes_checks_a_trace():
    trace = recorded()
    with dask(processes=True) as executor:
        assert agreeing(
            tr.check(trace, elements=60), tr.check(trace, elements=60, executor=executor)
        )


@pytest.mark.slow
def test_a_derivation_is_verified_over_processes():
    trace = recorded()
    wrong = "dw = 2 * x.T @ (np.tanh(x @ w) * (1 - np.tanh(x @ w)))"
    with pool() as executor:
        away = tr.verify(trace, wrong, executor=executor)
    assert agreeing(tr.verify(trace, wrong), away)
    assert not away.ok


def test_an_operation_of_ones_own_is_checked_where_its_module_is_imported():
    with pool(1) as executor:
        report = tr.check(
            work.doubled, (np.linspace(1.0, 2.0, 40),), elements=40, executor=executor
        )
    assert report.ok
    assert report.rows[0].count("AGREE") == 40


@pytest.mark.slow
def test_a_wrong_rule_is_found_over_processes():
    with pool(1) as executor:
        report = tr.check(
            work.misruled, (np.linspace(1.0, 2.0, 40),), elements=40, executor=executor
        )
    assert report.outcome == "FAIL"


def test_a_function_that_cannot_be_sent_is_refused_in_words():
    with pool(1) as executor, pytest.raises(CheckError, match="cannot be sent"):
        tr.check(lambda x: tr.sum(x * x), (np.ones(40),), elements=40, executor=executor)


def test_progress_of_a_spread_check_ends_at_its_end():
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as executor:
        tr.check(
            recorded(),
            elements=300,
            executor=executor,
            told=lambda done, of: seen.append((done, of)),
        )
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_spread_check_that_is_stopped_keeps_what_is_known():
    def told(done: int, of: int) -> None:
        if done > 200:
            raise StoppedError

    with ThreadPoolExecutor(2) as executor:
        report = tr.check(recorded(), elements=300, executor=executor, told=told)
    assert any("stopped" in note for note in report.notes)


def recorded() -> tr.Trace:
    x, w = work.arguments()
    return tr.trace(work.network(tr.tensor(x, name="x"), tr.parameter(w, name="w")))


def agreeing(a: Report, b: Report) -> bool:
    """Whether two reports have the same verdicts, element by element, and numbers within their bounds."""
    assert [row.name for row in a.rows] == [row.name for row in b.rows]
    for ours, theirs in zip(a.rows, b.rows, strict=True):
        assert len(ours.elements) == len(theirs.elements) > 1
        for one, other in zip(ours.elements, theirs.elements, strict=True):
            assert (one.index, one.verdict) == (other.index, other.verdict)
            apart = abs(one.numerical.value - other.numerical.value)
            assert apart <= one.numerical.bound + other.numerical.bound
    return a.outcome == b.outcome
