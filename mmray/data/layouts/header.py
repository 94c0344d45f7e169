"""The names of a table's columns."""

from collections import Counter
from collections.abc import Sequence

from mmray.data.layouts.limits import MAX_COLUMNS
from mmray.errors import ManifestError


def check_columns(names: Sequence[str], file: str) -> None:
    """Refuse two columns of one name, and more columns than a table may have."""
    if len(names) > MAX_COLUMNS:
        raise ManifestError(
            f"this table has {len(names):,} columns, {MAX_COLUMNS:,} are read",
            where=file,
            hint="put what belongs together into a file per sample, or drop columns",
        )
    name, count = next(iter(Counter(names).most_common(1)), ("", 1))
    if count > 1:
        raise ManifestError(f"the column {name!r} appears twice", where=file, hint="rename one")
