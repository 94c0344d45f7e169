"""The fitted state of an extractor: when it is fitted again, and when it is kept.

One new sample in the train split must not compute every feature again. So an earlier state with the
same settings is kept while at least ``KEPT_SHARE`` of the payloads are the same, counted against
those of then and of now, and never when a payload of then is in val or test now.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmray.config.document import Config
from mmray.core.file.atomic import mark_success, read_complete, replacing
from mmray.core.fingerprint import digest_lines, fingerprint
from mmray.core.kind import Split
from mmray.core.rejection import Rejection
from mmray.data.manifest.column import cells_of
from mmray.data.manifest.manifest import Manifest
from mmray.features.fit import fit_extractor, fit_identity, needs_fit
from mmray.features.payloads.payload import read_payloads
from mmray.media.source import PayloadReader

logger = logging.getLogger(__name__)
KEPT_SHARE = 0.9
LEARNT_FROM = "learnt_from.parquet"
STATE = "state"


@dataclass(frozen=True, slots=True)
class Fit:
    """The place of an extractor's fitted state."""

    folder: Path
    payloads: int
    """Different payloads of the train split now."""
    is_done: bool = False
    same: int | None = None
    """For a state fitted on other payloads: how many of them still exist."""

    @property
    def state(self) -> Path:
        """The folder with the state's files."""
        return self.folder / STATE

    def describe(self) -> str:
        """Describe it for people."""
        if self.same is not None:
            return (
                f"an earlier fitted state is kept: it was fitted on {self.same} of the train "
                f"split's {self.payloads} payloads; --refit fits again"
            )
        if self.is_done:
            return f"fitted on the train split's {self.payloads} payloads"
        return f"not fitted yet: will be fitted on the train split's {self.payloads} payloads first"


def find_fit(
    name: str, config: Config, manifest: Manifest, keys: pa.Array, *, refit: bool = False
) -> Fit | None:
    """Return the current fitted state; None if the extractor has none.

    ``keys`` are the payloads' versions, a row of the manifest each. It follows from the document,
    the manifest and what is in the workspace, so every stage finds the same. ``refit``: only one
    that was fitted on exactly these payloads.
    """
    modality = config.modalities[name]
    if not needs_fit(modality):
        return None
    settings = fingerprint(*fit_identity(modality))
    train = _train_keys(manifest, keys)
    root = Path(config.workspace) / "features" / name
    exact = root / f"fitted-{fingerprint(settings, digest_lines(train))}"
    payloads = set(train)
    if read_complete(exact) is not None:
        return Fit(exact, len(payloads), is_done=True)
    if refit or config.data.refit == "always":
        return Fit(exact, len(payloads))
    least = 0.0 if config.data.refit == "never" else KEPT_SHARE
    held_out = set(keys.drop_null().to_pylist()) - payloads
    kept: list[tuple[float, int, Path]] = []
    for folder in sorted(root.glob("fitted-*")):
        then = _learnt_from(folder, settings)
        if then and not then & held_out:
            same = len(then & payloads)
            kept.append((same / max(len(then), len(payloads)), same, folder))
    if not kept or max(kept)[0] < least:
        return Fit(exact, len(payloads))
    _, same, folder = max(kept)
    return Fit(folder, len(payloads), is_done=True, same=same)


def _learnt_from(folder: Path, settings: str) -> set[str]:
    """Return the payloads that a complete state of these settings was fitted on."""
    success = read_complete(folder)
    if success is None or success.get("settings") != settings:
        return set()
    return set(pq.read_table(folder / LEARNT_FROM)["key"].to_pylist())


def _train_keys(manifest: Manifest, keys: pa.Array) -> list[str]:
    rows = pa.array(manifest.rows_of(Split.TRAIN), pa.int64())
    return keys.take(rows).drop_null().to_pylist()


def fit(
    name: str, config: Config, manifest: Manifest, keys: pa.Array, found: Fit, *, stop: Event
) -> None:
    """Fit on the train split and write the state, unless it exists.

    It raises KeyboardInterrupt when ``stop`` is set.
    """
    if found.is_done:
        return
    modality = config.modalities[name]
    logger.info("%s: fitting %s on the train split", name, modality.extract.kind)
    found.state.mkdir(parents=True, exist_ok=True)
    payloads = _until(stop, train_payloads(name, config, manifest))
    fit_extractor(modality, payloads, found.state, timeout_s=config.data.max_decode_s)
    learnt = sorted(set(_train_keys(manifest, keys)))
    with replacing(found.folder / LEARNT_FROM) as temporary:
        pq.write_table(pa.table({"key": pa.array(learnt, pa.string())}), temporary)
    settings = fingerprint(*fit_identity(modality))
    paths = [found.folder / LEARNT_FROM, *(p for p in found.state.rglob("*") if p.is_file())]
    mark_success(
        found.folder,
        {"name": name, "settings": settings, "payloads": len(learnt)},
        files=[str(path.relative_to(found.folder)) for path in paths],
    )


def _until(stop: Event, payloads: Iterator[bytes]) -> Iterator[bytes]:
    for payload in payloads:
        if stop.is_set():
            raise KeyboardInterrupt
        yield payload


def train_payloads(name: str, config: Config, manifest: Manifest) -> Iterator[bytes]:
    """Yield the readable payloads of the train split.

    One is in memory at a time, a few if they are remote.
    """
    modality, references = config.modalities[name], manifest.references[name]
    rows = np.array(manifest.rows_of(Split.TRAIN), dtype=np.int64)
    train = [reference for reference in cells_of(references, rows) if reference is not None]
    reader = corpus_reader(config, manifest)
    for payload in read_payloads(reader, train, is_inline=modality.is_inline):
        if not isinstance(payload, Rejection):
            yield payload


def corpus_reader(config: Config, manifest: Manifest) -> PayloadReader:
    """Return a reader that is confined to the corpus."""
    return PayloadReader(
        roots=config.data.allow,
        folder=manifest.folder,
        max_bytes=config.data.max_payload_bytes,
        max_read_s=config.data.max_read_s,
    )
