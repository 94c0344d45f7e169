"""Extraction on Ray Data: shard tasks in, feature shards out.

Modalities that want the same resources run in one execution, in the order given, so that Ray and
its processes start once, and no process waits for the end of a modality.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pyarrow as pa
import ray.data

from mmray.core.process.memory import release_memory
from mmray.distributed.extraction.journal import ShardOutcome, new_run, remove_journals
from mmray.distributed.extraction.loading_actor import LoadingActor
from mmray.distributed.extraction.planning import ExtractionPool
from mmray.distributed.extraction.shard_plan import ExtractionPlan
from mmray.distributed.extraction.shard_task import (
    PendingSamples,
    ShardTask,
    cut_shard_tasks,
    pack_shard_task,
)
from mmray.distributed.ray_internals.use import lean_data
from mmray.errors import ExtractionError

__all__ = [
    "ExtractionPlan",
    "PendingSamples",
    "PooledJob",
    "ShardOutcome",
    "ShardTask",
    "extract_all",
]

SHARDS_PER_RAY_TASK = 8
"""At most: a Ray task costs some milliseconds, and is what is run again when a process is lost."""
TASKS_AHEAD = 4
"""Ray tasks shrink so that each actor could still get this many: the last Ray tasks have one shard,
and all actors end at about the same time."""


@dataclass(frozen=True, slots=True)
class PooledJob:
    """One modality's work, and the processes for it."""

    plan: ExtractionPlan
    pending: PendingSamples
    pool: ExtractionPool


def extract_all(jobs: Sequence[PooledJob], *, on_shard: Callable[[ShardOutcome], None]) -> None:
    """Extract every job's samples into its folder; ``on_shard`` is called once per shard."""
    run, done = new_run(), 0
    for job in jobs:
        remove_journals(job.plan.output)
    try:
        for group in _alike(jobs):
            for outcome in _outcomes(group, run):
                if outcome.failure:
                    raise ExtractionError(
                        outcome.failure,
                        where=f"modalities.{outcome.name}",
                        hint="what was extracted so far is kept; run again once this is fixed",
                    )
                on_shard(outcome)
                done += outcome.samples
    except KeyboardInterrupt as stop:
        stop.add_note(f"after {done:,} of {sum(len(job.pending) for job in jobs):,} payloads")
        raise
    finally:
        for job in jobs:
            remove_journals(job.plan.output, run)


def _alike(jobs: Sequence[PooledJob]) -> list[list[PooledJob]]:
    """Group jobs whose actors are the same to Ray."""
    groups: dict[ExtractionPool, list[PooledJob]] = {}
    for job in jobs:
        if job.pending:
            groups.setdefault(replace(job.pool, heap_gib=0.0, decoders=0), []).append(job)
    return list(groups.values())


def _outcomes(jobs: Sequence[PooledJob], run: str) -> Iterator[ShardOutcome]:
    pool = jobs[0].pool
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    with ray.data.DataContext.current(context), lean_data():
        # Not from_arrow: that has a task of its own look at each of them first.
        tasks = ray.data.from_blocks(list(cut_tasks(list(_rows(jobs)), pool.actors)))
        release_memory()  # Ray has them now
        dataset = tasks.map_batches(
            LoadingActor,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_args=({job.plan.name: job.plan for job in jobs}, run),
            fn_constructor_kwargs={
                "threads": pool.threads,
                "decoders": {job.plan.name: job.pool.decoders for job in jobs},
                "takes_turns": pool.takes_turns,
            },
            compute=_strategy(pool, tasks.num_blocks()),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus or None,
            memory=pool.memory_gib * 2**30 if pool.memory_gib else None,
        )
        for batch in dataset.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            yield from (_outcome(row) for row in cast("Any", batch).to_pylist())


def _rows(jobs: Sequence[PooledJob]) -> Iterator[dict[str, Any]]:
    number = 0
    for job in jobs:
        for task in cut_shard_tasks(job.pending, actors=job.pool.actors):
            yield {"number": number, "name": job.plan.name, "task": pack_shard_task(task)}
            number += 1


def cut_tasks(rows: Sequence[Mapping[str, Any]], actors: int) -> Iterator[pa.Table]:
    """Group the shard tasks into Ray tasks, a table each."""
    start = 0
    while start < len(rows):
        share = (len(rows) - start) // (actors * TASKS_AHEAD)
        end = start + min(SHARDS_PER_RAY_TASK, max(1, share))
        yield pa.Table.from_pylist(list(rows[start:end]))
        start = end


def _strategy(pool: ExtractionPool, tasks: int) -> ray.data.ActorPoolStrategy:
    fewest = min(pool.actors, tasks)
    if pool.most_actors == pool.actors:
        return ray.data.ActorPoolStrategy(size=fewest)
    most = min(pool.most_actors or tasks, tasks)
    return ray.data.ActorPoolStrategy(min_size=min(fewest, most), max_size=most)


def _outcome(row: Mapping[str, Any]) -> ShardOutcome:
    return ShardOutcome(
        name=row["name"],
        samples=row["samples"],
        rejected=dict(zip(row["reasons"], row["rejected"], strict=True)),
        seconds=row["seconds"],
        failure=row["failure"],
    )
