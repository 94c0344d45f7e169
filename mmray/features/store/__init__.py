"""The feature store: plain Parquet, readable without Ray or mmray; docs/reference/features.md.

One folder per modality and fingerprint. Older versions of a sample may lie in older shards;
``index.parquet`` says which version counts.
"""

from mmray.features.store.current import read_current, write_current
from mmray.features.store.gaps import Gaps, find_gaps
from mmray.features.store.index import read_index, write_index
from mmray.features.store.read import (
    StoredFeatures,
    assemble_features,
    measure_features,
    read_features,
)
from mmray.features.store.shard import shards_of, write_shard

__all__ = [
    "Gaps",
    "StoredFeatures",
    "assemble_features",
    "find_gaps",
    "measure_features",
    "read_current",
    "read_features",
    "read_index",
    "shards_of",
    "write_current",
    "write_index",
    "write_shard",
]
