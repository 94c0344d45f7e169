"""Payloads in train and in another split: the same bytes."""

from collections.abc import Iterator

import pyarrow as pa

from mmray.core.arrow import pc
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest


def describe_shared(name: str, manifest: Manifest, rows: pa.Table) -> Iterator[str]:
    """Yield a warning for val and test if payloads of theirs are in train, too.

    ``rows`` has ``sample_id`` and ``content``, a digest of the payload's bytes or null.
    """
    rows = rows.filter(rows["content"].is_valid())
    samples = pa.array(manifest.ids, pa.string())
    splits = pa.array([split.value for split in manifest.splits])
    split_of = splits.take(pc.index_in(rows["sample_id"], value_set=samples).combine_chunks())
    train = rows.filter(pc.equal(split_of, Split.TRAIN.value))
    for split in (Split.VAL, Split.TEST):
        held_out = rows.filter(pc.equal(split_of, split.value))
        index = pc.index_in(held_out["content"], value_set=train["content"])
        shared = held_out.filter(index.is_valid())
        if len(shared):
            twin = train["sample_id"][index.drop_null()[0].as_py()]
            yield (
                f"warning: {len(shared)} of {len(held_out)} {name!r} payloads in {split} are in "
                f"train, too, byte for byte: {shared['sample_id'][0]} is {twin}; "
                "'data.split.group' keeps such samples together"
            )
