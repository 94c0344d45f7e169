"""The document: all settings of one workflow."""

import os
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from mmray.config.base import StrictModel
from mmray.config.data import DataConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.model.model import AUXILIARY, FilmFusionConfig, ModelConfig
from mmray.config.task.kind import balanced_task, independent, kind_of
from mmray.config.task.task import TaskConfig
from mmray.config.training.balance import GradientBlendingConfig, MmParetoConfig, NoBalanceConfig
from mmray.config.training.objective import (
    check_alone,
    check_objectives,
    default_objective,
    with_own_directions,
)
from mmray.config.training.search import SearchConfig
from mmray.config.training.train import TrainConfig
from mmray.core.kind import Kind, axis_order


class EvaluationConfig(StrictModel):
    """How the model is evaluated on the test split."""

    alone: bool = True
    """Also train each modality alone with the same budget, to see what fusion adds."""
    seeds: PositiveInt = 1
    """Number of trainings of the fusion and of each modality alone; figures are their mean."""
    confidence: PositiveFloat = Field(default=0.95, lt=1.0)
    """Level of all intervals."""
    resamples: PositiveInt = 1000
    """Number of resamples of a bootstrap interval."""


class ModalityResources(StrictModel):
    """Resources for one modality; what is absent is planned from the cluster's size."""

    actors: PositiveInt | None = None
    """Number of processes with an extractor each."""
    cpus: PositiveFloat | None = None
    """Per actor, its decoding processes included; also the number of threads of its network."""
    gpus: NonNegativeFloat | None = None
    """GPUs per actor; 0.5 puts two actors on one GPU."""
    decoders: PositiveInt | None = None
    """Number of decoding processes per actor."""
    memory_gib: PositiveFloat | None = None
    """Memory per actor, reserved on the cluster."""


class Runtime(StrictModel):
    """Settings of every runtime."""

    resources: dict[str, ModalityResources] = Field(default_factory=dict[str, ModalityResources])
    """Resources by modality, where they replace the plan that mmray makes."""


class LocalRuntime(Runtime):
    """One machine."""

    mode: Literal["local"] = "local"
    cpus: PositiveInt | None = None
    """Cores that Ray may use; all of them by default."""


class ClusterRuntime(Runtime):
    """An existing Ray cluster."""

    mode: Literal["cluster"] = "cluster"
    address: str = "auto"
    """``auto`` inside a job or on a node of the cluster; else ``host:6379``."""


class TrackingConfig(StrictModel):
    """MLflow."""

    uri: str | None = None
    """Store or server. By default ``MLFLOW_TRACKING_URI``, else SQLite in the workspace."""
    experiment: str | None = None
    """Name of the experiment; by default the document's name."""
    register_as: str | None = Field(default=None, alias="register")
    """Name under which the model bundle is registered; not registered by default."""


def _any_kind(schema: dict[str, Any]) -> None:
    """Let a section match several kinds: a modality named ``image`` may leave out its kind."""
    section = schema["additionalProperties"]
    section["anyOf"] = section.pop("oneOf")


class Config(StrictModel):
    """One complete workflow."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """Name of the workflow: letters, digits, ``_``, ``.`` and ``-``."""
    workspace: str = "mmray-work"
    """Folder for everything that is written; shared by all nodes on a cluster. ``~`` is your home
    folder."""
    data: DataConfig
    """The manifest, its split, and what its references may point to."""
    modalities: dict[str, ModalityConfig] = Field(min_length=1, json_schema_extra=_any_kind)
    """Inputs by name: how each is read, extracted and encoded."""
    tasks: dict[str, TaskConfig] = Field(min_length=1)
    """What the model predicts, by name; several are trained together."""
    model: ModelConfig = ModelConfig()
    """The fusion, its width and dropout."""
    train: TrainConfig = TrainConfig()
    """Optimisation."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation on the test split."""
    search: SearchConfig | None = None
    """A search over keys of this document. Without it, ``mmray search`` has its defaults."""
    runtime: LocalRuntime | ClusterRuntime = Field(default=LocalRuntime(), discriminator="mode")
    """One machine, or a Ray cluster."""
    tracking: TrackingConfig = TrackingConfig()
    """The MLflow store, experiment and registered model."""
    seed: NonNegativeInt | None = None
    """Shorthand: replaces ``train.seed``."""

    @field_validator("workspace")
    @classmethod
    def _workspace_is_a_path(cls, workspace: str) -> str:
        """Expand ``~``, and refuse characters that a tracking URI would misread."""
        path = os.path.expanduser(workspace)  # noqa: PTH111 (a Path raises where there is no home)
        wrong = next((c for c in path if c in "%?#" or not c.isprintable()), None)
        if wrong is not None:
            raise ValueError(f"a workspace cannot have {wrong!r} in its path: rename the folder")
        if path.startswith("~"):
            raise ValueError("there is no such home folder")
        return path

    @model_validator(mode="before")
    @classmethod
    def _kinds_from_names(cls, document: Any) -> Any:  # noqa: ANN401 (raw YAML)
        """Let a modality named ``text`` be of kind text by default."""
        modalities = document.get("modalities") if isinstance(document, dict) else None
        if not isinstance(modalities, dict):
            return document
        named = {
            name: {"kind": name} | section
            if isinstance(section, dict) and name in set(Kind)
            else section
            for name, section in modalities.items()
        }
        return document | {"modalities": named}

    @model_validator(mode="before")
    @classmethod
    def _directions_of_own_metrics(cls, document: Any) -> Any:  # noqa: ANN401 (raw YAML)
        """Let an objective be a metric of a custom task, which declares its direction."""
        return with_own_directions(document) if isinstance(document, dict) else document

    @model_validator(mode="after")
    def _no_clashing_names(self) -> Self:
        for name in (*self.modalities, *self.tasks):
            if not name.isidentifier():
                raise ValueError(f"{name!r} is not a name: use letters, digits and underscores")
        if "fusion" in self.modalities and len(self.modalities) > 1:
            raise ValueError("'fusion' is the name of the joint model: rename this modality")
        return self

    @model_validator(mode="after")
    def _conditioned_is_a_modality(self) -> Self:
        fusion = self.model.fusion
        if isinstance(fusion, FilmFusionConfig) and fusion.conditioned not in (
            None,
            *self.modalities,
        ):
            raise ValueError(
                f"model.fusion.conditioned ({fusion.conditioned!r}) is not one of the modalities: "
                f"{', '.join(self.modalities)}"
            )
        return self

    @model_validator(mode="after")
    def _alignment_has_two_modalities(self) -> Self:
        for name, task in self.tasks.items():
            if kind_of(task).compares_modalities and len(self.modalities) < 2:
                raise ValueError(f"tasks.{name}: an alignment needs two or more modalities")
        return self

    @model_validator(mode="after")
    def _training_fits_the_tasks(self) -> Self:
        if self.train.sampling == "balanced":
            balanced_task(self.tasks, self.train.sampling_task)
        for name, task in self.tasks.items():
            if self.train.accumulate > 1 and kind_of(task).compares_modalities:
                raise ValueError(
                    f"train.accumulate would change the loss of {name!r}: an alignment compares "
                    "the samples of a complete batch"
                )
        return self

    @model_validator(mode="after")
    def _objectives_are_metrics(self) -> Self:
        check_objectives(self.tasks, self.modality_order(), self.train, self.search)
        if self.trains_alone:
            check_alone(self.tasks_of(1), self.modality_order(), self.train)
        return self

    @model_validator(mode="after")
    def _resources_of_what_is_there(self) -> Self:
        unknown = sorted(set(self.runtime.resources) - set(self.modalities))
        if unknown:
            raise ValueError(
                f"runtime.resources names {unknown[0]!r}, which is no modality; "
                f"there are {', '.join(self.modalities)}"
            )
        return self

    @model_validator(mode="after")
    def _balance_fits(self) -> Self:
        balance = self.train.balance
        if isinstance(balance, NoBalanceConfig):
            return self
        if not self.tasks_of(1):
            raise ValueError(
                f"train.balance ({balance.kind}) compares what each modality predicts alone; an "
                "alignment has no such prediction: add another task, or remove it"
            )
        weight = self.model.auxiliary
        if self._balance_weighs_losses and weight not in (0.0, AUXILIARY):
            raise ValueError(
                f"train.balance ({balance.kind}) weighs the losses of each modality alone itself: "
                f"set model.auxiliary ({weight:g}) to 0, or leave it out"
            )
        return self

    def tasks_of(self, modalities: int) -> dict[str, TaskConfig]:
        """Return the tasks of a model of so many modalities: one alone has nothing to align."""
        return dict(self.tasks) if modalities > 1 else independent(self.tasks)

    @property
    def trains_alone(self) -> bool:
        """Whether each modality is also trained alone, to see what fusion adds."""
        return self.evaluation.alone and len(self.modalities) > 1 and bool(self.tasks_of(1))

    def search_section(self) -> SearchConfig:
        """Return the settings of a search of this document, with at least one objective."""
        search = self.search or SearchConfig()
        if search.objective:
            return search
        return search.model_copy(update={"objective": (default_objective(self.tasks),)})

    @property
    def auxiliary(self) -> float:
        """The weight of the loss of each modality alone, where a model has such losses."""
        has_losses = len(self.modalities) > 1 and bool(self.tasks_of(1))
        return self.model.auxiliary if has_losses and not self._balance_weighs_losses else 0.0

    @property
    def _balance_weighs_losses(self) -> bool:
        return isinstance(self.train.balance, GradientBlendingConfig | MmParetoConfig)

    def modality_order(self) -> tuple[str, ...]:
        """Return the modality names along the M axis."""
        return axis_order({name: Kind(config.kind) for name, config in self.modalities.items()})
