"""A process that loses the Ray node under it."""

import socket

import pytest

from mmray.distributed.watchdog import is_alive
from tests.support.process import run_python

pytestmark = pytest.mark.ray
LOSE = """
import time, psutil
from mmray.config.document import LocalRuntime
from mmray.distributed.session import connect

connect(LocalRuntime(cpus=1))
children = psutil.Process().children(recursive=True)
next(child for child in children if child.name() == "raylet").kill()
time.sleep(60)
"""


def test_a_process_ends_with_words_and_its_own_code_when_its_node_has_died():
    done = run_python("-c", LOSE)

    assert done.returncode == 6
    assert "error: the Ray node under this process has died" in done.stderr
    assert "run the same command again" in done.stderr


def test_a_node_is_alive_while_it_listens(tmp_path):
    path = tmp_path / "socket"

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert is_alive(path)

    assert not is_alive(path)
    assert not is_alive(tmp_path / "none")
