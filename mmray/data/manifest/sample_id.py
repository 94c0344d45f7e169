"""Ids of samples: from a column, or derived from the payloads; all are unique."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from mmray.core.arrow import pc
from mmray.data.manifest.column import AT_ONCE, Column, Gathered
from mmray.errors import ManifestError


def unique_ids(ids: Column[str], locations: Iterable[str], column: str | None) -> Column[str]:
    """Return ids that differ; two equal ones in the ``column`` of ids are a ManifestError.

    Without such a column, rows with the same payloads are as many samples: the second one's id
    ends in ``-2``.
    """
    if pc.count_distinct(ids.cells).as_py() == len(ids):
        return ids
    if column is not None:
        raise _twice(ids, locations, column)
    counts: Counter[str] = Counter()
    unique = Gathered[str](pa.string())
    for start in range(0, len(ids), AT_ONCE):
        unique.add([_numbered(name, counts) for name in ids[start : start + AT_ONCE]])
    return unique.column()


def _numbered(name: str, counts: Counter[str]) -> str:
    counts[name] += 1
    return name if counts[name] == 1 else f"{name}-{counts[name]}"


def _twice(ids: Column[str], locations: Iterable[str], column: str) -> ManifestError:
    seen: dict[str, str] = {}
    for name, location in zip(ids, locations, strict=True):
        if name in seen:
            return ManifestError(
                f"{column} {name!r} appears twice",
                where=f"{seen[name]} and {location}",
                hint="ids must be unique; 'data.id' names their column",
            )
        seen[name] = location
    raise AssertionError("ids that are not distinct have one that is there twice")
