"""What a training starts from, written as the product writes it: features and a manifest."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmray.core.file.atomic import mark_success
from mmray.core.kind import Split
from mmray.core.spec import FeatureSpec
from mmray.data.manifest.manifest import Manifest, write_manifest
from mmray.features.extractor import ExtractedBatch
from mmray.features.store import write_index, write_shard

CLASSES = 10


def write_inputs(
    folder: Path, specs: Mapping[str, FeatureSpec], samples: int, *, shard_rows: int = 8192
) -> tuple[str, dict[str, str]]:
    """Write random vectors and labels; return the manifest and the feature folders.

    Every 16th sample is for validation.
    """
    generator = np.random.default_rng(0)
    ids = [f"s{row}" for row in range(samples)]
    for name, spec in specs.items():
        target = folder / name
        target.mkdir(parents=True)
        for start in range(0, samples, shard_rows):
            part = ids[start : start + shard_rows]
            values = list(generator.normal(size=(len(part), *spec.shape)).astype(np.float32))
            batch = ExtractedBatch(values, [""] * len(part), [""] * len(part))
            write_shard(target, part, ["k"] * len(part), batch, spec)
        write_index(target, dict.fromkeys(ids, "k"))
        mark_success(target, {"spec": spec.to_dict(), "state": None})
    splits = [Split.VAL if row % 16 == 0 else Split.TRAIN for row in range(samples)]
    labels = [str(label) for label in generator.integers(0, CLASSES, samples)]
    manifest = Manifest(str(folder), ids, splits, {}, {"label": list(labels)})
    write_manifest(manifest, folder / "manifest.parquet")
    return str(folder / "manifest.parquet"), {name: str(folder / name) for name in specs}


def num_train_samples(samples: int) -> int:
    """Return how many of so many samples are in the train split."""
    return samples - len(range(0, samples, 16))
