"""WebDataset shards: tars in which ``key.jpg``, ``key.txt`` and ``key.json`` are one sample.

What is small and read by us (text, classes, JSON) is read now. Everything else stays where it is: a
reference says at which byte of the shard it starts.
"""

import posixpath
import tarfile
from collections.abc import Iterator
from typing import Any, cast

from mmray.data.layouts.folders import SPLITS
from mmray.data.layouts.json_lines import parse_row
from mmray.data.manifest.reference import FileReference
from mmray.data.sources.source import Row, Source
from mmray.errors import ManifestError
from mmray.media.location import Member

SUFFIX = ".tar"
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
TEXT = ("txt", "text", "cls", "cls2", "id", "index")
MAX_INLINE_BYTES = 2**24


def shard_names(source: Source) -> list[str]:
    """Return the shards in the order of their names."""
    names = source.names()
    packed = [name for name in names if name.lower().endswith(COMPRESSED)]
    if packed:
        raise ManifestError(
            "a compressed tar cannot be read in parts",
            where=source.location(packed[0]),
            hint="unpack it to a plain .tar; media are compressed already",
        )
    return [name for name in names if name.endswith(SUFFIX)]


def read_webdataset(source: Source) -> Iterator[Row]:
    """Yield a row per key: a column per extension, and one per field of its JSON."""
    for shard in shard_names(source):
        rows: dict[str, dict[str, Any]] = {}
        for key, extension, info, content in _members(source, shard):
            location = f"{source.location(shard)}:{info.name}"
            row = rows.setdefault(key, {})
            for column, cell in _cells(shard, extension, info, content, location):
                if column in row:
                    raise ManifestError(
                        f"the column {column!r} of the sample {key!r} appears twice",
                        where=location,
                        hint="a key and extension may be in a shard once",
                    )
                row[column] = cell
        for key, row in rows.items():
            named = {"sample_id": key, "shard_key": f"{shard}/{key}"} | _split_of(shard)
            yield f"{source.location(shard)}:{key}", named | row


def digest_webdataset(source: Source) -> Iterator[str]:
    """Yield which shards there are, and their versions."""
    for shard in shard_names(source):
        yield f"{shard} {source.version(shard)}"


def _split_of(shard: str) -> dict[str, str]:
    """Read the split of ``train-000001.tar``."""
    name = shard.lower().partition("-")[0]
    return {"split": SPLITS[name]} if name in SPLITS else {}


def _members(
    source: Source, shard: str
) -> Iterator[tuple[str, str, tarfile.TarInfo, bytes | None]]:
    """Yield key, extension, header, and the content where it is read now."""
    location = source.location(shard)
    try:
        with source.open(shard) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            while (info := archive.next()) is not None:
                cast("Any", archive).members.clear()  # kept by tarfile, needed by nobody
                key, extension = _key_of(info.name)
                if info.isdir() or not key or not extension:
                    continue
                _check_member(info, location)
                yield key, extension, info, _read_inline(archive, info, extension, location)
            # A header that is cut or damaged looks like the end to tarfile; the end is zeros.
            stream.seek(archive.offset)
            if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError("its end is missing")
    except (tarfile.TarError, EOFError) as error:
        raise ManifestError(
            f"this tar is broken or cut short: {error}",
            where=location,
            hint="write the shard again",
        ) from None


def _key_of(name: str) -> tuple[str, str]:
    """Part ``photos/cat.left.jpg`` into ``photos/cat`` and ``left.jpg``."""
    folder, base = posixpath.split(name)
    stem, _, extension = base.partition(".")
    return (posixpath.join(folder, stem) if stem else "", extension.lower())


def _check_member(info: tarfile.TarInfo, location: str) -> None:
    problem = ""
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse():
        problem = "is a link, a device or a sparse file: only plain files are read"
    elif info.name.startswith("/") or ".." in info.name.split("/") or "\\" in info.name:
        problem = "has a name that leads out of the shard"
    elif not info.name.isprintable():
        problem = "has a name with a character that cannot be printed"
    if problem:
        raise ManifestError(
            f"the member {info.name!r} {problem}", where=location, hint="write the shard without it"
        )


def _read_inline(
    archive: tarfile.TarFile, info: tarfile.TarInfo, extension: str, location: str
) -> bytes | None:
    if extension.rpartition(".")[2] not in (*TEXT, "json"):
        return None
    if info.size > MAX_INLINE_BYTES:
        raise ManifestError(
            f"the member {info.name!r} has {info.size} bytes, of text {MAX_INLINE_BYTES} are read",
            where=location,
            hint="give long documents an extension such as .doc, and say 'payload: file'",
        )
    opened = archive.extractfile(info)
    return opened.read() if opened else b""


def _cells(
    shard: str, extension: str, info: tarfile.TarInfo, content: bytes | None, location: str
) -> Iterator[tuple[str, Any]]:
    """Yield column and cell."""
    if content is None:
        yield extension, FileReference(Member(shard, info.name, info.offset_data, info.size))
        return
    try:
        text = content.decode("utf-8-sig")
    except ValueError as error:
        raise ManifestError(f"this member cannot be read: {error}", where=location) from None
    fields = parse_row(text, location, "this member") if extension.endswith("json") else None
    if fields is None:
        yield extension, text.strip()
    elif isinstance(fields, dict):
        yield from ((extension.removesuffix("json") + name, cell) for name, cell in fields.items())
    else:
        raise ManifestError(
            "this JSON is not an object", where=location, hint='write {"label": ...}'
        )
