"""The tables: candidates by rank and by their worst loss against the best modality."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.defaults.training import Outcome
from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import metric_named
from mmray.evaluation.comparison import Difference, compare
from mmray.evaluation.evaluate import EvaluationResult

ACCURACY = metric_named("accuracy")


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate on one corpus."""

    fusion: float
    alone: dict[str, float]
    best: str
    """The modality that is best alone."""
    gain: Difference
    """Of the fusion over that modality."""


def evaluate(outcome: Outcome) -> EvaluationResult:
    """Return the accuracy of a training."""
    hits = np.array([hit == "1" for hit in outcome.hits])
    return EvaluationResult({}, {}, len(hits), lambda rows: float(hits[rows].mean()))


def make_row(fusion: Sequence[Outcome], alone: Mapping[str, Sequence[Outcome]]) -> Row:
    """Compare a fusion with the best modality, trained with the same settings and seeds."""
    scores = {name: accuracy(outcomes) for name, outcomes in alone.items()}
    best = max(scores, key=lambda name: scores[name])
    ours, others = ([evaluate(each) for each in group] for group in (fusion, alone[best]))
    gain = compare(ours, others, ACCURACY, EvaluationConfig())
    return Row(accuracy(fusion), scores, best, gain)


def accuracy(outcomes: Sequence[Outcome]) -> float:
    """Return the mean accuracy of several trainings."""
    return statistics.fmean(each.hits.count("1") / len(each.hits) for each in outcomes)


def mean_ranks(table: Mapping[str, Mapping[str, Row]]) -> dict[str, float]:
    """Return each candidate's mean rank over the corpora that all have; 1 is best, ties share."""
    common = shared_corpora(table)
    ranks: dict[str, list[float]] = {name: [] for name in table}
    for corpus in sorted(common):
        values = {name: rows[corpus].fusion for name, rows in table.items()}
        for name, value in values.items():
            above = sum(other > value for other in values.values())
            equal = sum(other == value for other in values.values())
            ranks[name].append(above + (equal + 1) / 2)
    return {name: statistics.fmean(found) for name, found in ranks.items() if found}


def shared_corpora(table: Mapping[str, Mapping[str, Row]]) -> set[str]:
    """Return the corpora that every candidate has."""
    return set.intersection(*(set(rows) for rows in table.values()))


def summary_lines(table: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Return a line per candidate: rank, accuracy, worst loss, and where it is shown worse.

    Over the corpora that every candidate has.
    """
    ranks, common = mean_ranks(table), shared_corpora(table)
    lines = [f"{'':<34}{'rank':>6}{'accuracy':>10}{'worst':>8}  shown worse than one modality on"]
    for name in sorted(ranks, key=lambda name: ranks[name]):
        rows = {corpus: row for corpus, row in table[name].items() if corpus in common}
        worst = min(row.gain.value for row in rows.values())
        shown = [corpus for corpus, row in rows.items() if row.gain.verdict == "worse"]
        mean = statistics.fmean(row.fusion for row in rows.values())
        lines.append(
            f"{name:<34}{ranks[name]:6.2f}{mean:10.3f}{worst:+8.3f}  {', '.join(shown) or '-'}"
        )
    return lines


def corpus_lines(table: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Return one line per corpus and candidate."""
    lines = []
    corpora = list(dict.fromkeys(corpus for rows in table.values() for corpus in rows))
    for corpus in corpora:
        for name, rows in table.items():
            if corpus not in rows:
                continue
            row = rows[corpus]
            low, high = row.gain.interval
            lines.append(
                f"{corpus:<22}{name:<34}{row.fusion:7.3f}  {row.best:>10} {row.alone[row.best]:.3f}"
                f"  {row.gain.value:+.3f} ({low:+.3f} to {high:+.3f}) {row.gain.verdict}"
            )
    return lines
