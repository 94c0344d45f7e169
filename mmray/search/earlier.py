"""Results of earlier searches, which guide the sampler of the next one.

They are in its study beside its trials, and are none of them: no record, number or folder.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState, create_trial

from mmray.config.document import Config
from mmray.config.reading.load import check_document, storable
from mmray.config.training.search import SearchConfig
from mmray.core.file.atomic import read_json, write_json
from mmray.errors import ConfigError, TrainingError
from mmray.search.record import TrialRecord
from mmray.search.sample import apply_sample, params_of
from mmray.search.space import Space, distributions_of
from mmray.search.study import Direction, open_study, read_trials

logger = logging.getLogger(__name__)
ORIGIN = "origin.json"
"""In a search's folder: its document, and the name of the features of the document."""
EARLIER = "earlier"
"""Attribute of an Optuna trial: the search and the number of the trial whose result it is."""
LEARNING = ("tpe", "gp")
"""Samplers that draw by all results there are."""
MOST = 200
"""Trials that are taken over from one search; the latest."""


@dataclass(frozen=True, slots=True)
class EarlierTrial:
    """A complete trial of another search, as a sample of this one's space."""

    name: str
    params: Mapping[str, Any]
    values: tuple[float, ...]


def write_origin(folder: Path, config: Config, features: str) -> None:
    """Note what a search is of, for later searches; ``features`` names corpus and features."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / ORIGIN, {"features": features, "document": storable(config)})


def earlier_trials(folder: Path, config: Config, features: str) -> list[EarlierTrial]:
    """Return the complete trials of the other searches of a workspace that lie in the space.

    They were of the same features, objectives and number of epochs, and have a value for each key
    of the space. ``folder`` is that of the search that begins.
    """
    found: list[EarlierTrial] = []
    for path in sorted(folder.parent.glob(f"*/{ORIGIN}")):
        if path.parent == folder:
            continue
        try:
            found += _trials_of(path.parent, config, features)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            TrainingError,
        ):  # whatever its files hold by now
            logger.warning("results of an earlier search are left out, damaged: %s", path.parent)
    return found


def _trials_of(folder: Path, config: Config, features: str) -> list[EarlierTrial]:
    document = _document_of(folder, features)
    if document is None or not _is_comparable(document, config):
        return []
    return list(_within(config.search_section().space, folder, document))


def warm_start(folder: Path, search: SearchConfig, trials: Sequence[EarlierTrial]) -> int:
    """Add results to the study of a search that has none yet; return how many were added."""
    directions: list[Direction] = [
        "minimize" if objective.direction == "min" else "maximize" for objective in search.objective
    ]
    study = open_study(folder, directions).study
    if study.get_trials(deepcopy=False):
        return 0
    for trial in trials:
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                params=dict(trial.params),
                distributions=distributions_of(search.space, trial.params),
                values=list(trial.values),
                user_attrs={EARLIER: trial.name},
            )
        )
    return len(trials)


def _document_of(folder: Path, features: str) -> Config | None:
    """Return the document of a search of the same features; None for another, or of other rules."""
    origin = read_json(folder / ORIGIN)
    if origin["features"] != features:
        return None
    try:
        return check_document(origin["document"], where=str(folder / ORIGIN))
    except ConfigError:  # valid for the version that wrote it
        return None


def _is_comparable(one: Config, other: Config) -> bool:
    return _measured(one) == _measured(other)


def _measured(config: Config) -> tuple[Any, ...]:
    """Return what a trial's values depend on, whatever its sample is."""
    objectives = ((each.metric, each.direction) for each in config.search_section().objective)
    return (config.train.epochs, *objectives)


def _within(space: Space, folder: Path, document: Config) -> Iterator[EarlierTrial]:
    complete = [each for each in read_trials(folder) if each.state == "complete" and each.values]
    for trial in complete[-MOST:]:
        params = _params(trial, document, space)
        if space.keys() <= params.keys():
            yield EarlierTrial(f"{folder.name}/{trial.number}", params, trial.values)


def _params(trial: TrialRecord, document: Config, space: Space) -> dict[str, Any]:
    return params_of(apply_sample(document, trial.sample), space)
