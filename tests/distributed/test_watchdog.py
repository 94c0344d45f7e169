"""A process that loses the Ray node under it."""

import socket

import psutil
import pytest

from mmray.distributed.node.watchdog import is_alive
from tests.support.process import run_python, wait_for

pytestmark = pytest.mark.ray
LOSE = """
import sys, time, psutil
from mmray.config.document import LocalRuntime
from mmray.distributed.node.session import connect

connect(LocalRuntime(cpus=1))
children = psutil.Process().children(recursive=True)
print(*[child.pid for child in children])
sys.stdout.flush()
next(child for child in children if child.name() == sys.argv[1]).kill()
time.sleep(60)
"""


@pytest.mark.parametrize("lost", ["raylet", "gcs_server"])
def test_a_process_ends_with_words_and_its_own_code_when_its_node_has_died(lost):
    done = run_python("-c", LOSE, lost)

    assert done.returncode == 6
    assert "error: the Ray node under this process has died" in done.stderr
    assert "run the same command to resume" in done.stderr
    wait_for(all_ended, done.stdout.split(), timeout_s=20)


def all_ended(pids):
    """Say whether nothing runs any more of what the command has started."""
    return not any(is_running(int(pid)) for pid in pids)


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_node_is_alive_while_it_listens(tmp_path):
    path = tmp_path / "socket"

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert is_alive(str(path))

    assert not is_alive(str(path))
    assert not is_alive(str(tmp_path / "none"))


def test_a_service_is_alive_while_it_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        assert is_alive(address)

    assert not is_alive(address)
