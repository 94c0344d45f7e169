"""The processes of a local Ray node."""

import psutil
import pytest
import ray
from ray._private import node

pytestmark = pytest.mark.ray


def test_a_local_node_has_no_process_that_serves_others(cluster):
    programs = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]

    assert any("raylet" in program for program in programs)
    for script in ("monitor.py", "dashboard.py"):  # "log_monitor.py" ends so, too
        assert not any(f"{script} " in f"{program} " for program in programs)


def test_a_local_node_runs_tasks_and_actors(cluster):
    @ray.remote(num_cpus=0)
    class Counter:
        def next(self, number):
            return number + 1

    doubled = ray.remote(num_cpus=1)(lambda number: 2 * number)

    assert ray.get(Counter.remote().next.remote(doubled.remote(3))) == 7


def test_other_nodes_are_ray_s_own(cluster):
    assert node.Node.__module__ == "ray._private.node"
