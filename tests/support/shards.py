"""Tars of samples."""

import io
import tarfile
from collections.abc import Iterable, Mapping


def tar_of(files: Mapping[str, bytes], *odd: tarfile.TarInfo, format: int = tarfile.PAX_FORMAT):
    """Return a tar of ``files`` by name, then members of ``odd`` kinds."""
    return tar_in_order(files.items(), odd, format)


def tar_in_order(
    files: Iterable[tuple[str, bytes]],
    odd: Iterable[tarfile.TarInfo] = (),
    format: int = tarfile.PAX_FORMAT,
) -> bytes:
    """Return a tar in which a name may come twice."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=format) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in odd:
            archive.addfile(info)
    return packed.getvalue()


def member(name: str, type: bytes, linkname: str = "") -> tarfile.TarInfo:
    """Return the header of a link, a folder or a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, linkname
    return info
