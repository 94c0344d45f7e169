"""Refusals of the disk, as errors for the user and not as bugs."""

import errno

from mmray.core.file.atomic import FULL
from mmray.errors import DiskFullError, MMRayError

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def to_disk_error(error: OSError) -> MMRayError | None:
    """Return the error of a full or read-only disk; None for any other."""
    where = str(error.filename or "")
    if error.errno in FULL:
        return DiskFullError(
            "no space left on the disk",
            where=where,
            hint="earlier complete results are kept; make room and run the same command to resume",
        )
    if error.errno in REFUSED:
        return MMRayError(
            f"the file system refuses: {error.strerror}",
            where=where,
            hint="the workspace must be writable, and the corpus readable, for this account",
        )
    return None
