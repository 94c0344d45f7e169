"""What a connection to Ray leaves as it was."""

import os
import sys
from pathlib import Path

import pytest

from mmray.config.document import ClusterRuntime, LocalRuntime
from mmray.distributed.node.session import environment, to_cluster_error, without_native_log

OURS = "12:03:09 text: fitting tokens on the train split\n"
NATIVE = (
    "[2026-11-25 00:31:03,286 I 28745 28745] logging.cc:303: Set ray log level\n"
    "I0000 00:00:1732490000.123456   28745 config.cc:230] gRPC experiments enabled\n"
)


def write_both(stream):
    with without_native_log(stream):
        stream.write(NATIVE)
        stream.write(OURS)


def test_what_native_code_logs_is_left_out_and_nothing_else(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        write_both(stream)
        stream.write("and goes on\n")

    assert (tmp_path / "log").read_text() == OURS + "and goes on\n"


def fail(stream):
    with without_native_log(stream):
        stream.write(NATIVE + OURS)
        raise OSError("no cluster")


def test_when_the_block_fails_everything_is_told(tmp_path):
    with (tmp_path / "log").open("w") as stream, pytest.raises(OSError, match="no cluster"):
        fail(stream)

    assert (tmp_path / "log").read_text() == NATIVE + OURS


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("MMRAY_A", "1")
    monkeypatch.delenv("MMRAY_B", raising=False)

    with environment({"MMRAY_A": "2", "MMRAY_B": "3"}):
        assert (os.environ["MMRAY_A"], os.environ["MMRAY_B"]) == ("2", "3")

    assert os.environ["MMRAY_A"] == "1"
    assert "MMRAY_B" not in os.environ


def test_no_module_beside_a_script_has_the_name_of_one_of_python_s():
    """A script's folder comes first: Ray's agent found our ``token`` in place of Python's."""
    import mmray.distributed

    (folder,) = mmray.distributed.__path__
    names = {path.stem for path in Path(folder).glob("*.py")}

    assert names & set(sys.stdlib_module_names) == set()


def test_what_ray_fails_to_start_with_is_an_error_with_a_way_out_and_a_bug_stays_one():
    late = Exception("The current node timed out during startup.")

    local = to_cluster_error(late, LocalRuntime())
    remote = to_cluster_error(
        ConnectionError("refused"), ClusterRuntime(mode="cluster", address="h:6379")
    )

    assert "cannot start Ray: The current node timed out" in str(local)
    assert "short of memory" in local.hint
    assert "cannot connect to Ray: refused" in str(remote)
    assert "ray status" in remote.hint
    assert to_cluster_error(TypeError("ours"), LocalRuntime()) is None
