"""Faults for an extraction: killed processes, a lost node, a full disk."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

IN_NAMESPACE = "MMRAY_CHAOS_IN_NAMESPACE"
SPACE = "2g"
LEFT_BYTES = 64 * 2**10
KINDS = ("actor", "decoder", "worker", "driver", "node", "disk")
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""They live and die with their node, and the first node is where the command is."""
TITLES = {"actor": "LoadingActor", "decoder": "mmray.media.guard.child", "worker": "ray::"}
"""A part of the command line of each kind of process."""


def processes(kind: str) -> list[psutil.Process]:
    """Return the living processes of one kind below this one."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            title = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if TITLES[kind] in title and not title.startswith(AGENTS):
            found.append(process)
    return found


def kill_one(kind: str, chance: random.Random) -> bool:
    """SIGKILL one process of a kind; say whether there was one."""
    found = processes(kind)
    if not found:
        return False
    try:
        chance.choice(sorted(found, key=lambda process: process.pid)).kill()
    except psutil.NoSuchProcess:
        return False
    return True


class Nodes:
    """Two nodes of a Ray cluster on this machine, a core each; the driver is on the first."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        size = {"num_cpus": 1, "object_store_memory": 150 * 2**20, "temp_dir": str(folder)}
        self._size = size
        self._cluster = Cluster(
            initialize_head=True, head_node_args=size | {"include_dashboard": False}
        )
        self._node = self._cluster.add_node(**size)
        self.address = self._cluster.address

    def lose(self) -> None:
        """End the second node without a word."""
        self._cluster.remove_node(self._node, allow_graceful=False)

    def add(self) -> None:
        """Add a node in its place."""
        self._node = self._cluster.add_node(**self._size)

    def close(self) -> None:
        """End the cluster."""
        self._cluster.shutdown()


class Disk:
    """A file system in memory that can be filled up; where that is not allowed, a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.can_fill = IN_NAMESPACE in os.environ and not self._mount(SPACE, again=False)

    def fill(self) -> None:
        """Leave room for a few kilobytes more."""
        status = os.statvfs(self.folder)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        self._mount(str(used + LEFT_BYTES), again=True)

    def empty(self) -> None:
        """Give back the room."""
        self._mount(SPACE, again=True)

    def close(self) -> None:
        """Take the file system away."""
        if self.can_fill:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def _mount(self, size: str, *, again: bool) -> int:
        options = f"size={size}" + (",remount" if again else "")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, check=again, capture_output=True).returncode


def enter_namespace() -> None:
    """Start this program again where it may mount; stay here where the system forbids that."""
    if IN_NAMESPACE in os.environ or shutil.which("unshare") is None:
        return
    as_root = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*as_root, "true"], capture_output=True, check=False).returncode:
        return
    module = sys.modules["__main__"].__spec__
    words = [*as_root, sys.executable, "-m", module.name, *sys.argv[1:]]
    os.execvpe("unshare", words, os.environ | {IN_NAMESPACE: "1"})


@dataclass(slots=True)
class Begun:
    """How often a unit was begun, and its samples once it was done."""

    starts: int = 0
    samples: int = 0


class Journals:
    """Follows the journals of all runs below a folder while they are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units: dict[str, Begun] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Journals":
        """Begin to look every now and then."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def is_busy(self) -> bool:
        """Say whether a unit is in work now."""
        return any(not path.with_suffix(".done").exists() for path in self._begun())

    def computed_again(self) -> int:
        """Return how many samples were begun more than once, as far as it was seen."""
        most = max((unit.samples for unit in self.units.values()), default=0)
        again = 0
        for unit in self.units.values():
            is_done = unit.samples > 0
            again += (unit.starts - is_done) * (unit.samples or most)
        return again

    def _begun(self) -> Iterator[Path]:
        return self.folder.glob("features/*/*/.run-*/*.starts")

    def _follow(self) -> None:
        while not self._ended.wait(0.1):
            self.look()

    def look(self) -> None:
        """Read the journals that are there."""
        from mmray.core.file.atomic import read_json

        for path in self._begun():
            unit = self.units.setdefault(str(path), Begun())
            try:
                unit.starts = max(unit.starts, path.stat().st_size)
                if not unit.samples:
                    unit.samples = read_json(path.with_suffix(".done"))["samples"]
            except OSError:
                continue


def end(process: subprocess.Popen) -> None:
    """SIGKILL a process of ours and wait for it."""
    process.send_signal(signal.SIGKILL)
    process.wait()
