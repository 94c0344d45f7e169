"""Statistics of all features that the index names."""

from typing import Any

import numpy as np

from mmray.core.spec import FeatureSpec
from mmray.features.store.rows import StoredRows
from mmray.features.store.shard import read_columns
from mmray.features.store.statistics import Statistics, describe, measure, merge


def total_statistics(current: StoredRows, spec: FeatureSpec) -> dict[str, Any]:
    """Return statistics of the current features; ``current`` holds ``reason``.

    A shard says its own; only one that also holds older versions is read, and one at a time.
    """
    shards = np.asarray(current.table["shard"])
    rows = np.asarray(current.table["row"])
    is_extracted = np.asarray(current.table["reason"]) == ""
    parts: list[Statistics] = []
    for number, (path, about) in enumerate(zip(current.shards, current.abouts, strict=True)):
        chosen = rows[is_extracted & (shards == number)]
        told = about.get("statistics")
        if told is not None and told["features"] == len(chosen):
            parts.append(Statistics(**told))
        elif len(chosen):
            column = read_columns(path, ["feature"])[0]["feature"].combine_chunks()
            parts.append(measure(column.take(np.sort(chosen)), spec))
    return describe(merge(parts), spec)
