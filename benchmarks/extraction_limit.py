"""The extract stage against a hand-written multiprocessing loop of the same pure functions.

    python -m benchmarks.extraction_limit [--json] [--rounds 1] [--samples 20000] [--small]

Both ways read the same files with the same number of processes, one thread each, and write the same
Parquet shards: a note of 30 words as tokens, a photo of 640x480 as pixels, five seconds of speech
as MFCC; with ``--small`` 200x160 and one second, so that the engine's own work weighs more. The
loop is a ``multiprocessing.Pool`` that decodes unguarded, plans nothing and keeps no journal; the
stage has all of that, and starts Ray. Each way runs as a process of its own, once on few samples
and once on all: the first is its start-up, the difference its steady state. The two take turns of
three seconds: one is stopped while the other works; the ratio is the median of the rounds' own, as
the machine's pace differs from round to round. The features must be equal. ``nothing_changed_s`` is
the stage again on its own output: the complete process, nothing decoded.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path

from benchmarks.extraction_corpus import USUAL
from benchmarks.report import Comparison, tell
from benchmarks.turns import seconds_in_turn

FEW = 256
SHARD = 256
SMALL = {"photo_px": (200, 160), "clip_s": 1.0}


def run_stage(manifest: Path, workspace: Path, cpus: int) -> None:
    """Our way; the manifest has been prepared before."""
    from benchmarks.extraction_corpus import make_config
    from mmray.stages import extract
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    config = make_config(manifest, workspace, runtime={"mode": "local", "cpus": cpus})
    extract.run(Workspace(config), MemoryTracker())


def run_loop(manifest: Path, workspace: Path, cpus: int) -> None:
    """By hand: a pool of processes, each with its extractors, and chunks of 256 samples."""
    from benchmarks.extraction_corpus import make_config
    from mmray.features.fit import fit_extractor

    config = make_config(manifest, workspace)
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    state = workspace / "state"
    train = [row["note"].encode() for row in rows if is_train(row["sample_id"], workspace)]
    fit_extractor(config.modalities["text"], train, state)
    chunks = []
    for name, modality in config.modalities.items():
        cells = [(row["sample_id"], row[modality.column]) for row in rows]
        chunks += [(name, cells[start : start + SHARD]) for start in range(0, len(cells), SHARD)]
    job = (config, manifest.parent, workspace / "loop", state)
    with multiprocessing.Pool(cpus, initializer=start_worker, initargs=job) as pool:
        for _ in pool.imap_unordered(work_chunk, chunks):
            pass


def is_train(sample: str, workspace: Path) -> bool:
    """Say whether the prepared manifest has the sample in the train split."""
    return sample in _train_ids(workspace)


def _train_ids(workspace: Path) -> set[str]:
    if "train" not in _JOB:
        from mmray.core.kind import Split
        from mmray.data.manifest.manifest import read_manifest

        manifest = read_manifest(next(workspace.glob("prepare/*/manifest.parquet")))
        _JOB["train"] = {manifest.ids[row] for row in manifest.rows_of(Split.TRAIN)}
    return _JOB["train"]


_JOB: dict = {}


def start_worker(config, corpus: Path, output: Path, state: Path) -> None:
    """Build every extractor once per process."""
    from mmray.features.build import build_extractor

    extractors = {
        name: build_extractor(modality, state if name == "text" else None)
        for name, modality in config.modalities.items()
    }
    _JOB.update(extractors=extractors, corpus=corpus, output=output)


def work_chunk(chunk) -> None:
    """Read, extract and write one chunk."""
    from mmray.features.extractor import extract_batch
    from mmray.features.store import write_shard

    name, cells = chunk
    extractor = _JOB["extractors"][name]
    payloads = (
        cell.encode() if name == "text" else (_JOB["corpus"] / cell).read_bytes()
        for _, cell in cells
    )
    batch = extract_batch(extractor, payloads)
    ids = [sample for sample, _ in cells]
    write_shard(_JOB["output"] / name, ids, ["k"] * len(ids), batch, extractor.spec)


WAYS = {"stage": run_stage, "loop": run_loop}


def command_of(way: str, manifest: Path, workspace: Path, cpus: int) -> list[str]:
    """Return what runs one way, from its start to its end."""
    return [
        sys.executable, "-m", "benchmarks.extraction_limit", "--way", way,
        "--manifest", str(manifest), "--workspace", str(workspace), "--cpus", str(cpus),
    ]  # fmt: skip


def prepare(manifest: Path, workspace: Path) -> None:
    """Do the stage before, which is not measured."""
    from benchmarks.extraction_corpus import make_config
    from mmray.stages import prepare as stage
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    stage.run(Workspace(make_config(manifest, workspace)), MemoryTracker())


def check_equal(manifest: Path, workspace: Path) -> None:
    """Raise unless both ways gave the same features."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = [json.loads(line)["sample_id"] for line in manifest.open(encoding="utf-8")]
    for name in ("text", "image", "audio"):
        stage = workspace.glob(f"features/{name}/*/shard-*.parquet")
        tables = []
        for shards in (stage, (workspace / "loop" / name).glob("shard-*.parquet")):
            table = pa.concat_tables(pq.read_table(s) for s in shards)
            tables.append(table.select(["sample_id", "reason", "feature"]).sort_by("sample_id"))
        if len(tables[0]) != len(ids) or not tables[0].equals(tables[1]):
            raise SystemExit(f"the two ways do not give the same features of {name}")


def measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, list[float]]]:
    """Run both ways in turn, each on few samples and on all of them."""
    from benchmarks.extraction_corpus import write_corpus

    payloads = SMALL if options.small else USUAL
    everything = write_corpus(folder / "corpus", options.samples, **payloads)
    few = everything.with_name("few.jsonl")
    few.write_text("".join(everything.open(encoding="utf-8").readlines()[:FEW]), encoding="utf-8")
    seconds = {way: {"few": [], "all": [], "again": []} for way in WAYS}
    for number in range(options.rounds):
        for size, manifest in (("few", few), ("all", everything)):
            workspace = folder / f"work-{size}-{number}"
            prepare(manifest, workspace)
            order = reversed(WAYS) if number % 2 else WAYS
            commands = {w: command_of(w, manifest, workspace, options.cpus) for w in order}
            for way, taken in seconds_in_turn(commands).items():
                seconds[way][size].append(taken)
                print(f"{way}, {size}: {taken:.1f} s", file=sys.stderr, flush=True)
            check_equal(manifest, workspace)
        again = {"stage": command_of("stage", everything, workspace, options.cpus)}
        seconds["stage"]["again"].append(seconds_in_turn(again)["stage"])
    return seconds


def rates(seconds: dict[str, list[float]], samples: int) -> tuple[list[float], list[float]]:
    """Return samples per second in the steady state, and with start-up counted in."""
    pairs = list(zip(seconds["few"], seconds["all"], strict=True))
    steady = [(samples - FEW) / (everything - few) for few, everything in pairs]
    return steady, [samples / everything for _, everything in pairs]


def main() -> None:
    """Measure both ways and tell both ratios."""
    options = parse_options()
    if options.way:
        WAYS[options.way](options.manifest, options.workspace, options.cpus)
        return
    with tempfile.TemporaryDirectory(prefix="mmray-limit-") as folder:
        load_before = os.getloadavg()
        seconds = measure(options, Path(folder))
    ours, other = (rates(seconds[way], options.samples) for way in ("stage", "loop"))
    steady, whole = (
        Comparison(
            name="extraction_limit",
            claim=f"the extract stage against a hand-written loop, {claim}",
            unit="samples/s",
            ours=our_rates,
            other=other_rates,
            other_name="multiprocessing.Pool over the same pure functions, unguarded",
            is_larger_better=True,
            settings={
                "samples": options.samples, "payloads": SMALL if options.small else USUAL,
                "cpus": options.cpus,
                "start_up_s": {way: seconds[way]["few"] for way in WAYS},
                "all_s": {way: seconds[way]["all"] for way in WAYS},
                "nothing_changed_s": seconds["stage"]["again"],
                "few": FEW, "load_before": load_before, "load_after": os.getloadavg(),
                "same_output": "bit for bit",
            },
            is_paired=True,
        )
        for claim, our_rates, other_rates in zip(
            ("in the steady state", "start-up counted in"), ours, other, strict=True
        )
    )  # fmt: skip
    if options.json:
        start_up = {key: whole.to_dict()[key] for key in ("claim", "ours", "other", "ratio")}
        print(json.dumps(steady.to_dict() | {"with_start_up": start_up}, indent=2))
        return
    tell(steady, as_json=False)
    tell(whole, as_json=False)


def parse_options() -> argparse.Namespace:
    """Return the options; ``--way`` is how the script starts itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--small", action="store_true", help="small payloads")
    parser.add_argument("--cpus", type=int, default=os.cpu_count())
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--manifest", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
