"""The trials of a search on disk: an Optuna study in a journal, which is written line by line.

The journal is the one record of a search. It has one writer, the process of the search; others may
read it at any moment. All that mmray knows of a trial is one attribute of Optuna's trial, so that a
process that is killed leaves it as it was before or after a change.
"""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, Trial, create_trial
from optuna.trial import TrialState as OptunaState

from mmray.errors import TrainingError
from mmray.search.record import TrialRecord

JOURNAL = "study.journal"
NAME, RECORD = "search", "mmray"
SPENT = "seconds"
"""Attribute of the study: seconds that the search has taken, over all its processes."""
CREATE_TRIAL, SET_TRIAL_USER_ATTR, RUNNING = 4, 8, 0
"""Kinds of lines in a journal of Optuna's, and the state of a trial that runs."""

Direction = Literal["minimize", "maximize"]
Begin = Callable[[Trial], TrialRecord]
"""Draws a sample from Optuna's trial, and returns the trial that it begins."""


def read_trials(folder: Path) -> list[TrialRecord]:
    """Return the trials of a search by number, also while it runs; none where there is no search.

    A line that is being written, or that was cut by a kill, is not read yet.
    """
    return _records(load_study(folder).get_trials(deepcopy=False)) if _is_there(folder) else []


def spent_seconds(folder: Path) -> float:
    """Return the seconds that a search has taken so far, over all its processes."""
    return load_study(folder).user_attrs.get(SPENT, 0.0) if _is_there(folder) else 0.0


def load_study(folder: Path) -> optuna.Study:
    """Open the study of a search to read it.

    Raises:
        TrainingError: there is none, or its journal is damaged.
    """
    if not _is_there(folder):
        raise TrainingError("there is no search", where=str(folder), hint="run 'mmray search'")
    with _reading(folder), quiet_optuna():
        return optuna.load_study(study_name=NAME, storage=_storage(folder))


def open_study(folder: Path, directions: Sequence[Direction]) -> "TrialStudy":
    """Open the study of a search to add to it; a new one where there is none.

    The lock of the workspace sees to it that one process at a time does so.

    Raises:
        TrainingError: its journal is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / JOURNAL
    path.with_name(f"{JOURNAL}.lock").unlink(missing_ok=True)  # of a process that was killed
    with _reading(folder), quiet_optuna():
        if path.is_file():
            _repair(path)
        storage = _storage(folder)
        study = optuna.create_study(
            study_name=NAME, storage=storage, directions=list(directions), load_if_exists=True
        )
        return TrialStudy(study, storage)


class TrialStudy:
    """The study that a search adds its trials to."""

    def __init__(self, study: optuna.Study, storage: JournalStorage) -> None:
        self.study = study
        """Optuna's own."""
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(NAME)
        self._ids = {
            frozen.user_attrs[RECORD]["number"]: self._id_of(frozen.number)
            for frozen in study.get_trials(deepcopy=False)
            if RECORD in frozen.user_attrs
        }

    def records(self) -> list[TrialRecord]:
        """Return all trials by number."""
        return _records(self.study.get_trials(deepcopy=False))

    def record(self, number: int) -> TrialRecord:
        """Return one trial."""
        return _to_record(self._frozen(number))

    def curves(self) -> dict[int, list[float]]:
        """Return the values of the first objective of each trial, by epoch."""
        return {
            frozen.user_attrs[RECORD]["number"]: _curve(frozen)
            for frozen in self.study.get_trials(deepcopy=False)
            if RECORD in frozen.user_attrs
        }

    def ask(self, begin: Begin, sampler: BaseSampler) -> TrialRecord:
        """Add a trial and return it; ``sampler`` draws what ``begin`` asks of Optuna's trial."""
        self.study.sampler = sampler
        with quiet_optuna():
            trial = self.study.ask()
            record = begin(trial)
        return self._added(trial.number, record)

    def add(
        self, record: TrialRecord, params: dict[str, Any], spaces: dict[str, BaseDistribution]
    ) -> TrialRecord:
        """Add a running trial whose parameters are known."""
        state = OptunaState.RUNNING
        self.study.add_trial(create_trial(state=state, params=params, distributions=spaces))
        return self._added(self.study.get_trials(deepcopy=False)[-1].number, record)

    def report(self, record: TrialRecord, value: float) -> None:
        """Note an epoch of a running trial, after which the first objective is ``value``.

        The epoch counts when the record says so, which is written last.
        """
        number = self._ids[record.number]
        self._storage.set_trial_intermediate_value(number, record.epochs, value)
        self._write(record)

    def tell(self, record: TrialRecord) -> None:
        """Note that a trial has ended, as ``record`` says."""
        self._write(record)
        values = list(record.values)
        if record.state == "failed" or not values:
            outcome = OptunaState.FAIL, None
        elif record.state == "stopped" and len(values) == 1:
            outcome = OptunaState.PRUNED, _curve(self._frozen(record.number))[-1:]
        else:  # with several objectives, Optuna knows no trial that was stopped
            outcome = OptunaState.COMPLETE, values
        self._storage.set_trial_state_values(self._ids[record.number], *outcome)

    def _added(self, number: int, record: TrialRecord) -> TrialRecord:
        self._ids[record.number] = self._id_of(number)
        self._write(record)
        return record

    def _write(self, record: TrialRecord) -> None:
        document = json.loads(json.dumps(asdict(record), allow_nan=False))
        self._storage.set_trial_user_attr(self._ids[record.number], RECORD, document)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._storage.get_trial(self._ids[number])

    def _id_of(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)


def _is_there(folder: Path) -> bool:
    path = folder / JOURNAL
    return path.is_file() and path.stat().st_size > 0


def _storage(folder: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(folder / JOURNAL)))


def _records(trials: Sequence[FrozenTrial]) -> list[TrialRecord]:
    found = [_to_record(trial) for trial in trials if RECORD in trial.user_attrs]
    return sorted(found, key=lambda record: record.number)


def _curve(trial: FrozenTrial) -> list[float]:
    values, epochs = trial.intermediate_values, trial.user_attrs[RECORD]["epochs"]
    return [values[epoch] for epoch in sorted(values) if epoch <= epochs]


def _to_record(trial: FrozenTrial) -> TrialRecord:
    document = trial.user_attrs[RECORD]
    return TrialRecord(**document | {"values": tuple(document["values"])})


def _repair(path: Path) -> None:
    """Cut what a killed process has left at the end: half a line, or a trial without a sample."""
    end, began = 0, None
    with path.open("r+b") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                break
            entry = json.loads(line)
            if entry["op_code"] == CREATE_TRIAL and entry.get("state") in (None, RUNNING):
                began = end
            elif entry["op_code"] == SET_TRIAL_USER_ATTR and RECORD in entry["user_attr"]:
                began = None
            end += len(line)
        stream.truncate(end if began is None else began)


@contextmanager
def _reading(folder: Path) -> Generator[None]:
    """Turn what a damaged journal raises into an error that names it."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"the record of the trials is damaged: {error}",
            where=str(folder / JOURNAL),
            hint="delete the folder of this search and run the same command: it starts over",
        ) from error


@contextmanager
def quiet_optuna() -> Generator[None]:
    """Hold back what Optuna logs about itself."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
