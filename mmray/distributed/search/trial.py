"""The trials of a search, also on disk: it resumes without repeating one."""

import fcntl
import logging
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial

from mmray.config.training.train import ObjectiveConfig
from mmray.core.file.atomic import read_json, write_json
from mmray.distributed.search.sampling import Sample
from mmray.errors import TrainingError
from mmray.run.epoch_file import EPOCHS, epoch_lines

logger = logging.getLogger(__name__)
SAMPLES = "samples.json"
"""In a search's folder: the sample of each trial, in the order in which they were made."""
STATE, LOCK = "trial.json", "trial.lock"
"""In a trial's folder: the number of epochs that were passed on, and whether it has ended."""
MAX_CHARS = 300

OnEpoch = Callable[[int, Sample, dict[str, Any], int], None]


@dataclass(slots=True)
class TrialResult:
    """One trial, as far as it is."""

    number: int
    sample: Sample
    folder: Path
    epochs: int = 0
    best: float | None = None
    """Best value of the objective; None when no epoch was reached."""
    error: str = ""
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class TrialState:
    """The record in a trial's folder."""

    epochs: int = 0
    has_ended: bool = False


def read_state(folder: Path) -> TrialState:
    """Return what is noted of a trial; of a new one, that nothing was done."""
    match _read(folder / STATE):
        case {"epochs": int(epochs), "has_ended": bool(has_ended)}:
            return TrialState(epochs, has_ended)
        case _:
            return TrialState()


@contextmanager
def only_one(folder: Path) -> Generator[None]:
    """Wait until no other trial of the same sample is at work in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@dataclass
class TrialLog(tune.Callback):
    """Keeps each trial's result and passes each epoch on once, in the process of the search."""

    objective: ObjectiveConfig
    folder: Path
    """Of the search."""
    folder_of: Callable[[Sample], Path]
    """The folder of a sample's trial; equal samples have the same folder."""
    on_epoch: OnEpoch
    results: dict[str, TrialResult] = field(default_factory=dict[str, TrialResult])
    """By Tune's id, which does not say the order."""

    def tried(self) -> list[Sample]:
        """Return the samples of an earlier search that was stopped, in their order."""
        samples = _read(self.folder / SAMPLES)
        return samples if isinstance(samples, list) else []

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Number the trial by the order in which they were made."""
        sample = dict(trial.config)
        result = TrialResult(trials.index(trial) + 1, sample, self.folder_of(sample))
        self._recall(result)
        self.results[trial.trial_id] = result
        if len(trials) > len(self.tried()):
            write_json(self.folder / SAMPLES, [dict(each.config) for each in trials])

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Trial],
        trial: Trial,
        result: dict[str, Any],
        **_: object,
    ) -> None:
        """Pass on an epoch that was not passed on before."""
        found = self.results[trial.trial_id]
        metrics = {name: value for name, value in result.items() if "/" in name}
        found.best = self._better(found.best, metrics[self.objective.metric])
        found.epochs = max(found.epochs, int(result["epoch"]))
        if found.epochs > read_state(found.folder).epochs:
            self.on_epoch(found.number, found.sample, metrics, found.epochs)
            _write_state(found)

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Note that the trial is done, or was stopped early: it is not trained any further."""
        result = self.results[trial.trial_id]
        result.has_ended = True
        _write_state(result)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Report what ended the trial; the others continue."""
        result = self.results[trial.trial_id]
        result.has_ended, result.error = True, _reason(trial)
        logger.warning("trial %d failed: %s", result.number, result.error)

    def on_step_end(self, iteration: int, trials: list[Trial], **_: object) -> None:
        """End a search whose folder was removed: its trials would wait for ever."""
        if not self.folder.is_dir():
            raise TrainingError(
                "the workspace was removed or moved during the search",
                where=str(self.folder),
                hint="run the same command again: it computes what is missing",
            )

    @property
    def num_ended(self) -> int:
        """The number of ended trials."""
        return sum(result.has_ended for result in self.results.values())

    def ranked(self) -> list[TrialResult]:
        """Return the results, best first; those without a value last."""
        sign = 1 if self.objective.direction == "min" else -1
        return sorted(
            self.results.values(), key=lambda r: (r.best is None, sign * (r.best or 0.0), r.number)
        )

    def _recall(self, result: TrialResult) -> None:
        """Restore the epochs of a trial that ended in an earlier search.

        Its epochs are reported to Tune once more, which may stop it at another epoch this time.
        """
        state = read_state(result.folder)
        if not state.has_ended:
            return
        result.epochs = state.epochs
        for line in epoch_lines(result.folder / EPOCHS)[: state.epochs]:
            result.best = self._better(result.best, line["metrics"][self.objective.metric])

    def _better(self, best: float | None, value: float) -> float | None:
        if not math.isfinite(value):
            return best
        return value if best is None or self.objective.is_better(value, best) else best


def _read(path: Path) -> Any:  # noqa: ANN401 (JSON)
    """Return what a file says; None where it is not there or damaged: then nothing was noted."""
    try:
        return read_json(path)
    except (OSError, ValueError, RecursionError):
        return None


def _write_state(result: TrialResult) -> None:
    state = {"epochs": result.epochs, "has_ended": result.has_ended}
    write_json(result.folder / STATE, state)


def _reason(trial: Trial) -> str:
    """Return the last line of what ended a trial."""
    # Tune's own question looks where this file is copied to later.
    path = Path(trial.error_file or "")
    text = path.read_text(encoding="utf-8") if path.is_file() else str(trial.get_error() or "")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:MAX_CHARS] if lines else "its process ended without a message"
