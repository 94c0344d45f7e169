"""The placement group of some workers, noted in a file for as long as the first worker lives.

Ray Train removes the group when a training ends. If its process is killed, the group stays, and so
do the cores that it reserves; nobody but its creator knows which group it is.
"""

import contextlib
import fcntl
from collections.abc import Generator
from pathlib import Path

import ray
from ray.util.placement_group import (
    PlacementGroup,
    get_current_placement_group,
    remove_placement_group,
)


@contextlib.contextmanager
def noted(path: Path) -> Generator[None]:
    """Note the placement group of this worker in ``path``, and lock the file in the block."""
    group = get_current_placement_group()
    with path.open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(group.id.hex() if group else "")
        stream.flush()
        yield


class Reservation:
    """The placement group that a file notes; the file is removed, and may be written anew."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("r+", encoding="utf-8")
        self._group = self._stream.read()
        path.unlink()

    def remove(self) -> bool:
        """Remove the placement group, unless the worker still lives; return whether it is gone.

        While its controller lives, Ray Train would create another group and other workers. Those
        end with the controller: so the lock that the worker held says that both have ended.
        """
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._stream.close()
        if self._group:
            group = ray.PlacementGroupID(bytes.fromhex(self._group))
            remove_placement_group(PlacementGroup(group))
        return True
