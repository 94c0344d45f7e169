"""How much each parameter of a search decides whether a trial is among the best.

PED-ANOVA (Watanabe 2023): where the best trials lie in a parameter, against where all trials do. A
parameter that only some trials have counts where they have it (Ishikawa 2026).
"""

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmray.config.training.train import ObjectiveConfig
from mmray.search.record import TrialRecord
from mmray.search.study import quiet_optuna
from mmray.search.table import ranked
from mmray.search.view.text import setting_text

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST_TRIALS = 10
"""Below this, chance decides which parameters look important."""
FEWEST_BEST = 5
BEST_SHARE = 0.1
"""The best trials are this share of all, but at least ``FEWEST_BEST``."""


@dataclass(frozen=True, slots=True)
class Importance:
    """One parameter."""

    name: str
    share: float
    """Of what all parameters explain; the shares of all add up to one."""
    among_best: str
    """The values that the best trials have, for people."""


@dataclass(frozen=True, slots=True)
class Importances:
    """All parameters, the most important first."""

    parameters: tuple[Importance, ...]
    trials: int
    """Number of trials that they are from."""
    best: int
    """Number of those that count as the best."""
    missing: str = ""
    """Why there are none."""
    left_out: tuple[str, ...] = ()
    """Parameters that too few trials have."""


def importances(
    trials: Sequence[TrialRecord],
    drawn: Mapping[int, "FrozenTrial"],
    objectives: Sequence[ObjectiveConfig],
) -> Importances:
    """Return the importances; ``drawn`` holds parameters and distributions by trial number.

    A trial that was stopped early counts with the value that it reached: it is not among the best.
    """
    found = [t for t in ranked(trials, objectives) if _counts(t) and drawn[t.number].params]
    best = min(len(found), max(FEWEST_BEST, math.ceil(BEST_SHARE * len(found))))
    if len(found) < FEWEST_TRIALS:
        return Importances(
            (), len(found), best,
            missing=f"importances need {FEWEST_TRIALS} trials with a result, and there are "
            f"{len(found)}",
        )  # fmt: skip
    counts = Counter(name for trial in found for name in drawn[trial.number].params)
    few = tuple(sorted(name for name, count in counts.items() if count < FEWEST_TRIALS))
    shares = _shares(found, drawn, objectives, best / len(found))
    shares = {name: share for name, share in shares.items() if name not in few}
    if not sum(shares.values()):
        return Importances(
            (), len(found), best, missing="no parameter separates the best trials from the others"
        )
    top = [drawn[trial.number].params for trial in found[:best]]
    total = sum(shares.values())
    rows = (Importance(n, share / total, _values_text(n, top)) for n, share in shares.items())
    return Importances(tuple(rows), len(found), best, left_out=few)


def _counts(trial: TrialRecord) -> bool:
    return bool(trial.values) and trial.state in ("complete", "stopped")


def _shares(
    trials: Sequence[TrialRecord],
    drawn: Mapping[int, "FrozenTrial"],
    objectives: Sequence[ObjectiveConfig],
    best_share: float,
) -> dict[str, float]:
    # Here and not above: it loads scikit-learn.
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    with quiet_optuna():
        study = optuna.create_study(
            directions=["minimize" if one.direction == "min" else "maximize" for one in objectives]
        )
    for trial in trials:
        study.add_trial(
            optuna.create_trial(
                params=drawn[trial.number].params,
                distributions=drawn[trial.number].distributions,
                values=list(trial.values),
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        return get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(target_quantile=best_share)
        )


def _values_text(name: str, best: Sequence[Mapping[str, Any]]) -> str:
    """Return the range of numbers, or the commonest of other values with its count."""
    values = [params[name] for params in best if name in params]
    if not values:
        return "none has it"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        low, high = setting_text(min(values)), setting_text(max(values))
        return low if low == high else f"{low} to {high}"
    texts = [setting_text(value) for value in values]
    counts = {text: texts.count(text) for text in dict.fromkeys(texts)}
    shown = sorted(counts, key=lambda text: -counts[text])
    return ", ".join(f"{text} ({counts[text]} of {len(best)})" for text in shown[:3])
