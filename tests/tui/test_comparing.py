"""`gradstep diff`, and `--device` of the commands."""

import pytest


def test_a_network_turned_diverges_and_the_status_says_so(gradstep):
    status, out, _ = gradstep("diff", "vanishing", "--set", "factor=1.5")
    assert status == 1
    assert "more nodes that diverge; --all shows every node" in out
    assert "first to diverge forward: waa" in out


def test_a_network_equals_itself_on_a_device(gradstep):
    status, out, _ = gradstep("diff", "circuit", "--device", "interpret", "--all")
    assert status == 0
    assert "→ interpret" in out
    assert "5 nodes compared: values the same bit for bit" in out


def test_two_networks_are_compared_by_the_labels_that_they_share(gradstep):
    status, out, _ = gradstep("diff", "circuit", "xor")
    assert status == 1
    assert "only the first has" in out


def test_diff_of_one_thing_asks_for_another(gradstep):
    status, _, err = gradstep("diff", "xor")
    assert status == 2
    assert "try: gradstep diff xor OTHER" in err


@pytest.mark.parametrize("ulps", ["many", "-1", "inf"])
def test_a_limit_that_is_no_number_is_refused(gradstep, ulps):
    status, _, err = gradstep("diff", "xor", "mlp", "--ulps", ulps)
    assert status == 2
    assert "number" in err


def test_show_on_a_device_says_what_ran_and_compares_with_the_cpu(gradstep):
    status, out, _ = gradstep("show", "batchnorm", "--device", "interpret")
    assert status == 0
    assert "on interpret · 10 operations by CUDA kernels · all" in out
    assert "interpret against cpu: 14 nodes compared: " in out
    assert "diverge" not in out


def test_a_device_that_is_none_is_refused(gradstep):
    status, _, err = gradstep("show", "circuit", "--device", "cudda")
    assert status == 2
    assert err == (
        "gradstep: there is no device 'cudda': there are cpu, cuda, interpret\n  try: device='cuda'\n"
    )


@pytest.mark.parametrize("command", ["check", "verify"])
def test_gradients_of_a_device_are_checked(gradstep, command):
    status, out, _ = gradstep(command, "batchnorm", "--device", "interpret")
    assert status == 0
    assert "PASS" in out or "right" in out


def test_a_script_runs_on_a_device(gradstep, tmp_path):
    script = tmp_path / "net.py"
    script.write_text(
        "import tracer as tr\nx = tr.tensor(3.0)\nloss = x * x\nloss.backward()\nprint(x.device)\n"
    )
    status, out, _ = gradstep("run", "--device", "interpret", str(script))
    assert status == 0
    assert out.startswith("interpret\n")
    assert "on interpret" in out


@pytest.mark.parametrize("command", ["show", "diff", "check"])
def test_a_device_beside_a_trace_in_a_file_is_refused(gradstep, tmp_path, command):
    import tracer as tr

    tr.trace(tr.tensor(2.0, name="x") * 3.0).save(tmp_path / "mine.trace")
    status, _, err = gradstep(command, str(tmp_path / "mine.trace"), "--device", "interpret")
    assert status == 2
    assert "is recorded already\n  try: gradstep diff" in err
