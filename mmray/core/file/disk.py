"""What the disk says no to, as an error of the user's and not as a bug."""

import errno

from mmray.core.file.atomic import FULL
from mmray.errors import DiskFullError, MMRayError

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def to_disk_error(error: OSError) -> MMRayError | None:
    """Return the error of a disk that is full or may not be written to; None for any other."""
    where = str(error.filename or "")
    if error.errno in FULL:
        return DiskFullError(
            "no space left on the disk",
            where=where,
            hint="what was complete before is kept; make room and run the same command to resume",
        )
    if error.errno in REFUSED:
        return MMRayError(
            f"the file system refuses: {error.strerror}",
            where=where,
            hint="the workspace must be writable, and the corpus readable, for this account",
        )
    return None
