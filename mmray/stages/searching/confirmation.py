"""The end of a search: the best trials once more with further seeds, the winner, and its worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmray.config.document import Config
from mmray.config.training.search import SearchConfig
from mmray.config.training.train import ObjectiveConfig
from mmray.core.file.atomic import read_complete, read_success
from mmray.core.kind import Split
from mmray.errors import TrainingError
from mmray.run.training_job import TrainingJob
from mmray.search.confirm import (
    Candidate,
    Confirmed,
    PlanTrial,
    choose_trials,
    value_of,
    winner_of,
    with_seeds,
)
from mmray.search.front import front_layers, pareto_front
from mmray.search.record import TrialRecord
from mmray.search.sample import overrides_of
from mmray.stages.searching.ensembling import TrialEnsemble, build_ensemble
from mmray.stages.searching.on_test import Comparison, compare_models, predict_split
from mmray.stages.searching.outcome import Outcome

CONFIRMED, MODELS = "confirmed", "models"
"""Folders of a search: trainings with further seeds, and those on all of train after folds."""
TrainJobs = Callable[[Sequence[TrainingJob]], None]


@dataclass(frozen=True, slots=True)
class SearchedTrials:
    """The trials of a search whose budget is spent."""

    config: Config
    """The document, whose search section has the space that was searched."""
    trials: Sequence[TrialRecord]
    plan: PlanTrial
    folder: Path
    """Of the search."""

    @property
    def search(self) -> SearchConfig:
        """The section of the document."""
        return self.config.search_section()

    @property
    def objective(self) -> ObjectiveConfig:
        """The first objective, which decides."""
        return self.search.objective[0]


def conclude(searched: SearchedTrials, train: TrainJobs, *, can_measure: bool) -> Outcome:
    """Train the best trials and the document with further seeds, and name the winner.

    The winner is the best mean on val; the test split is looked at afterwards, once. What ``train``
    has completed before is not trained again.

    A candidate of which a training fails, or does not report the objective, is left out.

    Raises:
        TrainingError: no candidate remains.
    """
    candidates = _candidates(searched)
    _train_missing([job for each in candidates for job in each.jobs], train)
    every = [_confirmed(each, searched.objective) for each in candidates]
    confirmed = [each for each in every if each is not None]
    if not confirmed:
        raise TrainingError(
            f"no trial reported {searched.objective.metric!r} with every seed",
            where="search.objective.metric",
            hint="; ".join(sorted({trial.reason for trial in searched.trials if trial.reason})),
        )
    winner = winner_of(confirmed, searched.objective)
    document = next((each for each in confirmed if each.candidate.is_document), None)
    return Outcome(
        objective=searched.objective,
        confirmed=tuple(confirmed),
        left_out=tuple(
            candidate.title
            for candidate, found in zip(candidates, every, strict=True)
            if found is None
        ),
        winner=winner,
        overrides=overrides_of(searched.config, winner.candidate.trial.sample),
        on_test=_on_test(searched, winner, document, train) if can_measure else {},
        front=_front(searched),
        ensemble=_ensemble(searched, winner, confirmed),
    )


def ranked(searched: SearchedTrials) -> list[TrialRecord]:
    """Return the trials by value, those of the front first."""
    layers = front_layers(searched.trials, searched.search.objective)
    return [trial for layer in layers for trial in layer]


def _candidates(searched: SearchedTrials) -> list[Candidate]:
    confirm = searched.search.confirm
    top, seeds = (1, 0) if confirm is None else (confirm.top, confirm.seeds)
    document, chosen = choose_trials(ranked(searched), top, searched.plan)
    trials = [*([] if document is None else [document]), *chosen]
    folder = searched.folder / CONFIRMED
    return [with_seeds(each, searched.plan, seeds=seeds, folder=folder) for each in trials]


def _confirmed(candidate: Candidate, objective: ObjectiveConfig) -> Confirmed | None:
    """Return what a candidate has reached with every seed; None where one is missing."""
    values: list[float] = []
    for job in candidate.jobs:
        success = read_success(Path(job.folder))
        value = None if success is None else value_of(success, candidate.trial, objective)
        if value is None:
            return None
        values.append(value)
    return Confirmed(candidate, tuple(values))


def _on_test(
    searched: SearchedTrials, winner: Confirmed, document: Confirmed | None, train: TrainJobs
) -> dict[str, Comparison]:
    if document is None or winner is document:
        return {}
    ours, others = (models_of(each.candidate, searched.folder) for each in (winner, document))
    _train_missing([*ours, *others], train)
    left, right = (
        [predict_split(job, Split.TEST) for job in jobs if read_success(Path(job.folder))]
        for jobs in (ours, others)
    )
    return compare_models(left, right, searched.config) if left and right else {}


def models_of(candidate: Candidate, folder: Path) -> list[TrainingJob]:
    """Return the trainings of a candidate on the document's own splits, by seed.

    The models of folds are of parts of them.
    """
    return [
        job
        if job.folds is None
        else replace(
            job, name=f"{job.name}, all of train", folds=None,
            folder=str(folder / MODELS / f"trial-{candidate.trial.number}" / f"seed-{job.seed}"),
        )
        for job in candidate.jobs
    ]  # fmt: skip


def _ensemble(
    searched: SearchedTrials, winner: Confirmed, confirmed: Sequence[Confirmed]
) -> TrialEnsemble | None:
    """Return the ensemble of all models that are there: of trials, and of further seeds."""
    most = searched.search.ensemble
    if most is None:
        return None
    trained = [
        (each.candidate.trial, job) for each in (winner, *confirmed) for job in each.candidate.jobs
    ]
    trained += [
        (trial, replace(searched.plan(trial.sample), folder=trial.folder))
        for trial in ranked(searched)
        if trial.state == "complete"
    ]
    distinct: dict[str, tuple[TrialRecord, TrainingJob]] = {}
    for trial, job in trained:
        distinct.setdefault(job.folder, (trial, job))
    return build_ensemble(
        list(distinct.values()), objective=searched.objective, most=most, config=searched.config
    )


def _front(searched: SearchedTrials) -> tuple[TrialRecord, ...]:
    if len(searched.search.objective) == 1:
        return ()
    return tuple(pareto_front(searched.trials, searched.search.objective))


def _train_missing(jobs: Sequence[TrainingJob], train: TrainJobs) -> None:
    missing = [job for job in jobs if read_complete(Path(job.folder)) is None]
    for job in missing:
        Path(job.folder).mkdir(parents=True, exist_ok=True)
    if missing:
        train(missing)
