"""A lock on a file; the system releases it when its holder ends."""

import contextlib
import errno
import fcntl
import json
import logging
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mmray.core.text.printable import printable
from mmray.core.text.secret import masked

logger = logging.getLogger(__name__)

WORKSPACE_LOCK = ".mmray.lock"
"""The lock of every workspace, which also identifies a workspace."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""Errors of a file system without locks."""
MAX_HOLDER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a lock, as it recorded itself."""

    pid: int
    host: str
    command: str
    since: str
    """Local time."""

    def describe(self) -> str:
        """Return the holder for people: ``process 12 (mmray train pets.yaml)``."""
        there = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"process {self.pid}{there} ({self.command}), since {self.since}"


def holder_of(path: Path) -> Holder | None:
    """Return the process that holds the lock on ``path``; None if there is none, or it was killed.

    The lock itself is not touched. Of a process on another host, nobody knows whether it lives.
    """
    if not path.is_file():
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        holder = _read_holder(descriptor)
    finally:
        os.close(descriptor)
    if holder is None or holder.host != socket.gethostname():
        return holder
    return holder if _lives(holder.pid) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


@contextmanager
def locked(path: Path, *, on_wait: Callable[[Holder | None], None]) -> Generator[None]:
    """Hold the lock on ``path`` for the block; the folder must exist.

    While another process holds it, ``on_wait`` is called once with that process, and the lock is
    awaited. On a file system without locks a warning is logged instead.

    Raises:
        OSError: the file cannot be written.
    """
    descriptor = _acquire(path, on_wait)
    try:
        _write_holder(descriptor)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _acquire(path: Path, on_wait: Callable[[Holder | None], None]) -> int:
    """Return an open file that is locked, and is the one that ``path`` names."""
    while True:
        # Not inherited by the processes that a command starts: they would hold it after its end.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(descriptor, path, on_wait)
            if _is_named(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # someone has removed the file while it was waited for


def _lock(descriptor: int, path: Path, on_wait: Callable[[Holder | None], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait(_read_holder(descriptor))
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        logger.warning(
            "%s lies on a file system without locks: run one command at a time there", path.parent
        )


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _write_holder(descriptor: int) -> None:
    program = Path(sys.argv[0]).name.replace("__main__.py", "mmray")
    command = shlex.join([program, *sys.argv[1:]])
    holder = Holder(os.getpid(), socket.gethostname(), masked(command), time.strftime("%H:%M:%S"))
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode()[:MAX_HOLDER_BYTES], 0)


def _read_holder(descriptor: int) -> Holder | None:
    """Return what the holder wrote; None if it has not yet, or cannot be read."""
    try:
        written = json.loads(os.pread(descriptor, MAX_HOLDER_BYTES, 0))
        words = [printable(str(written[key]), keep="") for key in ("host", "command", "since")]
        return Holder(int(written["pid"]), *words)
    except (OSError, ValueError, KeyError, TypeError):
        return None
