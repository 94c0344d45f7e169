"""The processes of a local Ray node."""

import pytest

from tests.support.process import run_python

pytestmark = pytest.mark.ray
LIST = """
import ray, psutil
from mmray.config.document import LocalRuntime
from mmray.distributed.session import connect

connect(LocalRuntime(cpus=1))
assert ray.get(ray.remote(lambda: 7).remote()) == 7
for child in psutil.Process().children(recursive=True):
    print(*child.cmdline())
"""


def test_a_local_node_works_without_the_processes_that_serve_others():
    done = run_python("-c", LIST)

    assert done.returncode == 0, done.stderr
    assert "/raylet " in done.stdout
    assert "monitor.py" not in done.stdout  # nor log_monitor.py
    assert "dashboard.py" not in done.stdout


def test_the_nodes_of_others_are_ray_s_own(cluster):
    from ray._private import node, utils

    assert node.Node.__module__ == node.__name__
    assert utils.get_dashboard_dependency_error.__module__ == utils.__name__
