"""The outcomes of the shard tasks of one run, so that none is repeated blindly.

Ray runs a Ray task again when its process ends. Finished work must not be counted twice, and a
shard task that ends every process must not be tried forever.
"""

import json
import shutil
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmray.core.file.atomic import write_json

MAX_STARTS = 4
PREFIX = ".run-"


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """The outcome of one shard task."""

    name: str
    """Name of the modality."""
    samples: int = 0
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    """Reason -> samples."""
    seconds: float = 0.0
    """From the first payload read to the shard written."""
    failure: str = ""


class Journal:
    """One small file per shard task and process, in a folder of this run, beside the shards."""

    def __init__(self, folder: str, run: str) -> None:
        self._folder = Path(folder) / f"{PREFIX}{run}"

    def begin(self, number: int) -> ShardOutcome | None:
        """Note that a shard task is begun; return how it went if it was finished before."""
        path = self._folder / f"{number}.starts"
        done = self._done(number)
        if done.is_file():
            return ShardOutcome(**json.loads(done.read_text(encoding="utf-8")))
        self._count(path)
        return None

    def begin_loading(self, actor: str) -> int:
        """Note that an actor loads its libraries; return how often it has begun that."""
        return self._count(self._folder / f"{actor}.loads")

    def end_loading(self, actor: str) -> None:
        """Note that an actor has loaded: only failed loads are counted."""
        (self._folder / f"{actor}.loads").unlink(missing_ok=True)

    def starts(self, number: int) -> int:
        """Return how often a shard task was begun."""
        path = self._folder / f"{number}.starts"
        return path.stat().st_size if path.is_file() else 0

    def _count(self, path: Path) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(b"x")
        return path.stat().st_size

    def end(self, number: int, outcome: ShardOutcome) -> None:
        """Note how a shard task went; call it when its shard is written."""
        write_json(self._done(number), asdict(outcome))

    def _done(self, number: int) -> Path:
        return self._folder / f"{number}.done"


def new_run() -> str:
    """Name a run."""
    return uuid.uuid4().hex[:12]


def remove_journals(folder: str, run: str | None = None) -> None:
    """Remove the journal of one run, or of all: a journal means nothing to a later run."""
    for path in Path(folder).glob(f"{PREFIX}{run or '*'}"):
        shutil.rmtree(path, ignore_errors=True)
