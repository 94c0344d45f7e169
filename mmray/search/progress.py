"""A search as it runs: which trial is next, what each epoch means for it, and when it is over."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmray.config.training.search import SearchConfig
from mmray.errors import TrainingError
from mmray.search.record import Sample, TrialRecord
from mmray.search.sampling import build_sampler, seed_of
from mmray.search.space import distributions_of, grid, suggest
from mmray.search.stopping import reason_to_stop
from mmray.search.study import SPENT, TrialStudy

logger = logging.getLogger(__name__)

OnEpoch = Callable[[TrialRecord, Mapping[str, Any]], None]
"""Gets a trial after an epoch, and the metrics of that epoch."""
OnChange = Callable[[TrialRecord], None]
"""Gets a trial that has begun or ended; after a kill, perhaps a second time."""
MINUTES_OVER = "the time of the search is over"


@dataclass
class SearchProgress:
    """Decides over the trials of one search; the study holds all that it knows of them."""

    study: TrialStudy
    search: SearchConfig
    document: Sample
    """Values of the document itself, which is the first trial, as far as they lie in the space."""
    folder_of: Callable[[Sample], Path]
    epochs_of: Callable[[Sample], int]
    """Number of epochs of a trial that is not stopped early."""
    on_epoch: OnEpoch
    on_change: OnChange
    running: set[int] = field(default_factory=set[int])
    """Trials that this process has begun and that have not ended."""

    def __post_init__(self) -> None:
        self._began = time.monotonic() - self.study.study.user_attrs.get(SPENT, 0.0)

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out: Tune writes its parts to a file, which nothing reads."""
        return {}

    def begin(self) -> TrialRecord | None:
        """Return the next trial to train, or None if there is none left.

        Trials that an earlier process has begun come first, with what they have reached.
        """
        for record in self.study.records():
            if record.state == "running" and record.number not in self.running:
                reason = self._reason(record)
                if not reason:
                    self.running.add(record.number)
                    return record
                self._end(record, "stopped", reason)
        record = self._new()
        if record is not None:
            self.running.add(record.number)
            self.on_change(record)
        return record

    def epoch(self, number: int, line: Mapping[str, Any]) -> bool:
        """Note an epoch (a line of ``run.epoch_file``) and return whether training continues.

        One that is known already, of a process that was lost, changes nothing.
        """
        record, values = self.study.record(number), self._values(line)
        if line["epoch"] <= record.epochs:
            return True
        first = self.search.objective[0]
        is_best = not record.values or first.is_better(values[0], record.values[0])
        record = replace(
            record,
            epochs=line["epoch"],
            seconds=record.seconds + line["seconds"],
            values=values if is_best else record.values,
            parameters=line.get("parameters", record.parameters),
            latency_ms=line.get("latency_ms", record.latency_ms),
        )
        self.on_epoch(record, line["metrics"])
        self.study.report(record, values[0])
        reason = self._reason(record)
        if reason:
            self._end(record, "stopped", reason)
        return not reason

    def complete(self, number: int) -> None:
        """Note that a trial was trained to its end."""
        self._end(self.study.record(number), "complete", "")

    def fail(self, number: int, reason: str) -> None:
        """Note that a trial failed; the others continue."""
        logger.warning("trial %d failed: %s", number, reason)
        self._end(self.study.record(number), "failed", reason)

    @property
    def num_ended(self) -> int:
        """The number of ended trials."""
        return sum(record.state != "running" for record in self.study.records())

    @property
    def _is_late(self) -> bool:
        minutes = self.search.minutes
        return minutes is not None and time.monotonic() - self._began >= 60 * minutes

    def _new(self) -> TrialRecord | None:
        number = len(self.study.records()) + 1
        if self._is_late or (self.search.trials is not None and number > self.search.trials):
            return None
        space = self.search.space
        if number == 1:
            return self._add(self._record(number, {}), self.document)
        if self.search.sampler == "grid":
            samples = grid(space)  # the document is none of them
            if number - 2 >= len(samples):
                return None
            return self._add(self._record(number, samples[number - 2]), samples[number - 2])
        return self.study.ask(
            lambda trial: self._record(number, suggest(trial, space)),
            build_sampler(self.search.sampler, seed_of(self.search.seed, number)),
        )

    def _add(self, record: TrialRecord, params: Sample) -> TrialRecord:
        distributions = distributions_of(self.search.space, params)
        return self.study.add(record, dict(params), distributions)

    def _record(self, number: int, sample: Sample) -> TrialRecord:
        return TrialRecord(
            number=number,
            sample=sample,
            state="running",
            values=(),
            epochs=0,
            seconds=0.0,
            reason="",
            started=time.time(),
            folder=str(self.folder_of(sample)),
            parameters=None,
            latency_ms=None,
        )

    def _values(self, line: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the objectives: metrics of training, or figures of the model beside them."""
        known = {**line, **line["metrics"]}
        for objective in self.search.objective:
            if objective.metric not in known:
                raise no_objective(objective.metric)
        return tuple(float(known[each.metric]) for each in self.search.objective)

    def _reason(self, record: TrialRecord) -> str:
        """Return why a running trial is to stop; empty if it is not."""
        if not record.epochs or record.epochs >= self.epochs_of(record.sample):
            return ""  # it has not begun, or it is done
        if self._is_late:
            return MINUTES_OVER
        if self.search.folds is not None:
            return ""
        direction = self.search.objective[0].direction
        return reason_to_stop(self.search.stop, record.number, self.study.curves(), direction)

    def _end(self, record: TrialRecord, state: Any, reason: str) -> None:  # noqa: ANN401
        ended = replace(record, state=state, reason=reason)
        self.on_change(ended)
        self.study.tell(ended)
        self.study.study.set_user_attr(SPENT, time.monotonic() - self._began)
        self.running.discard(record.number)


def no_objective(metric: str, *, hint: str = "") -> TrainingError:
    """Return the error for an objective that no trial has reported."""
    return TrainingError(
        f"no trial reported {metric!r}",
        where="search.objective.metric",
        hint=hint or "is it one of the metrics that training logs, for example 'val/loss'?",
    )
