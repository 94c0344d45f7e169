"""``python -P with_parent.py SCRIPT ARGUMENTS``: run a script that ends when its parent does.

An agent of Ray whose node was killed first tries for a minute to tell that node's books. ``-P``:
no file beside this one may take the place of a library.
"""

import runpy
import sys
from pathlib import Path

from ray._private.utils import set_kill_on_parent_death_linux


def main() -> None:
    """Run the script that the arguments name as if it had been called itself."""
    if sys.platform == "linux":
        set_kill_on_parent_death_linux()
    del sys.argv[0]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
