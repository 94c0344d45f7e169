"""An extraction that is disturbed repeatedly, against an undisturbed one.

    python -m benchmarks.chaos_extraction [--json] [--kills 36] [--samples 3000] [--seed N]

Two simulated nodes of one core each. At random moments, while samples are in work, one of these
happens: SIGKILL of a process that extracts, of its process that decodes, of any worker of Ray, of
the command itself (which is then run again); the loss of a node, and a new one in its place; a
full disk (a file system in memory that is shrunk; the command ends with its error, gets room and is
run again). When the command has ended well, what it left is compared with what an undisturbed one
left: row for row, value for value. Then it begins anew, until all kills are spent.

``lost``: samples that are not there; ``repeated``: that stand twice; ``different``: in any column
or value. ``computed_again``: samples that a killed process had in work, which another one did.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import chaos
from benchmarks.report import hardware
from benchmarks.stored_rows import contents, differences

LONGEST_GAP_S = 2.5
BROKEN = {7: "jpg", 111: "wav", 112: "wav"}
SLOW = {"column": "speech", "decode": {"denoise": "spectral"}, "extract": {"kind": "mfcc"}}


def main() -> None:
    """Disturb, compare, tell."""
    options = parse_options()
    chaos.enter_namespace()
    chance = random.Random(options.seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmray-chaos-") as folder:
        disk = chaos.Disk(Path(folder) / "disk")
        nodes = chaos.Nodes(Path(folder) / "ray")
        try:
            trial = Trial(Path(folder), disk, nodes, options, chance)
            trial.run()
        finally:
            nodes.close()
            disk.close()
    found = trial.found(seconds=round(time.monotonic() - started, 1))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for key, value in found.items():
        print(f"{key:16} {json.dumps(value)}")


def parse_options() -> argparse.Namespace:
    """Return the options; without a seed, one is drawn and printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--kills", type=int, default=36)
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    if "--seed" not in sys.argv:
        sys.argv += ["--seed", str(options.seed)]  # the program may start itself again
    return options


class Trial:
    """One corpus, extracted undisturbed once and disturbed again and again."""

    def __init__(
        self,
        folder: Path,
        disk: chaos.Disk,
        nodes: chaos.Nodes,
        options: argparse.Namespace,
        chance: random.Random,
    ) -> None:
        self.disk, self.nodes, self.options, self.chance = disk, nodes, options, chance
        self.folder = folder
        self.kills: collections.Counter[str] = collections.Counter()
        self.wrong: collections.Counter[str] = collections.Counter()
        self.rounds = self.commands = self.computed_again = 0
        self.manifest = write_corpus(folder / "corpus", options.samples)

    def run(self) -> None:
        """Spend all kills."""
        kinds = [kind for kind in chaos.KINDS if kind != "disk" or self.disk.can_fill]
        waiting = [kinds[number % len(kinds)] for number in range(self.options.kills)]
        self.chance.shuffle(waiting)
        say(f"seed {self.options.seed}: {', '.join(waiting)}")
        whole = self._round([])
        self.expected = contents(whole)
        while waiting:
            disturbed = self._round(waiting)
            self._compare(disturbed)
            subprocess.run(["rm", "-r", str(disturbed)], check=True)  # room for the next
            say(f"{self.kills.total()} kills, {dict(self.wrong)}")

    def found(self, *, seconds: float) -> dict:
        """Return what is told."""
        return {
            "name": "chaos_extraction",
            "kills": self.kills.total(),
            "lost": self.wrong["lost"],
            "repeated": self.wrong["repeated"],
            "different": self.wrong["different"],
            "unreconciled": self.wrong["unreconciled"],
            "kills_by_kind": dict(self.kills),
            "computed_again": self.computed_again,
            "rounds": self.rounds - 1,
            "commands": self.commands,
            "rows_compared": self.wrong["compared"],
            "claim": "disturbed at random moments, the features equal those of an undisturbed run",
            "settings": {
                "seed": self.options.seed,
                "samples": self.options.samples,
                "payloads_per_sample": 3,
                "nodes": 2,
                "disk": "tmpfs" if self.disk.can_fill else "not allowed to mount: never filled",
            },
            "seconds": seconds,
            "hardware": hardware(),
        }

    def _round(self, waiting: list[str]) -> Path:
        """Extract into a workspace of its own until the command ends well."""
        workspace = self.disk.folder / f"work-{self.rounds}"
        self.rounds += 1
        document = write_document(self.folder / "document.yaml", self, workspace)
        prepare = [*COMMAND, "prepare", str(document), "-q"]
        subprocess.run(prepare, check=True, capture_output=True)
        with chaos.Journals(workspace) as journals:
            command = self._start(document)
            while not self._has_ended(command):
                if not waiting or not journals.is_busy():
                    time.sleep(0.05)
                    continue
                time.sleep(self.chance.uniform(0, LONGEST_GAP_S))
                if command.poll() is None and journals.is_busy():
                    kind = waiting.pop()
                    journals.look()
                    command, is_done = self._disturb(kind, command, document)
                    say(f"{kind}: {'done' if is_done else 'not there now, later again'}")
                    if is_done:
                        self.kills[kind] += 1
                    else:
                        waiting.insert(self.chance.randrange(len(waiting) + 1), kind)
        self.computed_again += journals.computed_again()
        return workspace

    def _disturb(
        self, kind: str, command: subprocess.Popen, document: Path
    ) -> tuple[subprocess.Popen, bool]:
        """Cause one fault; return the running command, and whether the fault could be caused."""
        match kind:
            case "driver":
                chaos.end(command)
                return self._start(document), True
            case "node":
                self.nodes.lose()
                time.sleep(self.chance.uniform(0, 1))
                self.nodes.add()
                return command, True
            case "disk":
                return self._fill_disk(command, document)
            case _:
                return command, chaos.kill_one(kind, self.chance)

    def _fill_disk(
        self, command: subprocess.Popen, document: Path
    ) -> tuple[subprocess.Popen, bool]:
        self.disk.fill()
        code = command.wait(timeout=120)
        self.disk.empty()
        if code == 0:  # it had written everything before
            return command, False
        told = self._told()
        if code != 4 or "no space left" not in told or "Traceback" in told:
            raise SystemExit(f"a full disk ended the command with {code}:\n{told}")
        return self._start(document), True

    def _start(self, document: Path) -> subprocess.Popen:
        self.commands += 1
        with (self.folder / "stderr").open("w") as stream:
            return subprocess.Popen(
                [*COMMAND, "extract", str(document), "--json"],
                stdout=(self.folder / "report.json").open("w"),
                stderr=stream,
            )

    def _told(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")[-6000:]

    def _has_ended(self, command: subprocess.Popen) -> bool:
        code = command.poll()
        if code is None:
            return False
        if code or not (self.folder / "report.json").stat().st_size:
            raise SystemExit(f"the command ended with {code}, without report:\n{self._told()}")
        return True

    def _compare(self, workspace: Path) -> None:
        report = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        found = contents(workspace)
        for name, expected in self.expected.items():
            counts = report["counts"]["modalities"][name]
            told = counts["extracted"] + counts["missing"] + sum(counts["rejected"].values())
            self.wrong["unreconciled"] += told != self.options.samples
            for key, number in differences(expected, found[name]).items():
                self.wrong[key] += number


COMMAND = [sys.executable, "-m", "mmray"]


def say(words: str) -> None:
    """Say on standard error how far it is."""
    print(words, file=sys.stderr, flush=True)


def write_corpus(folder: Path, samples: int) -> Path:
    """Write the corpus of the other benchmarks, with a few files broken."""
    from benchmarks import extraction_corpus

    manifest = extraction_corpus.write_corpus(folder, samples)
    for number, suffix in BROKEN.items():
        if number < samples:
            path = folder / f"{number}.{suffix}"
            path.unlink()
            path.write_bytes(b"broken")
    return manifest


def write_document(path: Path, trial: Trial, workspace: Path) -> Path:
    """Write the document: tokens, pixels, and MFCC of clips with their noise removed."""
    import yaml

    from benchmarks.extraction_corpus import MODALITIES, document_of

    document = document_of(
        trial.manifest,
        workspace,
        modalities=MODALITIES | {"audio": SLOW},
        runtime={"mode": "cluster", "address": trial.nodes.address},
    )
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
