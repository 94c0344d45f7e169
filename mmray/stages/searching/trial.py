"""A trial: the document with a sample of the search's space applied, and its training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.load import check_document, replace_key, resolved
from mmray.config.training.search import SearchConfig
from mmray.config.training.space import ChoiceSpace
from mmray.core.fingerprint import fingerprint
from mmray.errors import ConfigError
from mmray.run.training_job import TrainingJob

SEARCHABLE = ("model", "train", "tasks")


def check_space(config: Config, search: SearchConfig) -> None:
    """Refuse keys that would need other features, and samples that give no valid document."""
    for key, space in search.space.items():
        first, *rest = key.split(".")
        is_encoder = first == "modalities" and len(rest) > 1 and rest[1] == "encode"
        if first not in SEARCHABLE and not is_encoder:
            raise ConfigError(
                f"{key!r} cannot be searched: all trials share the data and the features",
                where=f"search.space.{key}",
                hint="search keys under model, train, tasks or modalities.<name>.encode",
            )
        options = list(space.choice) if isinstance(space, ChoiceSpace) else _bounds(space)
        for option in options:
            apply_sample(config, {key: option})


def apply_sample(config: Config, sample: Mapping[str, Any]) -> Config:
    """Return the document with a sample applied, as overrides are; named sections expand."""
    assert config.search is not None  # run has checked
    document = resolved(config)
    for key, value in sample.items():
        space = config.search.space[key]
        if isinstance(space, ChoiceSpace) and isinstance(space.choice, dict):
            value = space.choice[value]
        document = replace_key(document, key, value)
    return check_document(document, where="search.space")


def plan_trial(
    sample: Mapping[str, Any],
    *,
    config: Config,
    manifest: str,
    features: dict[str, str],
    folder: str,
) -> TrainingJob:
    """Return the training of one trial; equal samples have the same folder."""
    trial = apply_sample(config, sample)
    return TrainingJob(
        name=shown_sample(sample),
        config=trial,
        manifest=manifest,
        features=features,
        seed=trial.train.seed,
        folder=str(trial_folder(Path(folder), sample)),
    )


def trial_folder(folder: Path, sample: Mapping[str, Any]) -> Path:
    """Return the folder of a trial, in that of its search."""
    return folder / "trials" / fingerprint(dict(sample))


def trial_name(number: int, sample: Mapping[str, Any]) -> str:
    """Return a readable name, for example ``trial 03: lr=0.001, fusion=gated``."""
    return f"trial {number:02d}: {shown_sample(sample)}"


def shown_sample(sample: Mapping[str, Any]) -> str:
    """Name each key without its section: ``lr=0.001, fusion=gated, audio.encode=mlp``."""
    return ", ".join(
        f"{key.split('.', 1)[-1]}={shown_value(value)}" for key, value in sample.items()
    )


def shown_value(value: object) -> str:
    """Write a value as people read it: a float with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bounds(space: Any) -> list[float]:  # noqa: ANN401
    return list(next(iter(space.model_dump().values())))
