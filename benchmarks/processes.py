"""What a command costs, with all its processes."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_S, MEMORY_S = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command took."""

    seconds: float
    cpu_s: float
    processes: int
    mib: float


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> Cost:
    """Run a command, there or here, and follow it and all its processes."""
    started, measured = time.monotonic(), 0.0
    cpu_s: dict[tuple[int, float], float] = {}
    most, mib = 0, 0.0
    with subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while running.poll() is None:
            tree = processes_of(running.pid)
            most = max(most, len(tree))
            for each in tree:
                cpu_s |= cpu_of(each)
            if time.monotonic() - measured > MEMORY_S:
                measured = time.monotonic()
                mib = max(mib, sum(map(memory_of, tree)))
            time.sleep(POLL_S)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {running.returncode}")
    return Cost(time.monotonic() - started, sum(cpu_s.values()), most, mib)


def processes_of(pid: int) -> list[psutil.Process]:
    """Return a process and all below it; none once it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_of(process: psutil.Process) -> dict[tuple[int, float], float]:
    """Return the processor time of a process, by what identifies it."""
    try:
        return {(process.pid, process.create_time()): sum(process.cpu_times()[:2])}
    except psutil.NoSuchProcess:
        return {}


def memory_of(process: psutil.Process) -> float:
    """Return the MiB of a process, with its part of what it shares."""
    try:
        return process.memory_full_info().pss / 2**20
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
