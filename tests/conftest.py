import os
import resource

# Before torch is loaded: threads that wait must not spin on a machine with few cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

torch.set_num_threads(1)  # threads over tensors this small only wait for each other


@pytest.fixture(scope="session")
def cluster():
    """One local cluster for all tests of the session."""
    import ray

    from mmray.config.document import LocalRuntime
    from mmray.distributed.node.session import connect

    yield connect(LocalRuntime(cpus=2))
    ray.shutdown()


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items):
    """Split the tests over processes: those that share a cluster or a run stay together.

    Long ones start first, so that no process is left with them at the end.
    """
    for item in items:
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("cluster"))
        elif item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(
        key=lambda item: not (item.get_closest_marker("e2e") or item.get_closest_marker("ray"))
    )


@pytest.fixture
def small_files():
    """Files of this process cannot grow over 4 KB, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
