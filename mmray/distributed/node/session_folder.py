"""The folder of local nodes for sockets, logs and spilled objects, closed to other users."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def session_folder() -> str:
    """Return a folder of this user alone for the sessions of Ray.

    Every process of Ray opens a session's own folder to all users; so the one above is closed.
    """
    private = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / f"mmray-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        private.mkdir(mode=0o700)
    status = private.lstat()
    is_private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    if status.st_uid != os.getuid() or not is_private:  # made by someone else
        return tempfile.mkdtemp(prefix="mmray-", dir=private.parent)
    return str(private)
