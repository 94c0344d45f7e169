"""The workspace: where stages write, and how later stages find it."""

import logging
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.training.search import SearchConfig
from mmray.core.file.atomic import read_success
from mmray.core.fingerprint import fingerprint
from mmray.core.process.lock import WORKSPACE_LOCK, Holder, locked
from mmray.core.report import Report
from mmray.data.manifest.manifest import Manifest, read_manifest
from mmray.errors import ConfigError, ExtractionError, ManifestError, TrainingError
from mmray.run.feature_folder import FeatureFolder, open_features
from mmray.stages.corpus import Corpus
from mmray.stages.extraction.target import FeatureTarget, find_target, is_up_to_date
from mmray.stages.marker import finish, require_success
from mmray.stages.training.fingerprint import train_fingerprint
from mmray.stages.training.workers import TrainingWorkers

logger = logging.getLogger(__name__)
MANIFEST = "manifest.parquet"
MODEL = "model"
REPORT = "report.json"
READ_FROM_LABELS = {"kind", "column", "classes", "positive", "separator", "labels"}
NOT_IN_PREPARED = {
    "manifest",  # its content counts, and not where it lies
    "max_rejected_fraction",
    "max_payload_bytes",
    "max_read_s",
    "max_decode_s",
    "remote_version",
    "refit",
}
WRITTEN_BY = {
    "prepare": ("prepared", "extracted", "training_folder", "trained"),
    "extract": ("extracted", "training_folder", "trained"),
    "train": ("trained",),
}
"""Parts that depend on a stage's output are opened again after the stage has run."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The output of the prepare stage."""

    folder: Path
    manifest: Manifest
    report: dict[str, Any]

    @property
    def path(self) -> Path:
        """The manifest's file."""
        return self.folder / MANIFEST


@dataclass(frozen=True, slots=True)
class Extracted:
    """The output of the extract stage."""

    mark: str
    """Its fingerprint."""
    features: dict[str, FeatureFolder]
    """In M-axis order."""
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trained:
    """The output of the train stage."""

    folder: Path
    report: dict[str, Any]


class Workspace:
    """A document's workspace, as one command sees it.

    Every part is opened on first use, and again after a stage of this command has written it. A
    part that is not complete is an error that names the stage to run.
    """

    def __init__(
        self,
        config: Config,
        corpus: Corpus | None = None,
        workers: TrainingWorkers | None = None,
    ) -> None:
        self.config = config
        self.corpus = corpus or Corpus(config.data)
        self.workers = workers or TrainingWorkers()
        self._others: dict[str, Workspace] = {}

    def of(self, config: Config) -> "Workspace":
        """Return the workspace for another document; both share the corpus and the workers."""
        key = config.model_dump_json()
        if key not in self._others:
            corpus = self.corpus if config.data == self.config.data else None
            self._others[key] = Workspace(config, corpus, self.workers)
        return self._others[key]

    @property
    def folder(self) -> Path:
        """The folder that holds everything."""
        return Path(self.config.workspace)

    def stage_folder(self, stage: str, mark: str) -> Path:
        """Return the folder of one stage's output, named by its fingerprint."""
        return self.folder / stage / mark

    @cached_property
    def prepared_folder(self) -> Path:
        """The folder for this document and the manifest's present content, complete or not."""
        config = self.config
        tasks = {
            name: task.model_dump(mode="json", include=READ_FROM_LABELS)
            for name, task in config.tasks.items()
        }
        columns = {name: modality.payload_settings for name, modality in config.modalities.items()}
        data = config.data.model_dump(mode="json", exclude=NOT_IN_PREPARED)
        mark = fingerprint(data, columns, tasks, self.corpus.digest)
        return self.stage_folder("prepare", mark)

    @cached_property
    def key(self) -> str:
        """The key of the workflow in the tracking store: its document and corpus.

        The budget of a search is no part of it: a search that continues keeps its run.
        """
        search = self.config.search
        document = self.config.model_dump(mode="json", exclude={"runtime", "tracking", "search"})
        document["search"] = _identity(search) if search else None
        return fingerprint(document, self.prepared_folder.name)

    @cached_property
    def prepared(self) -> Prepared:
        """The manifest in normal form; its corpus may have moved since it was written."""
        folder = self.prepared_folder
        success = require_success(folder, stage="prepare", error=ManifestError)
        manifest = replace(read_manifest(folder / MANIFEST), folder=self.corpus.folder)
        return Prepared(folder, manifest, success["report"])

    def target(self, name: str, manifest: Manifest, *, refit: bool = False) -> FeatureTarget:
        """Return the target of a modality's features; changes nothing."""
        prepared = self.prepared_folder.name
        keys = self.corpus.versions(name, self.config.modalities[name], manifest, prepared=prepared)
        return find_target(name, self.config, manifest, keys, refit=refit)

    def extract_folder(self, marks: dict[str, str]) -> Path:
        """Return the extract stage's folder; ``marks`` name each modality's features."""
        return self.stage_folder("extract", fingerprint(self.prepared_folder.name, marks))

    @cached_property
    def extracted(self) -> Extracted:
        """The features of every modality, from the payloads as they are now."""
        config, manifest = self.config, self.prepared.manifest
        self.corpus.recall_remote(self.folder)
        targets = {name: self.target(name, manifest) for name in config.modality_order()}
        folder = self.extract_folder({name: target.mark for name, target in targets.items()})
        success = require_success(folder, stage="extract", error=ExtractionError)
        features: dict[str, FeatureFolder] = {}
        for name, target in targets.items():
            assert target.folder is not None  # or the stage would not be complete
            if not is_up_to_date(config, target, read_success(target.folder)):
                raise ExtractionError(
                    f"the features of {name!r} are incomplete, or were made from other samples",
                    where=str(target.folder),
                    hint="run 'mmray extract CONFIG' again; it computes only what is missing",
                )
            features[name] = open_features(target.folder)
        return Extracted(folder.name, features, success["report"])

    @cached_property
    def training_folder(self) -> Path:
        """The train stage's folder for this document and these features, complete or not."""
        return self.stage_folder("train", train_fingerprint(self.config, self.extracted.mark))

    @cached_property
    def trained(self) -> Trained:
        """The trained fusion."""
        success = require_success(self.training_folder, stage="train", error=TrainingError)
        return Trained(self.training_folder, success["report"])

    def finish(self, report: Report, *, files: Iterable[str] = ()) -> Report:
        """Write a stage's completion marker; its content is opened again afterwards."""
        finish(Path(report.folder), report, self.config, files=files)
        self.open_again(report.stage)
        return report

    def open_again(self, stage: str) -> None:
        """Forget opened output of a stage, and what depends on it."""
        for part in WRITTEN_BY.get(stage, ()):
            self.__dict__.pop(part, None)
        self._others.clear()


def _identity(search: SearchConfig) -> dict[str, Any] | None:
    """Return the settings of a search; None where it has those of a document without a search."""
    settings = search.identity()
    return None if settings == SearchConfig().identity() else settings


@contextmanager
def working_in(config: Config) -> Generator[None]:
    """Create the workspace, and lock it against other commands during the block.

    A second command names the one it waits for. Commands that only read need no lock.
    """
    folder = Path(config.workspace)

    def say(holder: Holder | None) -> None:
        who = holder.describe() if holder else "another command"
        logger.warning("waiting: the workspace %s is in use by %s", folder, who)

    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder / WORKSPACE_LOCK, on_wait=say))
        except OSError as error:
            raise ConfigError(
                f"the workspace cannot be used: {error.strerror}",
                where=f"workspace: {folder}",
                hint="'workspace' names a folder in which you may write; it is created if needed",
            ) from None
        yield
