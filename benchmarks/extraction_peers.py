"""The extract stage against other ways to run the same extractors over the same files.

    python -m benchmarks.extraction_peers [--json] [--rounds 1] [--samples 16000] [--cpus 2]

A note becomes a bag of words, a photo pixels, a clip MFCC, and all of it Parquet. Every other way
is written as its own examples are: one function of a row that reads, decodes and extracts, whose
extractors are built once per process. None of them guards against a crashing decoder, records
rejections, or resumes after being killed; the stage does. All but ``ray_usual`` call mmray's own
extractors, so that the engine alone is compared.

- ``ray_map``: ``ray.data.from_items(rows).map(row).write_parquet(...)``;
- ``ray_usual``: the same, but the function of a row gets the same features from Pillow and librosa
  themselves, as published pipelines do;
- ``torch``: a ``DataLoader`` with as many workers as cores, shards written where it is read;
- ``datasets``: Hugging Face ``Dataset.map(num_proc=...)``, then ``to_parquet``;
- ``daft``: a DataFrame with a class in a pool of processes, if it is installed.

Each way runs as a process of its own, once on few samples and once on all: the first is its
start-up, the difference its steady state. ``ratio``: ours over ``ray_usual``, in the steady state.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.peer_row import configure, extractors, work_row, work_row_flat, work_row_usual
from benchmarks.report import hardware

FEW = 256
SHARD = 256


def rows_of(manifest: Path) -> list[dict]:
    """Return the rows, with full paths."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        for column in ("photo", "speech"):
            row[column] = str(manifest.parent / row[column])
    return rows


def run_mmray(manifest: Path, output: Path, cpus: int) -> None:
    """Our way; the manifest has been prepared before."""
    from mmray.stages import extract
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    config = configure(manifest, output, runtime={"mode": "local", "cpus": cpus})
    extract.run(Workspace(config), MemoryTracker())


def run_ray_map(
    manifest: Path, output: Path, cpus: int, work: Callable[[dict], dict] = work_row
) -> None:
    """A row at a time, as the examples of Ray Data have it."""
    import logging

    import ray

    ray.init(
        "local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.from_items(rows_of(manifest)).map(work).write_parquet(str(output))


def run_torch(manifest: Path, output: Path, cpus: int) -> None:
    """A DataLoader over the rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from torch.utils.data import DataLoader

    output.mkdir(parents=True)
    rows = Rows(rows_of(manifest))
    loader = DataLoader(rows, batch_size=SHARD, num_workers=cpus, collate_fn=list)
    for number, batch in enumerate(loader):
        columns = {name: [row[name] for row in batch] for name in batch[0]}
        pq.write_table(pa.table(columns), output / f"{number}.parquet", compression="zstd")


class Rows:
    """A data set of samples, as torch wants it."""

    def __init__(self, rows: list[dict]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict:
        return work_row_flat(self.rows[place])


def run_datasets(manifest: Path, output: Path, cpus: int) -> None:
    """Hugging Face datasets."""
    import datasets

    datasets.disable_progress_bars()
    output.mkdir(parents=True)
    rows = datasets.Dataset.from_list(rows_of(manifest))
    done = rows.map(work_row_flat, num_proc=cpus, remove_columns=rows.column_names)
    done.to_parquet(output / "0.parquet")


def run_daft(manifest: Path, output: Path, cpus: int) -> None:
    """Daft, with a class that is built once per process."""
    import daft
    from daft import DataType

    kinds = {"sample_id": DataType.string()} | {
        name: DataType.list(DataType.from_numpy_dtype(extractor.spec.dtype))
        for name, extractor in extractors().items()
    }

    @daft.cls(use_process=True, max_concurrency=cpus)
    class Worker:
        @daft.method(return_dtype=DataType.struct(kinds), unnest=True)
        def work(self, sample_id, note, photo, speech):
            row = {"sample_id": sample_id, "note": note, "photo": photo, "speech": speech}
            return work_row_flat(row)

    frame = daft.from_pylist(rows_of(manifest)).into_batches(SHARD)
    columns = [daft.col(name) for name in ("sample_id", "note", "photo", "speech")]
    frame.select(Worker().work(*columns)).write_parquet(str(output))


WAYS = {
    "mmray": run_mmray,
    "ray_map": run_ray_map,
    "ray_usual": partial(run_ray_map, work=work_row_usual),
    "torch": run_torch,
    "datasets": run_datasets,
    "daft": run_daft,
}
COLD = {"HF_DATASETS_DISABLE_CACHING": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def timed(way: str, manifest: Path, output: Path, cpus: int) -> float:
    """Return the seconds of a process that does nothing else, from its start to its end."""
    command = [
        sys.executable, "-m", "benchmarks.extraction_peers", "--way", way,
        "--manifest", str(manifest), "--output", str(output), "--cpus", str(cpus),
    ]  # fmt: skip
    cache_folder = {"HF_DATASETS_CACHE": str(output.parent / "cache")}
    started = time.monotonic()
    done = subprocess.run(
        command, env=os.environ | COLD | cache_folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-3000:]}")
    return time.monotonic() - started


def check_samples(way: str, output: Path, samples: int) -> None:
    """Raise unless there is a feature of every sample and modality."""
    import pyarrow.parquet as pq

    pattern, times = ("features/*/*/shard-*", 3) if way == "mmray" else ("*", 1)
    found = sum(
        pq.ParquetFile(path).metadata.num_rows for path in output.glob(f"{pattern}.parquet")
    )
    if found != samples * times:
        raise SystemExit(f"{way} wrote {found} rows for {samples} samples")


def measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, list[float]]]:
    """Run all ways in turn, each on few samples and on all of them."""
    from benchmarks.extraction_corpus import write_corpus
    from mmray.stages import prepare
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    everything = write_corpus(folder / "corpus", options.samples)
    few = everything.with_name("few.jsonl")
    few.write_text("".join(everything.open(encoding="utf-8").readlines()[:FEW]), encoding="utf-8")
    seconds = {way: {"few": [], "all": []} for way in options.ways}
    for number in range(options.rounds):
        for size, manifest in (("few", few), ("all", everything)):
            for way in seconds:
                output = folder / f"{way}-{size}-{number}"
                if way == "mmray":
                    prepare.run(Workspace(configure(manifest, output)), MemoryTracker())
                seconds[way][size].append(timed(way, manifest, output, options.cpus))
                print(f"{way}, {size}: {seconds[way][size][-1]:.1f} s", file=sys.stderr, flush=True)
                check_samples(way, output, FEW if size == "few" else options.samples)
    return seconds


def table_of(seconds: dict[str, dict[str, list[float]]], samples: int) -> dict[str, dict]:
    """Return rates and start-up of every way: medians of the rounds."""
    table = {}
    for way, taken in seconds.items():
        pairs = list(zip(taken["few"], taken["all"], strict=True))
        table[way] = {
            "steady_per_s": statistics.median((samples - FEW) / (a - f) for f, a in pairs),
            "whole_per_s": statistics.median(samples / a for _, a in pairs),
            "start_up_s": statistics.median(taken["few"]),
        }
    return table


def main() -> None:
    """Measure all ways and tell."""
    options = parse_options()
    if options.way:
        WAYS[options.way](options.manifest, options.output, options.cpus)
        return
    load_before = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="mmray-peers-") as folder:
        seconds = measure(options, Path(folder))
    table = table_of(seconds, options.samples)
    ours, naive = table["mmray"], table.get("ray_usual", table["mmray"])
    found = {
        "name": "extraction_peers",
        "ours": ours["steady_per_s"],
        "other": naive["steady_per_s"],
        "ratio": ours["steady_per_s"] / naive["steady_per_s"],
        "unit": "samples/s",
        "claim": "the extract stage against other ways, in the steady state",
        "other_name": "ray.data map, a row at a time, by Pillow and librosa",
        "ratios": {
            way: {key: ours[key] / row[key] for key in ("steady_per_s", "whole_per_s")}
            for way, row in table.items()
        },
        "ways": table,
        "not_installed": options.absent,
        "settings": {
            "samples": options.samples, "payloads_per_sample": 3, "cpus": options.cpus,
            "few": FEW, "rounds": seconds,
            "load_before": load_before, "load_after": os.getloadavg(),
        },
        "hardware": hardware(),
    }  # fmt: skip
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'':10}{'steady/s':>10}{'whole/s':>10}{'start-up s':>12}{'ours over it':>14}")
    for way, row in table.items():
        rates = f"{row['steady_per_s']:10.0f}{row['whole_per_s']:10.0f}{row['start_up_s']:12.1f}"
        print(f"{way:10}{rates}{found['ratios'][way]['steady_per_s']:13.2f}x")
    for way in options.absent:
        print(f"{way:10}  not installed")
    print(f"settings: {json.dumps(found['settings'])}")
    print(f"hardware: {json.dumps(found['hardware'])}")


def parse_options() -> argparse.Namespace:
    """Return the options; ``--way`` is how the script starts itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=16_000)
    parser.add_argument("--cpus", type=int, default=os.cpu_count())
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--manifest", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    packages = {"datasets": "datasets", "daft": "daft", "torch": "torch"}
    options.absent = [
        way
        for way in options.ways
        if way in packages and importlib.util.find_spec(packages[way]) is None
    ]
    options.ways = [way for way in options.ways if way not in options.absent]
    return options


if __name__ == "__main__":
    main()
