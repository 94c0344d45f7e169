"""What a search has found: the winner, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmray.config.training.train import ObjectiveConfig
from mmray.core.text.nearest import listed
from mmray.evaluation.metric_text import difference_text
from mmray.evaluation.sentence import WARNING, counts_text, figure_text
from mmray.search.confirm import Confirmed
from mmray.search.record import TrialRecord
from mmray.search.sample import shown_sample
from mmray.stages.searching.ensembling import TrialEnsemble
from mmray.stages.searching.on_test import Comparison

LARGE = 1000.0
"""Figures from here on are written without decimals: numbers of parameters."""
VERDICTS = {
    "better": "shown to be better",
    "not shown": "not shown to be better",
    "worse": "shown to be worse",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The winner of a search, and what is known of it."""

    objective: ObjectiveConfig
    """The one that decides, the first."""
    confirmed: tuple[Confirmed, ...]
    """The candidates, the document first if it could be trained."""
    winner: Confirmed
    overrides: Mapping[str, Any]
    """Of the winner: dotted key of the document -> value."""
    on_test: Mapping[str, Comparison]
    """By task, the winner against the document as it was; empty where the winner is that, or test
    has no label."""
    left_out: tuple[str, ...] = ()
    """Candidates of which a training with another seed failed."""
    front: tuple[TrialRecord, ...] = ()
    """Of several objectives: the trials that no other one beats in all of them."""
    ensemble: TrialEnsemble | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "objective": self.objective.metric,
            "winner": self.winner.to_dict() | {"overrides": dict(self.overrides)},
            "confirmed": [each.to_dict() for each in self.confirmed],
            "left_out": list(self.left_out),
            "test": {task: found.to_dict() for task, found in self.on_test.items()},
            "ensemble": None if self.ensemble is None else self.ensemble.to_dict(),
        }

    def figures(self) -> dict[str, float]:
        """Return the figures for the tracking store."""
        found = {f"search/winner/{self.objective.metric}": self.winner.mean}
        for task, one in self.on_test.items():
            name = f"search/winner/test/{task}/{one.ours.metric.name}"
            found |= {name: one.ours.value, f"{name}_gain": one.difference.value}
        for task, one in (self.ensemble.gains if self.ensemble else {}).items():
            name = f"search/ensemble/test/{task}/{one.ours.metric.name}"
            found |= {name: one.ours.value, f"{name}_gain": one.difference.value}
        return found

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, for people."""
        return (
            winner_sentence(self.objective, self.winner),
            *(test_sentence(task, found) for task, found in self.on_test.items()),
            *left_out_sentences(self.left_out),
            *front_sentences(self.front),
            *([] if self.ensemble is None else ensemble_sentences(self.ensemble)),
        )


def winner_sentence(objective: ObjectiveConfig, winner: Confirmed) -> str:
    """Return who won with what."""
    candidate, values = winner.candidate, winner.values
    number = candidate.trial.number
    who = "the document as it is" if candidate.is_document else f"trial {number}"
    spread = ""
    if len(values) > 1:
        spread = f" (mean of {len(values)} seeds, {min(values):.4f} to {max(values):.4f})"
    sample = "" if candidate.is_document else f" with {shown_sample(candidate.trial.sample)}"
    return f"winner: {who}, {objective.metric} {winner.mean:.4f}{spread}{sample}"


def test_sentence(task: str, found: Comparison) -> str:
    """Return how the winner compares with the document on samples that no trial has seen."""
    return (
        f"{task}: {found.ours.metric.title} on test ({counts_text(found.ours)}): winner "
        f"{figure_text(found.ours)}, the document {figure_text(found.other)}: {_gain(found)}"
    )


def left_out_sentences(left_out: Sequence[str]) -> list[str]:
    """Return which candidates could not be compared."""
    if not left_out:
        return []
    names = listed(left_out)
    return [f"{WARNING}left out, as a training with another seed failed: {names}"]


def front_sentences(front: Sequence[TrialRecord]) -> list[str]:
    """Return which trials the front has, the best in the first objective first."""
    if not front:
        return []
    shown = ", ".join(
        f"trial {each.number} ({', '.join(map(_figure, each.values))})" for each in front
    )
    return [f"front: {shown}; its settings are in front.json"]


def ensemble_sentences(ensemble: TrialEnsemble) -> list[str]:
    """Return the members and, task by task, the gain over the winner alone."""
    if len(ensemble.members) == 1:
        alone = ensemble.members[0].title
        return [f"ensemble: none, as no mean is better on val than {alone} alone"]
    members = ", ".join(f"{each.weight:.2f} x {each.title}" for each in ensemble.members)
    lines = [f"ensemble: {members}; {ensemble.metric} {ensemble.on_val:.4f}, which selected them"]
    return lines + [
        f"{task}: {found.ours.metric.title} on test: ensemble {figure_text(found.ours)}, "
        f"winner alone {figure_text(found.other)}: {_gain(found)}"
        for task, found in ensemble.gains.items()
    ]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= LARGE else f"{value:.4g}"


def _gain(found: Comparison) -> str:
    metric = found.ours.metric
    low, high = (difference_text(bound, metric) for bound in found.difference.interval)
    return (
        f"{difference_text(found.difference.value, metric)} "
        f"(interval {low.removesuffix(' points')} to {high}), "
        f"{VERDICTS[found.difference.verdict]}"
    )
