"""Extraction on Ray Data: units of samples in, feature shards out.

A unit is a handful of samples that become one shard. An actor reads, decodes, extracts and writes
a whole unit, so that no raw bytes or features travel between processes, and a shard that exists is
done.
"""

import errno
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.data

from mmray.config.modality import ModalityConfig
from mmray.core.spec import FeatureSpec
from mmray.errors import ExtractionError, MMRayError
from mmray.features.build import build_extractor, extractor_tally
from mmray.features.decoding import safe_decoder
from mmray.features.extractor import Decode, Extractor, extract_batch
from mmray.features.payload import read_payloads
from mmray.features.store import write_shard
from mmray.features.store.limits import describe_limits
from mmray.media.source import MAX_READ_S, PayloadReader

logger = logging.getLogger(__name__)

UNIT_SAMPLES = 256
UNITS_PER_ACTOR = 4


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """Everything that an actor needs to know about one modality."""

    name: str
    config: ModalityConfig
    spec: FeatureSpec
    state: str | None
    """Folder of what was fitted on the train split."""
    output: str
    corpus: str
    """Where relative references start."""
    allow: tuple[str, ...]
    max_payload_bytes: int
    max_decode_s: float
    max_read_s: float = MAX_READ_S


@dataclass(frozen=True, slots=True)
class Unit:
    """Samples that become one shard."""

    ids: list[str]
    references: list[str | bytes]
    keys: list[str]


def cut_units(samples: Sequence[tuple[str, str | bytes, str]], *, actors: int) -> list[Unit]:
    """Cut (id, reference, key) so that every actor gets a few units and no unit is huge.

    A unit holds references of one type only: Arrow would turn a text among bytes into bytes.
    """
    size = min(UNIT_SAMPLES, max(1, math.ceil(len(samples) / (actors * UNITS_PER_ACTOR))))
    units: list[Unit] = []
    for is_inline in (False, True):
        alike = [sample for sample in samples if isinstance(sample[1], bytes) == is_inline]
        for start in range(0, len(alike), size):
            ids, references, keys = zip(*alike[start : start + size], strict=True)
            units.append(Unit(list(ids), list(references), list(keys)))
    return units


class ShardActor:
    """One extractor per process; all behaviour lives in ``extract_unit``."""

    def __init__(self, plan: ExtractionPlan) -> None:
        self._plan = plan
        self._failure = ""
        try:
            self._extractor = build_extractor(plan.config, Path(plan.state) if plan.state else None)
            self._decode = safe_decoder(plan.config, self._extractor, timeout_s=plan.max_decode_s)
        except MMRayError as error:
            # Ray Data keeps only the text of an exception, so ours travels as data.
            self._failure = str(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Extract the one unit of this batch and say how it went."""
        unit = Unit(*(list(batch[column][0]) for column in ("ids", "references", "keys")))
        if self._failure:
            return _outcome(failure=self._failure)
        try:
            return extract_unit(self._extractor, self._decode, self._plan, unit)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return _outcome(failure=f"no space left for features in {self._plan.output}")


def extract_unit(
    extractor: Extractor, decode: Decode, plan: ExtractionPlan, unit: Unit
) -> dict[str, list[Any]]:
    """Read, decode, extract and write one unit."""
    reader = PayloadReader(
        roots=plan.allow,
        folder=plan.corpus,
        max_bytes=plan.max_payload_bytes,
        max_read_s=plan.max_read_s,
    )
    payloads = read_payloads(reader, unit.references, is_inline=plan.config.is_inline)
    batch = extract_batch(extractor, payloads, decode, extractor_tally(plan.config))
    limits = describe_limits(
        allow=plan.allow, max_payload_bytes=plan.max_payload_bytes, max_decode_s=plan.max_decode_s
    )
    write_shard(Path(plan.output), unit.ids, unit.keys, batch, plan.spec, limits=limits)
    rejected = sum(bool(reason) for reason in batch.reasons)
    return _outcome(samples=len(unit.ids), rejected=rejected)


def extract_units(
    plan: ExtractionPlan,
    units: Sequence[Unit],
    *,
    actors: int,
    on_unit: Callable[[int, int], None],
) -> None:
    """Run all ``units`` through a pool of actors; ``on_unit(samples, rejected)`` after each."""
    for outcome in _outcomes(plan, units, actors):
        if outcome["failure"]:
            raise ExtractionError(
                outcome["failure"],
                where=f"modalities.{plan.name}",
                hint="what was extracted so far is kept; run again once this is mended",
            )
        on_unit(outcome["samples"], outcome["rejected"])


def _outcomes(plan: ExtractionPlan, units: Sequence[Unit], actors: int) -> Iterator[dict[str, Any]]:
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"ids": u.ids, "references": u.references, "keys": u.keys} for u in units]
    with ray.data.DataContext.current(context):
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            ShardActor,
            batch_size=1,
            batch_format="numpy",
            fn_constructor_kwargs={"plan": plan},
            compute=ray.data.ActorPoolStrategy(size=min(actors, len(units))),
            num_cpus=1,
        )
        yield from dataset.iter_rows()


def _outcome(*, samples: int = 0, rejected: int = 0, failure: str = "") -> dict[str, list[Any]]:
    return {"samples": [samples], "rejected": [rejected], "failure": [failure]}
