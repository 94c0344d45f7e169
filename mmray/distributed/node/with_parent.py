"""``python -P with_parent.py SCRIPT ARGUMENTS``: run a script that ends when its parent does.

An agent of Ray whose node was killed first tries for a minute to reach that node's control service.
``-P``: no file beside this one may replace a library.
"""

import ctypes
import runpy
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""Option of prctl(2): the signal that a process gets when its parent dies."""


def main() -> None:
    """Run the script that the arguments name as if it had been called itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    del sys.argv[0]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
