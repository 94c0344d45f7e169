"""Extraction in this process, by the product's own worker but without Ray."""

from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Event
from typing import Any, TypeVar

from mmray.config.document import Config
from mmray.distributed.extraction.shard_actor import ModalityWorker
from mmray.distributed.extraction.shard_plan import ExtractionPlan
from mmray.distributed.extraction.shard_task import cut_shard_tasks
from mmray.features.spec import spec_of
from mmray.stages.extraction.job import ExtractionJob

T = TypeVar("T")


class InProcess:
    """Extracts modality by modality."""

    def beside(self, config: Config, work: Callable[[Event], T]) -> T:
        """Return what ``work`` returns: there is nothing to prepare."""
        return work(Event())

    def __call__(self, jobs: Sequence[ExtractionJob]) -> dict[str, dict[str, Any]]:
        """Write shards with all pending samples."""
        for job in jobs:
            with closing(ModalityWorker(_plan(job), decoders=1, takes_turns=True)) as worker:
                for task in cut_shard_tasks(job.pending, actors=1):
                    worker.extract(task)
        return {}


def _plan(job: ExtractionJob) -> ExtractionPlan:
    data, modality = job.config.data, job.config.modalities[job.name]
    return ExtractionPlan(
        name=job.name,
        config=modality,
        spec=spec_of(modality),
        state=str(job.state.resolve()) if job.state else None,
        output=str(job.folder.resolve()),
        corpus=job.manifest.folder,
        allow=data.allow,
        max_payload_bytes=data.max_payload_bytes,
        max_read_s=data.max_read_s,
        max_decode_s=data.max_decode_s,
    )
