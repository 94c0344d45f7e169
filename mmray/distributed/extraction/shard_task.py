"""Units: a handful of samples that become one shard, packed small for their way through Ray."""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import pyarrow as pa

from mmray.distributed.extraction.journal import UnitOutcome

UNIT_SAMPLES = 256
UNITS_PER_ACTOR = 4

Todo = Sequence[tuple[str, str | bytes, str]]
"""Sample id, reference and payload version."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Samples that become one shard."""

    ids: list[str]
    references: list[str | bytes]
    keys: list[str]


def cut_units(todo: Todo, *, actors: int) -> Iterator[Unit]:
    """Cut (id, reference, key) so that every actor gets a few units and no unit is huge.

    A unit holds references of one type only, text or bytes: a column of Arrow has one type.
    """
    size = min(UNIT_SAMPLES, max(1, math.ceil(len(todo) / (actors * UNITS_PER_ACTOR))))
    for _, alike in groupby(todo, key=lambda sample: isinstance(sample[1], bytes)):
        while cells := list(islice(alike, size)):
            ids, references, keys = zip(*cells, strict=True)
            yield Unit(list(ids), list(references), list(keys))


def pack_unit(unit: Unit) -> bytes:
    """Return the unit compressed; with a compressor that takes less time than the way it saves."""
    columns = [pa.array(column) for column in (unit.ids, unit.references, unit.keys)]
    batch = pa.record_batch(columns, ["ids", "references", "keys"])
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def unpack_unit(packed: bytes) -> Unit:
    """Read back what ``pack_unit`` wrote."""
    with pa.ipc.open_stream(packed) as reader:
        columns = reader.read_all().to_pydict()
    return Unit(columns["ids"], columns["references"], columns["keys"])


def outcome_table(outcome: UnitOutcome) -> pa.Table:
    """Return how a unit went as a row for Ray Data."""
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
