"""The trials of a search in their order, and the history of the best."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from mmray.config.training.train import ObjectiveConfig
from mmray.search.front import costs, front_layers
from mmray.search.record import Sample, TrialRecord
from mmray.search.view.text import objective_name, sample_text, value_text

Overrides = Callable[[Sample], Mapping[str, Any]]
"""The keys of the document that a sample changes, with their values."""


def ranked(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]
) -> list[TrialRecord]:
    """Return the trials, best first; those without a value, then failed ones, last.

    Of several objectives the front comes first, then the front of the trials behind it, each with
    the best in the first objective first.
    """
    if len(objectives) > 1:
        first = [trial for layer in front_layers(trials, objectives) for trial in layer]
    else:
        valued = [trial for trial in trials if trial.values and trial.state != "failed"]
        first = sorted(valued, key=lambda trial: (costs(trial, objectives), trial.number))
    placed = {trial.number for trial in first}
    others = [trial for trial in trials if trial.number not in placed]
    return [*first, *sorted(others, key=lambda trial: (trial.state == "failed", trial.number))]


def best_trial(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]
) -> TrialRecord | None:
    """Return the best trial in the first objective; None when none has a value."""
    valued = (trial for trial in trials if trial.values and trial.state != "failed")
    return min(valued, key=lambda trial: (costs(trial, objectives)[0], trial.number), default=None)


def history(
    trials: Sequence[TrialRecord], objective: ObjectiveConfig, *, index: int = 0
) -> list[tuple[TrialRecord, float]]:
    """Return each trial with a value, in the order of the numbers, and the best value so far."""
    rows, best = list[tuple[TrialRecord, float]](), None
    for trial in sorted(trials, key=lambda trial: trial.number):
        if not trial.values or trial.state == "failed":
            continue
        value = trial.values[index]
        best = value if best is None or objective.is_better(value, best) else best
        rows.append((trial, best))
    return rows


def parameter_names(samples: Iterable[Sample]) -> list[str]:
    """Return the names of all parameters, in the order in which samples first have them."""
    return list(dict.fromkeys(name for sample in samples for name in sample))


def trial_rows(
    trials: Sequence[TrialRecord],
    objectives: Sequence[ObjectiveConfig],
    overrides: Overrides | None = None,
) -> list[dict[str, Any]]:
    """Return the table, best first, in plain JSON types: one row per trial."""
    return [
        {
            "rank": rank,
            "trial": trial.number,
            "state": trial.state,
            "values": {
                objective.metric: value
                for objective, value in zip(objectives, trial.values, strict=False)
            },
            "epochs": trial.epochs,
            "seconds": round(trial.seconds, 2),
            "parameters": trial.parameters,
            "latency_ms": trial.latency_ms,
            "sample": dict(trial.sample),
            "overrides": dict((overrides or dict)(trial.sample)),
            "reason": trial.reason,
        }
        for rank, trial in enumerate(ranked(trials, objectives), 1)
    ]


def table_lines(
    trials: Sequence[TrialRecord],
    objectives: Sequence[ObjectiveConfig],
    *,
    limit: int | None = None,
) -> list[str]:
    """Return the table as text for a terminal, best first."""
    rows = ranked(trials, objectives)
    cells = [
        [
            "trial",
            *(objective_name(one) for one in objectives),
            "epochs",
            "time",
            "state",
            "settings",
        ],
        *(list(_cells(trial, objectives)) for trial in rows[:limit]),
    ]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(cells[0]) - 1)]
    lines = [
        "  ".join(
            [*(" " * (w - cell_len(c)) + c for c, w in zip(row, widths, strict=False)), row[-1]]
        )
        for row in cells
    ]
    more = len(rows) - len(rows[:limit])
    return [*lines, *([f"and {more} more"] if more else [])]


def _cells(trial: TrialRecord, objectives: Sequence[ObjectiveConfig]) -> Iterator[str]:
    yield str(trial.number)
    for index, objective in enumerate(objectives):
        yield value_text(trial.values[index], objective) if trial.values else "-"
    yield str(trial.epochs)
    yield f"{trial.seconds:.1f} s"
    yield trial.state
    yield sample_text(trial.sample) + (f" ({trial.reason})" if trial.reason else "")
