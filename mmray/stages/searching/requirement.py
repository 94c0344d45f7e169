"""What folds and an ensemble need; asked before any trial runs."""

from mmray.config.document import Config
from mmray.config.task.kind import kind_of
from mmray.config.task.task import CustomTaskConfig
from mmray.data.manifest.manifest import Manifest
from mmray.data.split.folds import fold_manifest
from mmray.errors import ConfigError, ManifestError


def check_requirements(config: Config, manifest: Manifest) -> None:
    """Refuse folds that cannot be made, and an ensemble whose predictions have no mean."""
    search = config.search_section()
    if search.folds is not None:
        _check_folds(search.folds, config, manifest)
    if search.ensemble is not None:
        _check_ensemble(config)


def _check_folds(folds: int, config: Config, manifest: Manifest) -> None:
    if config.data.split.group is not None and manifest.groups is None:
        raise ManifestError(
            "the prepared manifest does not say which samples belong together: an earlier mmray "
            "wrote it",
            where="search.folds",
            hint="remove the workspace's folder 'prepare', and run 'mmray prepare CONFIG'",
        )
    fold_manifest(manifest, 0, folds)


def _check_ensemble(config: Config) -> None:
    if config.search_section().folds is not None:
        raise ConfigError(
            "'search.ensemble' needs one model per trial, and 'search.folds' trains several of "
            "parts of the samples",
            where="search.ensemble",
            hint="remove 'ensemble' or 'folds'",
        )
    for name, task in config.tasks.items():
        if kind_of(task).answer == "embeddings" or isinstance(task, CustomTaskConfig):
            raise ConfigError(
                f"'search.ensemble' cannot average what models predict for task {name!r}, which "
                f"is of kind {task.kind!r}",
                where="search.ensemble",
                hint="remove 'ensemble', or the task",
            )
