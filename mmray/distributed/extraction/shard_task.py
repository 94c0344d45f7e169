"""Shard tasks: up to 256 samples that become one shard, packed small for their way through Ray."""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import pyarrow as pa

from mmray.distributed.extraction.journal import ShardOutcome

SHARD_SAMPLES = 256
SHARD_TASKS_PER_ACTOR = 4

PendingSamples = Sequence[tuple[str, str | bytes, str]]
"""Sample id, reference and payload version."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Samples that become one shard."""

    ids: list[str]
    references: list[str | bytes]
    keys: list[str]


def cut_shard_tasks(pending: PendingSamples, *, actors: int) -> Iterator[ShardTask]:
    """Cut (id, reference, key) so that every actor gets a few, and none is huge.

    A shard task holds references of one type only, text or bytes: a column of Arrow has one type.
    """
    size = min(SHARD_SAMPLES, max(1, math.ceil(len(pending) / (actors * SHARD_TASKS_PER_ACTOR))))
    for _, alike in groupby(pending, key=lambda sample: isinstance(sample[1], bytes)):
        while cells := list(islice(alike, size)):
            ids, references, keys = zip(*cells, strict=True)
            yield ShardTask(list(ids), list(references), list(keys))


def pack_shard_task(task: ShardTask) -> bytes:
    """Return the shard task, compressed: that takes less time than it saves."""
    columns = [pa.array(column) for column in (task.ids, task.references, task.keys)]
    batch = pa.record_batch(columns, ["ids", "references", "keys"])
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def unpack_shard_task(packed: bytes) -> ShardTask:
    """Read back what ``pack_shard_task`` wrote."""
    with pa.ipc.open_stream(packed) as reader:
        columns = reader.read_all().to_pydict()
    return ShardTask(columns["ids"], columns["references"], columns["keys"])


def outcome_table(outcome: ShardOutcome) -> pa.Table:
    """Return how a shard task went as a row for Ray Data."""
    row = {
        "name": [outcome.name],
        "samples": [outcome.samples],
        # Typed, as the first of them may be empty.
        "reasons": pa.array([list(outcome.rejected)], pa.list_(pa.string())),
        "rejected": pa.array([list(outcome.rejected.values())], pa.list_(pa.int64())),
        "seconds": [outcome.seconds],
        "failure": [outcome.failure],
    }
    return pa.table(row)
