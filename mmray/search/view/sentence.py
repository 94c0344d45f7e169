"""Sentences about a search: the best trial, the document itself, the counts."""

from collections import Counter
from collections.abc import Iterator, Sequence

from mmray.config.training.train import ObjectiveConfig
from mmray.core.text.nearest import listed
from mmray.search.front import pareto_front
from mmray.search.importance import FEWEST_TRIALS, Importances
from mmray.search.record import TrialRecord
from mmray.search.table import best_trial
from mmray.search.view.heading import SearchHeading
from mmray.search.view.text import (
    gain_text,
    objective_name,
    sample_text,
    setting_text,
    short_key,
    value_text,
)

STATES = ("complete", "stopped", "failed", "running")
MOST_PARAMETERS = 5
FEWEST_SHARE = 0.01


def headline(trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> list[str]:
    """Return the best trial, what it gains over the document, and the front if there is one."""
    best = best_trial(trials, objectives)
    if best is None:
        return ["no trial has a result yet"]
    return [
        *_best(best, objectives),
        *_document(best, trials, objectives),
        *_front(trials, objectives),
    ]


def _best(best: TrialRecord, objectives: Sequence[ObjectiveConfig]) -> Iterator[str]:
    values = ", ".join(
        f"{objective_name(objective)} {value_text(value, objective)}"
        for value, objective in zip(best.values, objectives, strict=True)
    )
    first = f" in {objective_name(objectives[0])}" if len(objectives) > 1 else ""
    yield f"best{first}: trial {best.number}, {values}, with {sample_text(best.sample)}"


def _document(
    best: TrialRecord, trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]
) -> Iterator[str]:
    own = next((trial for trial in trials if not trial.sample and trial.values), None)
    if own is None or own is best:
        return
    value = value_text(own.values[0], objectives[0])
    gain = gain_text(best.values[0], own.values[0], objectives[0])
    yield f"the document itself (trial {own.number}): {value}; the best trial: {gain}"


def _front(trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> Iterator[str]:
    if len(objectives) > 1:
        numbers = [str(trial.number) for trial in pareto_front(trials, objectives)]
        of = listed([objective_name(objective) for objective in objectives])
        yield f"front of {of}: trials {listed(numbers)}"


def counts_sentence(trials: Sequence[TrialRecord], heading: SearchHeading) -> str:
    """Return how many trials there are, of how many, and their states."""
    counts = Counter(trial.state for trial in trials)
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    of = f" of {heading.trials}" if heading.trials else ""
    limit = f", within {setting_text(heading.minutes)} minutes" if heading.minutes else ""
    return f"trials: {len(trials)}{of}{limit}" + (f"; {states}" if states else "")


def importance_sentences(found: Importances) -> list[str]:
    """Return the most important parameters with the best trials' values, or why there are none."""
    if found.missing:
        return [found.missing]
    rows = [row for row in found.parameters if row.share >= FEWEST_SHARE][:MOST_PARAMETERS]
    return [
        f"most important parameters, and what the best {found.best} of {found.trials} trials have:",
        *(f"  {100 * row.share:.0f} % {short_key(row.name)}: {row.among_best}" for row in rows),
        *([f"  {left_out_sentence(found)}"] if found.left_out else []),
    ]


def left_out_sentence(found: Importances) -> str:
    """Return which parameters have no importance."""
    names = listed([short_key(name) for name in found.left_out], limit=MOST_PARAMETERS)
    return f"left out, as fewer than {FEWEST_TRIALS} trials have them: {names}"
