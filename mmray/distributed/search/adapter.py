"""What Tune asks of a search: the next trial, and whether a trial continues after an epoch."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from mmray.distributed.node.session import ClusterSize, cluster_size
from mmray.errors import TrainingError
from mmray.search.progress import SearchProgress

MAX_CHARS = 300
REFRESH_S = 1.0


@dataclass
class Room:
    """How many trials fit at a time: into the cluster as it is now, and into its memory."""

    fitting: Callable[[ClusterSize], int]
    """Returns how many trials the cores or GPUs of a cluster have room for."""
    peak_bytes: int = 0
    """The most memory that a trial's process was seen to take."""
    _asked: float = 0.0
    _size: ClusterSize = field(default_factory=lambda: ClusterSize(0, 0))

    def trials(self) -> int:
        """Return the number; nodes may come and go."""
        if time.monotonic() - self._asked >= REFRESH_S:
            self._asked, self._size = time.monotonic(), cluster_size()
        found = self.fitting(self._size)
        if self.peak_bytes and self._size.memory_gib:
            found = min(found, int(self._size.memory_gib * 2**30 // self.peak_bytes))
        return max(1, found)


class StudySearcher(Searcher):
    """Hands out the trials of a search as long as there is room."""

    def __init__(self, progress: SearchProgress, room: Room) -> None:
        super().__init__()
        self._progress, self._room = progress, room

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: object
    ) -> bool:
        """Accept what Tune says of the search: all of it is known."""
        return True

    def suggest(self, trial_id: str) -> Any:  # noqa: ANN401 (as Tune's)
        """Return what a trial's process gets, None while there is no room, or that all are out."""
        if len(self._progress.running) >= self._room.trials():
            return None
        record = self._progress.begin()
        if record is None:
            return Searcher.FINISHED
        return {"number": record.number, "sample": record.sample, "epochs": record.epochs}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the scheduler has noted it."""

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the study is on disk."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""


class StudyScheduler(FIFOScheduler):
    """Passes on what a trial reports, and stops it where the search says so."""

    def __init__(self, progress: SearchProgress, room: Room) -> None:
        super().__init__()
        self._progress, self._room = progress, room

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ANN401 (Tune's own)
        trial: Trial,
        result: dict[str, Any],
    ) -> str:
        """Handle an epoch, or the end of a trial."""
        number = trial.config["number"]
        if "failed" not in result:
            self._room.peak_bytes = max(self._room.peak_bytes, result["memory"])
            is_wanted = self._progress.epoch(number, json.loads(result["line"]))
            return TrialScheduler.CONTINUE if is_wanted else TrialScheduler.STOP
        if result["failed"]:
            self._progress.fail(number, result["failed"])
        else:
            self._progress.complete(number)
        return TrialScheduler.STOP


@dataclass
class LossWatch(tune.Callback):
    """Notes trials whose process was lost twice, and ends a search whose folder was removed."""

    progress: SearchProgress
    folder: Path

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Handle a trial that Tune does not start again; a scheduler hears of each loss."""
        self.progress.fail(trial.config["number"], _reason(trial))

    def on_step_end(self, iteration: int, trials: list[Trial], **_: object) -> None:
        """Look whether the folder is there: without it, trials would wait for ever."""
        if not self.folder.is_dir():
            raise TrainingError(
                "the workspace was removed or moved during the search",
                where=str(self.folder),
                hint="run the same command again: it computes what is missing",
            )


def _reason(trial: Trial) -> str:
    """Return the last line of what ended a trial's process."""
    # Tune's own question looks where this file is copied to later.
    path = Path(trial.error_file or "")
    text = path.read_text(encoding="utf-8") if path.is_file() else str(trial.get_error() or "")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:MAX_CHARS] if lines else "its process ended without a message"
