"""Files that were moved, copied or touched: those with the same bytes keep their features."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa

from mmray.config.document import Config
from mmray.core.arrow import pc
from mmray.core.fingerprint import digest_bytes
from mmray.core.rejection import Rejection
from mmray.data.manifest.manifest import Manifest
from mmray.data.manifest.reference import Reference
from mmray.features.store.same import find_moved, write_same
from mmray.media.source import PayloadReader
from mmray.stages.extraction.fitted import corpus_reader

logger = logging.getLogger(__name__)
READ_AT_ONCE = 4
"""Number of threads: reading and hashing wait for the disk, not for Python."""


def keep_same_content(name: str, config: Config, manifest: Manifest, wanted: pa.Table) -> int:
    """Compare the bytes of files whose version changed; return how many keep their features.

    ``wanted`` has ``sample_id`` and ``key`` of every payload. Remote payloads are not read.
    """
    root = Path(config.workspace) / "features" / name
    if config.modalities[name].is_inline or not root.is_dir():
        return 0
    moved = find_moved(root, wanted)
    if not len(moved):
        return 0
    started = time.monotonic()
    index = pc.index_in(moved["sample_id"], value_set=pa.array(manifest.ids, pa.string()))
    references = [manifest.references[name][row] for row in index.to_pylist()]
    kept = write_same(root, moved, _digests(corpus_reader(config, manifest), references))
    logger.info(
        "%s: %d files have another path or time than at extraction; "
        "%d have the same bytes and keep their features (%.1f s)",
        name, len(moved), kept, time.monotonic() - started,
    )  # fmt: skip
    return kept


def _digests(reader: PayloadReader, references: Sequence[Reference | None]) -> pa.Array:
    with ThreadPoolExecutor(READ_AT_ONCE) as threads:
        return pa.array(threads.map(partial(_digest, reader), references), pa.string())


def _digest(reader: PayloadReader, reference: Reference | None) -> str | None:
    if not isinstance(reference, str) or reader.is_remote(reference):
        return None
    try:
        return digest_bytes(reader.read(reference))
    except Rejection:
        return None
