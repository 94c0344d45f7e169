"""Check, deep: every payload is decoded; what cannot be used is told, by format and why."""

import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import filetype

from mmray.config.document import Config
from mmray.core.rejection import Rejection
from mmray.core.word import Kind
from mmray.data.manifest import Manifest
from mmray.data.reference import Reference
from mmray.features.build import build_extractor
from mmray.features.decoding import safe_decoder
from mmray.features.extractor import Decode
from mmray.features.fit import fit_extractor, needs_fit
from mmray.features.payload import read_payload
from mmray.stages.fitted import corpus_reader, train_payloads
from mmray.stages.progress import Progress

logger = logging.getLogger(__name__)
DECODED = ""
EXAMPLE_CHARS = 120


@dataclass(frozen=True, slots=True)
class DeepRow:
    """How many payloads of one modality and format came to the same end."""

    modality: str
    format: str
    reason: str
    """Empty: decoded."""
    payloads: int
    example: str
    """A sample of them."""
    detail: str
    """What the decoder said of that sample."""


def check_deep(config: Config, manifest: Manifest) -> list[DeepRow]:
    """Decode every payload, a few at a time; nothing is kept, and Ray is not started."""
    rows: list[DeepRow] = []
    for name in config.modality_order():
        rows += _check_modality(name, config, manifest)
    return rows


def describe_deep(rows: list[DeepRow]) -> Iterator[str]:
    """Yield the table, a line per row, the decoded ones of a modality first."""
    columns = [("modality", "format", "payloads", "outcome", "for example")]
    columns += [
        (
            row.modality,
            row.format,
            str(row.payloads),
            row.reason or "decoded",
            _shortened(f"{row.example}: {row.detail}") if row.reason else row.example,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in columns) for column in range(4)]
    for line in columns:
        padded = [text.ljust(width) for text, width in zip(line, widths, strict=False)]
        yield "  ".join([*padded, line[4]]).rstrip()


def sum_up(rows: list[DeepRow], max_rejected_fraction: float) -> Iterator[str]:
    """Yield how many payloads of each modality can be used, and a warning where too few can."""
    for name in dict.fromkeys(row.modality for row in rows):
        total = sum(row.payloads for row in rows if row.modality == name)
        rejected = sum(row.payloads for row in rows if row.modality == name and row.reason)
        yield f"{name}: {total - rejected} of {total} payloads decoded, {rejected} rejected"
        if rejected > max_rejected_fraction * total:
            yield (
                f"warning: 'mmray extract' will stop at {name}: more than "
                f"data.max_rejected_fraction ({max_rejected_fraction:g}) of it is rejected"
            )


def _shortened(text: str) -> str:
    return text if len(text) <= EXAMPLE_CHARS else text[: EXAMPLE_CHARS - 3] + "..."


def _check_modality(name: str, config: Config, manifest: Manifest) -> list[DeepRow]:
    modality = config.modalities[name]
    reader = corpus_reader(config, manifest)
    samples = [
        (sample, reference)
        for sample, reference in zip(manifest.ids, manifest.references[name], strict=True)
        if reference is not None
    ]
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], tuple[str, str]] = {}

    def read(reference: Reference) -> bytes | Rejection:
        return read_payload(reader, reference, is_inline=modality.is_inline)

    with tempfile.TemporaryDirectory(prefix="mmray-check-") as folder:
        if needs_fit(modality):
            payloads = train_payloads(name, config, manifest)
            timeout_s = config.data.max_decode_s
            fit_extractor(modality, payloads, Path(folder), timeout_s=timeout_s)
        extractor = build_extractor(modality, Path(folder))
        decoders = _PerThread(
            lambda: safe_decoder(modality, extractor, timeout_s=config.data.max_decode_s)
        )

        def outcome(sample: tuple[str, Reference]) -> tuple[str, str, str, str]:
            payload = read(sample[1])
            form, reason, detail = _outcome(payload, Kind(modality.kind), decoders.get())
            return sample[0], form, reason, detail

        with ThreadPoolExecutor(os.cpu_count()) as pool, Progress({name: len(samples)}) as progress:
            for sample, form, reason, detail in pool.map(outcome, samples):
                counts[form, reason] += 1
                examples.setdefault((form, reason), (sample, detail))
                progress.add(name, 1, {reason: 1} if reason != DECODED else {})
    ordered = sorted(counts, key=lambda key: (key[1] != DECODED, key))
    return [DeepRow(name, *key, counts[key], *examples[key]) for key in ordered]


def _outcome(payload: bytes | Rejection, kind: Kind, decode: Decode) -> tuple[str, str, str]:
    """Return format, reason and detail."""
    if isinstance(payload, Rejection):
        return "-", payload.reason, payload.detail
    form = format_of(payload, kind)
    try:
        decode(payload)
    except Rejection as rejection:
        return form, rejection.reason, rejection.detail
    return form, DECODED, ""


def format_of(payload: bytes, kind: Kind) -> str:
    """Name the format by the payload's first bytes, as a file extension; ``-`` when unknown."""
    if kind in (Kind.TEXT, Kind.TABLE):
        return kind.value
    if payload[128:132] == b"DICM":
        return "dcm"
    return filetype.guess_extension(payload[:8192]) or "-"


class _PerThread:
    """One decoder per thread: each has a process of its own."""

    def __init__(self, make: Callable[[], Decode]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> Decode:
        if not hasattr(self._local, "decode"):
            self._local.decode = self._make()
        return self._local.decode
