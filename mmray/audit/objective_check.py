"""Whether the splits have the labels that the document's objectives need."""

from mmray.config.document import Config
from mmray.config.task.task import TaskConfig
from mmray.config.training.epoch_metric import metric_names
from mmray.config.training.objective import objectives_of
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ConfigError


def check_measured(config: Config, manifest: Manifest) -> None:
    """Refuse an objective that no epoch can report with these labels and splits."""
    if Split.VAL not in manifest.splits:
        return  # epochs are evaluated on train, which has labels
    tasks = {name: task for name, task in config.tasks.items() if _in_val(name, task, manifest)}
    names = metric_names(tasks, config.modality_order(), config.train) if tasks else set[str]()
    for key, objective in objectives_of(config.train, config.search):
        if objective.metric in names:
            continue
        if objective.metric.startswith("val/"):
            without = next(name for name in config.tasks if name not in tasks)
            raise ConfigError(
                f"{key}: there will be no {objective.metric!r}, because no sample of the val split "
                f"has a label for the task {without!r}",
                hint="see 'data.split'; a val share of 0 evaluates on the train split",
            )
        if objective.metric.removeprefix("train/") in {n.removeprefix("val/") for n in names}:
            raise ConfigError(
                f"{key}: epochs are evaluated on val, so there is no {objective.metric!r}",
                hint=f"did you mean 'val/{objective.metric.removeprefix('train/')}'?",
            )


def _in_val(name: str, task: TaskConfig, manifest: Manifest) -> bool:
    """Return whether val has a label of the task; without a column, samples are the labels."""
    if task.column is None:
        return True
    rows = zip(manifest.labels[name], manifest.splits, strict=True)
    return any(split == Split.VAL and label is not None for label, split in rows)
