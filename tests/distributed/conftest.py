import pytest

from mmray.config.document import LocalRuntime
from mmray.distributed.session import connect


@pytest.fixture(scope="session")
def cluster():
    """One local cluster for all tests of the session."""
    import ray

    yield connect(LocalRuntime(cpus=2))
    ray.shutdown()
