from tests.support.process import run_python

RELEASE = """
import psutil
from mmray.core.process.memory import release_memory

def resident_mb():
    return psutil.Process().memory_info().rss / 1e6

blocks = [b"x" * 100_000 for _ in range(2_000)]
last = b"x" * 100_000  # on top of them, so that the C library cannot cut its heap short
del blocks
before = resident_mb()
release_memory()
print(before - resident_mb())
"""


def test_memory_that_was_freed_goes_back_to_the_system():
    done = run_python("-c", RELEASE)

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 100  # MB, of 200
