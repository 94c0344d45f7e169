"""Which trials are trained again with further seeds, and which of them wins.

The best of many trials with one seed each is partly lucky. With further seeds luck is as likely for
one candidate as for another, and so it is for the document itself.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmray.config.training.train import ObjectiveConfig
from mmray.core.fingerprint import fingerprint
from mmray.run.training_job import TrainingJob
from mmray.search.record import Sample, TrialRecord

PlanTrial = Callable[[Sample], TrainingJob]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial and its trainings, the one with the document's seed first."""

    trial: TrialRecord
    jobs: tuple[TrainingJob, ...]

    @property
    def is_document(self) -> bool:
        """Whether it is the document as it was."""
        return not self.trial.sample

    @property
    def title(self) -> str:
        """Return its name in a sentence."""
        return "the document" if self.is_document else f"trial {self.trial.number}"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A candidate and the value of the first objective after each of its trainings."""

    candidate: Candidate
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Return the mean over the seeds."""
        return statistics.fmean(self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        trial = self.candidate.trial
        return {
            "trial": trial.number,
            "sample": dict(trial.sample),
            "mean": self.mean,
            "values": list(self.values),
            "seeds": [job.seed for job in self.candidate.jobs],
        }


def choose_trials(
    ranked: Sequence[TrialRecord], top: int, plan: PlanTrial
) -> tuple[TrialRecord | None, list[TrialRecord]]:
    """Return the trial of the document, and the best ``top`` trials that are something else.

    Trials with one document are one candidate. A trial that was stopped early is chosen only where
    too few are complete; one that failed never is.

    Args:
        ranked: all trials, the best first.
        top: number of trials.
        plan: the training of a sample.
    """
    sound = [trial for trial in ranked if trial.state in ("complete", "stopped") and trial.values]
    in_order = sorted(sound, key=lambda trial: trial.state != "complete")  # stable
    document = next((trial for trial in in_order if not trial.sample), None)
    known = {_document_of(plan({}))}
    chosen: list[TrialRecord] = []
    for trial in in_order:
        own = _document_of(plan(trial.sample))
        if own not in known and len(chosen) < top:
            known.add(own)
            chosen.append(trial)
    return document, chosen


def _document_of(job: TrainingJob) -> str:
    return job.config.model_dump_json()


def with_seeds(trial: TrialRecord, plan: PlanTrial, *, seeds: int, folder: Path) -> Candidate:
    """Return a trial as a candidate, with its own training and those of further seeds."""
    first = plan(trial.sample)
    jobs: list[TrainingJob] = []
    for seed in range(first.seed, first.seed + seeds + 1):
        is_there = seed == first.seed and trial.state == "complete"
        own = folder / fingerprint(dict(trial.sample)) / f"seed-{seed}"
        jobs.append(
            replace(
                first,
                name=f"trial {trial.number}, seed {seed}",
                seed=seed,
                folder=trial.folder if is_there else str(own),
            )
        )
    return Candidate(trial, tuple(jobs))


def value_of(
    success: Mapping[str, Any], trial: TrialRecord, objective: ObjectiveConfig
) -> float | None:
    """Return the first objective of a complete training: of the model that it kept.

    What another seed does not change, as the latency, is that of the trial.
    """
    name = objective.metric
    if name.startswith(("val/", "train/")):
        return success["best_metrics"].get(name)
    return trial.values[0]


def winner_of(confirmed: Sequence[Confirmed], objective: ObjectiveConfig) -> Confirmed:
    """Return the best mean over seeds; of equal ones the document, then the earlier trial."""
    sign = 1 if objective.direction == "min" else -1
    return min(
        confirmed,
        key=lambda c: (sign * c.mean, not c.candidate.is_document, c.candidate.trial.number),
    )
