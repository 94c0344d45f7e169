"""What a sample costs when there are 1,000 of them, and when there are 100,000.

    python -m benchmarks.growth [--json] [--sizes 1000 10000 100000] [--small]

A note of 30 words, a photo of 640x480, five seconds of speech; with ``--small`` 32x32 and a tenth
of a second, so that it ends soon and the engine's own work weighs the most. Each size is prepared
and extracted by commands of their own, and their processes are watched.

``s_per_sample``: extraction in the steady state, on all cores, three payloads; each process counts
from the end of its first unit of a modality to the end of its last one. ``text_ms`` and so on: the
same by modality. ``driver_ms_per_sample``: what the command does besides: reading the manifest,
looking at every file, learning the vocabulary, writing the index, counting. ``cpu_ms_per_sample``:
time on the CPU of all processes, start-up included. Memory is private (RSS less what is shared), at
its highest. Sizes that are soon done are measured up to five times, some before and some after the
others, as the machine's pace drifts; the median is reported. ``ratio``: seconds per sample at the
smallest size over those at the largest.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import psutil

from benchmarks.extraction_corpus import USUAL
from benchmarks.report import hardware
from mmray.cli.console import set_up_process

SMALL = {"photo_px": (32, 32), "clip_s": 0.1}
MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "tokens", "vocabulary": 500, "max_tokens": 16}},
    "image": {"column": "photo", "extract": {"kind": "pixels", "height": 16, "width": 16}},
    "audio": {"column": "speech", "extract": {"kind": "mfcc", "coefficients": 13, "mels": 20}},
}
PROCESSES = 2
MARKS = "units.txt"
MOST_REPEATS, LONG = 5, 10_000


def configure(manifest: Path, workspace: Path):
    """Return the document."""
    from benchmarks.extraction_corpus import make_config

    runtime = {"mode": "local", "cpus": PROCESSES}
    return make_config(manifest, workspace, modalities=MODALITIES, runtime=runtime)


def run_prepare(manifest: Path, workspace: Path) -> dict:
    """The stage before."""
    from mmray.stages import prepare
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    config = configure(manifest, workspace)
    started = time.monotonic()
    prepare.run(Workspace(config), MemoryTracker())
    return {"seconds": time.monotonic() - started}


def run_extract(manifest: Path, workspace: Path) -> dict:
    """The stage, and how long of it the extraction took, Ray's start included."""
    from mmray.distributed.node.session import connect
    from mmray.stages import extract
    from mmray.stages.extraction.compute import OnRay
    from mmray.stages.workspace import Workspace
    from mmray.tracking.memory import MemoryTracker

    class Timed(OnRay):
        computing_s = 0.0

        def beside(self, config, work):
            begun = time.monotonic()
            connect(config.runtime)  # not at the same time: what this process does is told apart
            self.computing_s += time.monotonic() - begun
            return work(Event())

        def __call__(self, jobs):
            begun = time.monotonic()
            mark_units(workspace / MARKS)
            figures = super().__call__(jobs)
            self.computing_s += time.monotonic() - begun
            return figures

    config, compute = configure(manifest, workspace), Timed()
    started = time.monotonic()
    extract.run(Workspace(config), MemoryTracker(), compute=compute)
    return {"seconds": time.monotonic() - started, "computing_s": compute.computing_s}


def mark_units(marks: Path) -> None:
    """Have every process of the extraction note in a file when it has done a unit."""
    from mmray.distributed.extraction import extraction

    class MarkingLoadingActor(extraction.LoadingActor):
        def __init__(self, *args, **settings):
            from mmray.distributed.extraction import shard_actor

            class MarkingShardActor(shard_actor.ShardActor):
                def _extract(self, number, name, unit):
                    outcome = super()._extract(number, name, unit)
                    with marks.open("a", encoding="utf-8") as stream:
                        line = f"{os.getpid()} {name} {time.monotonic()} {outcome.samples}\n"
                        stream.write(line)
                    return outcome

            shard_actor.ShardActor = MarkingShardActor
            super().__init__(*args, **settings)

    extraction.LoadingActor = MarkingLoadingActor


WAYS = {"prepare": run_prepare, "extract": run_extract}


class Watch:
    """Memory and time on the CPU of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self.driver = psutil.Process(pid)
        self.driver_mib = self.actor_mib = self.total_mib = 0.0
        self.cpu_s: dict[int, float] = {}

    def look(self) -> None:
        """Take note of what they use now."""
        total = 0.0
        for process in [self.driver, *self.driver.children(recursive=True)]:
            try:
                memory, times = process.memory_info(), process.cpu_times()
                title = " ".join(process.cmdline()[:1])
            except psutil.Error:
                continue
            mib = (memory.rss - memory.shared) / 2**20
            total += mib
            self.cpu_s[process.pid] = times.user + times.system
            if process.pid == self.driver.pid:
                self.driver_mib = max(self.driver_mib, mib)
            elif "LoadingActor" in title:
                self.actor_mib = max(self.actor_mib, mib)
        self.total_mib = max(self.total_mib, total)


def watched(way: str, manifest: Path, workspace: Path) -> tuple[dict, Watch]:
    """Run one way in a process of its own and watch it."""
    words = ["--way", way, "--manifest", str(manifest), "--workspace", str(workspace)]
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.growth", *words], stdout=subprocess.PIPE, text=True
    )
    watch = Watch(child.pid)
    while child.poll() is None:
        try:
            watch.look()
        except psutil.NoSuchProcess:
            break
        time.sleep(0.3)
    told = child.communicate()[0]
    if child.returncode:
        raise SystemExit(f"{way} of {manifest} failed")
    return json.loads(told), watch


def steady_ms(marks: Path) -> dict[str, float]:
    """Return by modality the milliseconds per sample, from what every process noted.

    A process counts from the end of its first unit of a modality to the end of its last one: the
    time of all of them, over the samples in it and over the processes.
    """
    units: dict[str, dict[str, list[tuple[float, int]]]] = {name: {} for name in MODALITIES}
    for line in marks.read_text(encoding="utf-8").splitlines():
        process, name, ended, samples = line.split()
        units[name].setdefault(process, []).append((float(ended), int(samples)))
    found: dict[str, float] = {}
    for name, by_process in units.items():
        spans = [ends[-1][0] - ends[0][0] for ends in by_process.values()]
        samples = sum(count for ends in by_process.values() for _, count in ends[1:])
        if not samples:
            raise SystemExit(f"{name}: too few samples to measure")
        found[name] = 1000 * sum(spans) / samples / PROCESSES
    return found


def measure(folder: Path, samples: int, payloads: dict) -> dict:
    """Prepare and extract so many samples."""
    from benchmarks.extraction_corpus import write_corpus

    manifest = write_corpus(folder / "corpus", samples, **payloads)
    workspace = folder / "work"
    prepared, before = watched("prepare", manifest, workspace)
    extracted, watch = watched("extract", manifest, workspace)
    driver_s = prepared["seconds"] + extracted["seconds"] - extracted["computing_s"]
    cpu_s = sum(before.cpu_s.values()) + sum(watch.cpu_s.values())
    steady = steady_ms(workspace / MARKS)
    found = {
        "samples": samples,
        "s_per_sample": sum(steady.values()) / 1000,
        **{f"{name}_ms": ms for name, ms in steady.items()},
        "driver_ms_per_sample": 1000 * driver_s / samples,
        "cpu_ms_per_sample": 1000 * cpu_s / samples,
        "prepare_s": prepared["seconds"],
        "extract_s": extracted["seconds"],
        "prepare_peak_mib": round(before.driver_mib),
        "driver_peak_mib": round(watch.driver_mib),
        "actor_peak_mib": round(watch.actor_mib),
        "all_peak_mib": round(watch.total_mib),
    }
    shutil.rmtree(folder)
    return found


def measure_all(folder: Path, sizes: list[int], payloads: dict) -> list[dict]:
    """Measure every size, those soon done before and after the others; return the middle ones."""
    found: dict[int, list[dict]] = {size: [] for size in sizes}
    for size in in_turn(sizes):
        found[size].append(measure(folder / str(size), size, payloads))
        print(f"{size}: {found[size][-1]}", file=sys.stderr, flush=True)
    return [middle(found[size]) for size in sizes]


def in_turn(sizes: list[int]) -> list[int]:
    """Return the sizes in the order to measure them, as often as each is: small, large, small."""
    repeats = {size: max(1, min(MOST_REPEATS, LONG // size)) for size in sizes}
    before = [size for size in sizes for _ in range(math.ceil(repeats[size] / 2))]
    return before + [size for size in sizes for _ in range(repeats[size] // 2)]


def middle(found: list[dict]) -> dict:
    """Return the measurement with the time in the middle, and the times of all."""
    times = [one["s_per_sample"] for one in found]
    ordered = sorted(found, key=lambda one: one["s_per_sample"])
    return ordered[len(found) // 2] | {"all_s_per_sample": times}


def main() -> None:
    """Measure every size and tell."""
    options = parse_options()
    if options.way:
        set_up_process()  # as the commands do
        print(json.dumps(WAYS[options.way](options.manifest, options.workspace)))
        return
    load_before, payloads = os.getloadavg(), SMALL if options.small else USUAL
    with tempfile.TemporaryDirectory(prefix="mmray-growth-") as folder:
        sizes = measure_all(Path(folder), sorted(options.sizes), payloads)
    few, many = sizes[0], sizes[-1]
    found = {
        "name": "growth",
        "ours": many["s_per_sample"],
        "other": few["s_per_sample"],
        "ratio": few["s_per_sample"] / many["s_per_sample"],
        "unit": "s per sample",
        "claim": f"a sample costs as much among {many['samples']} as among {few['samples']}",
        "other_name": f"the same with {few['samples']} samples",
        "memory_growth": {
            key: round(many[key] / few[key], 3)
            for key in ("driver_peak_mib", "actor_peak_mib", "all_peak_mib")
        },
        "sizes": sizes,
        "settings": {
            "payloads": payloads,
            "load_before": load_before,
            "load_after": os.getloadavg(),
        },
        "hardware": hardware(),
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return
    keys = [key for key in few if key not in ("samples", "all_s_per_sample")]
    print(f"{'':22}" + "".join(f"{size['samples']:>12,}" for size in sizes))
    for key in keys:
        print(f"{key:22}" + "".join(f"{size[key]:12.5g}" for size in sizes))
    print(f"ratio {found['ratio']:.3f}; memory at most over at least: {found['memory_growth']}")
    print(f"hardware: {json.dumps(found['hardware'])}, load {load_before} to {os.getloadavg()}")


def parse_options() -> argparse.Namespace:
    """Return the options; ``--way`` is how the script starts itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--small", action="store_true", help="small payloads")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--manifest", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
