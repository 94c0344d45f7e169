"""The process that extracts: it reads, decodes, extracts and writes complete shards.

No raw bytes and no features travel between processes of Ray, and a shard that exists is done.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from mmray.core.file.atomic import FULL
from mmray.distributed.extraction.journal import MAX_STARTS, Journal, ShardOutcome
from mmray.distributed.extraction.shard_plan import ExtractionPlan
from mmray.distributed.extraction.shard_task import ShardTask, outcome_table, unpack_shard_task
from mmray.errors import DiskFullError, MMRayError
from mmray.features.build import build_extractor, extractor_tally
from mmray.features.extractor import Decode, Extractor, extract_batch
from mmray.features.libraries import libraries_of
from mmray.features.payloads.decoding import safe_decoder
from mmray.features.payloads.payload import entries_for, read_payloads
from mmray.features.store import write_shard
from mmray.features.store.limits import describe_limits
from mmray.media.guard.guard import GuardedDecoder


class ShardActor:
    """Extracts shard tasks of several modalities, with one extractor at a time."""

    def __init__(
        self,
        plans: Mapping[str, ExtractionPlan],
        run: str,
        *,
        threads: int,
        decoders: Mapping[str, int],
        takes_turns: bool = False,
    ) -> None:
        self._plans = plans
        self._run = run
        self._threads, self._decoders, self._takes_turns = threads, decoders, takes_turns
        self._worker: ModalityWorker | None = None

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        """Extract the shard tasks of this batch, and return the outcome of each."""
        columns = (batch[name].to_pylist() for name in ("number", "name", "task"))
        for number, name, packed in zip(*columns, strict=True):
            outcome = self._extract(number, name, unpack_shard_task(packed))
            yield outcome_table(outcome)

    def _extract(self, number: int, name: str, task: ShardTask) -> ShardOutcome:
        plan = self._plans[name]
        journal = Journal(plan.output, self._run)
        try:
            known = journal.begin(number)
            if known is not None:
                return known
            if journal.starts(number) > MAX_STARTS:
                return ShardOutcome(name, failure=_deadly(task))
            outcome = self._worker_for(plan).extract(task)
            journal.end(number, outcome)
        except DiskFullError:
            return ShardOutcome(name, failure=_no_room(plan))
        except MMRayError as error:
            # Ray Data keeps only the text of an exception, so ours travels as data.
            return ShardOutcome(name, failure=str(error))
        except OSError as error:
            if error.errno not in FULL:
                raise
            return ShardOutcome(name, failure=_no_room(plan))
        return outcome

    def _worker_for(self, plan: ExtractionPlan) -> "ModalityWorker":
        """Return the worker of this modality; the one before is given up, with its memory."""
        if self._worker is None or self._worker.plan.name != plan.name:
            if self._worker is not None:
                self._worker.close()
            self._worker = None
            decoders = self._decoders[plan.name] or 1
            self._worker = ModalityWorker(plan, decoders=decoders, takes_turns=self._takes_turns)
            if "torch" in sys.modules:
                import torch

                torch.set_num_threads(self._threads)
        return self._worker


class ModalityWorker:
    """One modality's extractor and decoder in this process."""

    def __init__(self, plan: ExtractionPlan, *, decoders: int, takes_turns: bool) -> None:
        self.plan = plan
        self._extractor = build_extractor(plan.config, Path(plan.state) if plan.state else None)
        self._decode = safe_decoder(
            plan.config,
            self._extractor,
            timeout_s=plan.max_decode_s,
            children=decoders,
            takes_turns=takes_turns,
            reader=plan.reader(),
        )
        if isinstance(self._decode, GuardedDecoder):
            self._decode.start()

    def extract(self, task: ShardTask) -> ShardOutcome:
        """Extract and write one shard."""
        return extract_shard(self._extractor, self._decode, self.plan, task)

    def close(self) -> None:
        """End the processes that decode."""
        if isinstance(self._decode, GuardedDecoder):
            self._decode.close()


def extract_shard(
    extractor: Extractor, decode: Decode, plan: ExtractionPlan, task: ShardTask
) -> ShardOutcome:
    """Read, decode, extract and write one shard; a GuardedDecoder has the plan's reader."""
    started = time.monotonic()
    read = entries_for if isinstance(decode, GuardedDecoder) else read_payloads
    entries = read(plan.reader(), task.references, is_inline=plan.config.is_inline)
    with closing(entries):
        batch = extract_batch(extractor, entries, decode, extractor_tally(plan.config))
    limits = describe_limits(
        allow=plan.allow, max_payload_bytes=plan.max_payload_bytes, max_decode_s=plan.max_decode_s
    )
    made = {"limits": limits, "libraries": libraries_of(plan.config)}
    write_shard(Path(plan.output), task.ids, task.keys, batch, plan.spec, made=made)
    rejected = Counter(reason for reason in batch.reasons if reason)
    return ShardOutcome(plan.name, len(task.ids), dict(rejected), time.monotonic() - started)


def _no_room(plan: ExtractionPlan) -> str:
    return f"no space left for features in {plan.output}"


def _deadly(task: ShardTask) -> str:
    return (
        f"the process that extracts was lost {MAX_STARTS} times at the same "
        f"{len(task.ids)} samples, {task.ids[0]} to {task.ids[-1]}"
    )
