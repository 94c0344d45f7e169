"""Memory of a training whose features are streamed, and of one that has them in memory.

    python -m benchmarks.stream [--json]

Two corpora, the second four times as large, are trained on for as many steps each, in a process of
its own; the figure is by how much its peak of resident memory is above what it was before the
features were opened. Both ways must give the same weights.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import psutil
import torch

from benchmarks.report import hardware
from benchmarks.training_inputs import write_inputs
from mmray.config.reading.load import check_document
from mmray.core.file.atomic import read_success
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.run.training_run import TrainingJob, train_run
from mmray.training.parallel.worker_context import WorkerContext

SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (768,), "float32"),
    "image": FeatureSpec(Kind.IMAGE, "vector", (2048,), "float32"),
}
SAMPLES = (8192, 32768)
SHARD_ROWS = 1024


def make_plan(
    folder: Path, inputs: tuple[str, dict[str, str]], stream: str, *, epochs: int
) -> TrainingJob:
    """Return a training."""
    document = {
        "name": "stream",
        "data": {"manifest": "none"},
        "modalities": {
            name: {"column": name, "encode": {"kind": "mlp", "hidden": [32]}} for name in SPECS
        },
        "tasks": {"label": {"kind": "classification", "column": "label"}},
        "model": {"width": 32, "fusion": {"kind": "gated"}, "auxiliary": 0.0},
        "train": {"epochs": epochs, "batch_size": 64, "stream": stream},
    }
    config = check_document(document, where="benchmark")
    manifest, features = inputs
    (folder / stream).mkdir()
    return TrainingJob(stream, config, manifest, features, 0, str(folder / stream))


def train(plan: TrainingJob) -> dict[str, Any]:
    """Train and return the peak of memory, the bytes of the features, and a digest of the model."""
    torch.set_num_threads(1)
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    hashes: list[str] = []
    train_run(
        plan,
        context=WorkerContext(),
        wrap=lambda view: view,
        on_epoch=lambda record: hashes.extend(record.weights_hashes),
    )
    success = read_success(Path(plan.folder))
    assert success is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "features_mib": round(success["features"]["bytes"] / 2**20, 1),
        "peak_mib": round((peak - before) / 2**20, 1),
        "seconds": round(time.monotonic() - started, 1),
        "weights": hashes[-1],
    }


def apart(work, *arguments):
    """Run ``work`` in a process of its own and return what it returns."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(work(*arguments)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text)


def main() -> None:
    """Measure both corpora both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        for samples in SAMPLES:
            folder = Path(place) / str(samples)
            inputs = apart(
                lambda folder=folder, samples=samples: write_inputs(
                    folder, SPECS, samples, shard_rows=SHARD_ROWS
                )
            )
            for stream in ("never", "always"):
                plan = make_plan(folder, tuple(inputs), stream, epochs=max(SAMPLES) // samples)
                row = apart(train, plan)
                rows.append({"samples": samples, "stream": stream} | row)
                if not options.json:
                    print(
                        f"{samples:6d} samples, {row['features_mib']:6.1f} MiB of features, "
                        f"stream {stream:6s}: peak {row['peak_mib']:6.1f} MiB",
                        flush=True,
                    )
    same = all(
        len({row["weights"] for row in rows if row["samples"] == samples}) == 1
        for samples in SAMPLES
    )
    found = {"name": "stream", "same_weights": same, "rows": rows, "hardware": hardware()}
    print(json.dumps(found, indent=2) if options.json else f"same weights: {same}")
    raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    main()
