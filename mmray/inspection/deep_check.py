"""The deep check: decode every payload, and report rejections by format and reason."""

import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.rejection import Rejection
from mmray.data.manifest.manifest import Manifest
from mmray.data.manifest.reference import Reference
from mmray.display.extraction_progress import ExtractionProgress
from mmray.features.build import build_extractor
from mmray.features.extractor import Decode
from mmray.features.fit import fit_extractor, needs_fit, network_decoder
from mmray.features.kind import ModalityKind
from mmray.features.kinds import kind_of
from mmray.features.payloads.decoding import safe_decoder
from mmray.features.payloads.payload import read_payload
from mmray.inspection.deep_table import DeepRow
from mmray.media.guard.guard import GuardedDecoder
from mmray.stages.extraction.completion import shown
from mmray.stages.extraction.fitted import corpus_reader, train_payloads

logger = logging.getLogger(__name__)
DECODED = ""


def check_deep(config: Config, manifest: Manifest) -> list[DeepRow]:
    """Decode every payload, a few at a time; nothing is stored, and Ray is not started."""
    rows: list[DeepRow] = []
    for name in config.modality_order():
        rows += _check_modality(name, config, manifest)
    return rows


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
        decoders = _PerThread(_decoder_maker(name, config, manifest, Path(folder)))

        def outcome(sample: tuple[str, Reference]) -> tuple[str, str, str, str]:
            payload = read(sample[1])
            form, reason, detail = _outcome(payload, kind_of(modality), decoders.get())
            return shown(sample[1], sample[0], is_inline=modality.is_inline), form, reason, detail

        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            ExtractionProgress({name: len(samples)}) as progress,
        ):
            for sample, form, reason, detail in pool.map(outcome, samples):
                counts[form, reason] += 1
                examples.setdefault((form, reason), (sample, detail))
                progress.add(name, 1, {reason: 1} if reason != DECODED else {})
    ordered = sorted(counts, key=lambda key: (key[1] != DECODED, key))
    return [DeepRow(name, *key, counts[key], *examples[key]) for key in ordered]


def _decoder_maker(
    name: str, config: Config, manifest: Manifest, folder: Path
) -> Callable[[], Decode]:
    """Return a factory of the modality's decoder; fitted state goes to ``folder``."""
    modality, timeout_s = config.modalities[name], config.data.max_decode_s
    decode = network_decoder(modality)
    if decode is not None:
        # All speech would be recognised to learn words that decoding does not need.
        return lambda: GuardedDecoder(decode, timeout_s=timeout_s)
    if needs_fit(modality):
        payloads = train_payloads(name, config, manifest)
        fit_extractor(modality, payloads, folder, timeout_s=timeout_s)
    extractor = build_extractor(modality, folder)
    return lambda: safe_decoder(modality, extractor, timeout_s=timeout_s)


def _outcome(
    payload: bytes | Rejection, kind: ModalityKind[Any], decode: Decode
) -> tuple[str, str, str]:
    """Return format, reason and detail."""
    if isinstance(payload, Rejection):
        return "-", payload.reason, payload.detail
    form = kind.format_of(payload)
    try:
        decode(payload)
    except Rejection as rejection:
        return form, rejection.reason, rejection.detail
    return form, DECODED, ""


class _PerThread:
    """One decoder per thread, each with its own process."""

    def __init__(self, make: Callable[[], Decode]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> Decode:
        if not hasattr(self._local, "decode"):
            self._local.decode = self._make()
        return self._local.decode
