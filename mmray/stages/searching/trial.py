"""A trial: the document with a sample of the search's space applied, and its training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.fingerprint import fingerprint
from mmray.run.training_job import TrainingJob
from mmray.search.features import FeatureFolders
from mmray.search.sample import apply_sample, shown_sample

LONGEST = 100
"""Characters of a sample in the name of its trial; all of it is in the run's settings."""


def plan_trial(
    sample: Mapping[str, Any],
    *,
    config: Config,
    manifest: str,
    features: FeatureFolders,
    folder: str,
) -> TrainingJob:
    """Return the training of one trial; equal samples have the same folder."""
    trial = apply_sample(config, sample)
    return TrainingJob(
        name=shown_sample(sample),
        config=trial,
        manifest=manifest,
        features=features.of(trial),
        seed=trial.train.seed,
        folder=str(trial_folder(Path(folder), sample)),
        folds=config.search_section().folds,
    )


def trial_folder(folder: Path, sample: Mapping[str, Any]) -> Path:
    """Return the folder of a trial, in that of its search."""
    return folder / "trials" / fingerprint(dict(sample))


def trial_name(number: int, sample: Mapping[str, Any]) -> str:
    """Return a readable name, for example ``trial 03: lr=0.001, fusion=gated``; cut if long."""
    text = shown_sample(sample)
    if len(text) > LONGEST:
        cut = text[:LONGEST]
        text = f"{cut.rpartition(', ')[0] or cut}, ..."
    return f"trial {number:02d}: {text}"
