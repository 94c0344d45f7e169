"""Features that another version of a library computed: they are kept, and reported."""

from collections import Counter

import numpy as np

from mmray.features.store.rows import StoredRows


def describe_other_libraries(
    name: str, current: StoredRows, installed: dict[str, str]
) -> tuple[str, ...]:
    """Return a warning for each version other than the installed one; ``current`` has the rows."""
    rows = np.bincount(np.asarray(current.table["shard"]), minlength=len(current.shards))
    others: Counter[tuple[str, str, str]] = Counter()
    for about, count in zip(current.abouts, rows.tolist(), strict=True):
        for library, then in (about.get("libraries") or {}).items():
            if then != installed.get(library, then):
                others[library, then, installed[library]] += count
    folder = current.shards[0].parent if current.shards else ""
    return tuple(
        f"warning: {count} of {len(current.table)} {name!r} features were computed with {library} "
        f"{then}, not with {now} that is installed; delete {folder} to compute all of them with it"
        for (library, then, now), count in sorted(others.items())
        if count
    )
