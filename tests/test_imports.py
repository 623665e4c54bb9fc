"""`import tracer` is light: what is slow or optional loads on first use."""

from __future__ import annotations

OURS_LATER = {"tui", "gallery"}
HEAVY = {"numba", "llvmlite", "scipy", "textual", "rich", "graphviz", "pygraphviz", "greenlet"}
CUDA = {"cupy", "cuda", "numba_cuda", "numba_cuda_mlir"}
FRAMEWORKS = {"torch", "jax"}


def test_importing_tracer_loads_nothing_heavy(python):
    done = python("-c", "import sys, tracer; print(*{name.split('.')[0] for name in sys.modules})")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"tracer", "ops", "numpy"} <= loaded
    assert loaded & (OURS_LATER | HEAVY | CUDA | FRAMEWORKS) == set()


def test_a_first_gradient_loads_nothing_heavy(python):
    done = python(
        "-c",
        "import sys, tracer as tr\n"
        "x = tr.tensor([1.0, 2.0], name='x')\n"
        "tr.sum(tr.tanh(x * x)).backward()\n"
        "assert x.grad.shape == (2,)\n"
        "print(*{name.split('.')[0] for name in sys.modules})",
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & (OURS_LATER | HEAVY | CUDA | FRAMEWORKS) == set()


def test_the_gallery_loads_only_what_records_and_names_plots(python):
    """Facts, plots and trainings load what they need when they are asked for."""
    done = python("-c", "import sys, gallery; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "gallery.normalisation.identities" in loaded
    for each in ("tracer.insight", "tracer.diagrams", "tracer.checking", "tracer.plots.saving"):
        assert not any(name == each or name.startswith(f"{each}.") for name in loaded), each
    assert loaded & {"json", "hashlib", "tui", *HEAVY} == set()


def test_every_package_says_that_it_is_typed(checkout):
    for package in ("tracer", "ops", "tui", "gallery"):
        assert (checkout / package / "py.typed").is_file()
