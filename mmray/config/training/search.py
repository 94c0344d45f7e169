"""The search section: objectives, budget, sampler, early stopping, and the space."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import HintedError, StrictModel, or_kind
from mmray.config.training.space import ChoiceSpace, IntSpace, SpaceConfig
from mmray.config.training.train import ObjectiveConfig

TRIALS = 24
"""Number of trials where the document names neither a number nor minutes."""
ASKED = {"trials", "minutes", "confirm", "ensemble"}
"""Settings that say when a search is complete. A command that changes one continues the search."""
BUDGET = {*ASKED, "concurrent", "workers", "warm_start"}
"""Settings that make no other search."""
MOVED = {"grace_epochs": "grace_epochs: 2", "reduction": "reduction: 3"}


class AshaStopConfig(StrictModel):
    """Of the trials that reach a rung, the best continue (ASHA, Li et al. 2018)."""

    kind: Literal["asha"] = "asha"
    grace_epochs: PositiveInt = 2
    """No trial is stopped before this many epochs."""
    reduction: int = Field(default=3, ge=2)
    """Of this many trials at a rung, one continues."""


class HyperbandStopConfig(StrictModel):
    """ASHA in several brackets, whose first rungs lie at different epochs (Li et al. 2017).

    With ``sampler: tpe`` it is close to BOHB (Falkner 2018), which has a model for each rung.
    """

    kind: Literal["hyperband"] = "hyperband"
    grace_epochs: PositiveInt = 1
    """No trial is stopped before this many epochs."""
    reduction: int = Field(default=3, ge=2)
    """Of this many trials at a rung, one continues."""
    brackets: int = Field(default=3, ge=2)
    """Number of brackets; each later one stops its trials later."""


class MedianStopConfig(StrictModel):
    """A trial is stopped that is worse than the median of the earlier ones (Golovin 2017)."""

    kind: Literal["median"] = "median"
    grace_epochs: PositiveInt = 2
    """No trial is stopped before this many epochs."""
    trials: PositiveInt = 3
    """No trial is stopped before this many others can be compared."""


class NoStopConfig(StrictModel):
    """Every trial trains all of its epochs."""

    kind: Literal["none"] = "none"


StopConfig = Annotated[
    AshaStopConfig | HyperbandStopConfig | MedianStopConfig | NoStopConfig,
    Field(discriminator="kind"),
    or_kind("asha"),
]


class ConfirmConfig(StrictModel):
    """The best trials are trained again with further seeds; the mean over seeds decides."""

    top: PositiveInt = 3
    """Number of trials that are trained again; so is the document itself."""
    seeds: PositiveInt = 2
    """Number of further seeds for each."""


def _as_tuple(objective: Any) -> Any:  # noqa: ANN401 (raw YAML)
    return (objective,) if isinstance(objective, dict | ObjectiveConfig) else objective


def _canonical(sampler: Any) -> Any:  # noqa: ANN401 (raw YAML)
    return "tpe" if sampler == "optuna" else sampler


Objectives = Annotated[
    tuple[ObjectiveConfig, ...],
    BeforeValidator(
        _as_tuple, json_schema_input_type=ObjectiveConfig | tuple[ObjectiveConfig, ...]
    ),
]
SamplerName = Literal["tpe", "gp", "cmaes", "nsga2", "random", "grid"]


class SearchConfig(StrictModel):
    """A search for a better document: which keys vary, how trials are drawn, when they stop."""

    objective: Objectives = ()
    """The metric that the search optimises, or a list of several. Besides the metrics of training
    there are ``parameters`` and ``latency_ms``. By default the main metric of the first task."""
    trials: PositiveInt | None = None
    """Number of trials at most. By default 24, or as many as fit into ``minutes``."""
    minutes: PositiveFloat | None = None
    """No trial starts after this many minutes; those that run are stopped. No limit by default."""
    preset: Literal["quick", "thorough"] | None = None
    """A space that follows from the document: its features, samples and tasks. By default
    ``quick`` where there is no ``space``; with both, keys of ``space`` replace the preset's."""
    sampler: Annotated[
        SamplerName,
        BeforeValidator(_canonical, json_schema_input_type=SamplerName | Literal["optuna"]),
    ] = "tpe"
    """How the next trial is drawn: from earlier ones (``tpe``, ``gp``, ``cmaes``, ``nsga2``), at
    random, or in order from a ``grid``. ``optuna`` is another name of ``tpe``."""
    stop: StopConfig = AshaStopConfig()
    """How bad trials are stopped early."""
    concurrent: PositiveInt | Literal["auto"] = "auto"
    """Trials at the same time; ``auto`` follows from the cluster's size."""
    workers: PositiveInt | Literal["auto"] = "auto"
    """Workers of each trial. ``auto``: one, so that trials train side by side; with
    ``train.parallel: fsdp``, those of ``train.workers``."""
    seed: int = 0
    """Seed of the sampler."""
    folds: int | None = Field(default=None, ge=2)
    """Score each trial by cross-validation over train and val, with this many folds; groups of
    ``data.split.group`` stay together. Nothing is stopped early then."""
    confirm: ConfirmConfig | None = ConfirmConfig()
    """Train the best trials again with further seeds before one is named; null does not."""
    warm_start: bool = True
    """Let the results of earlier searches in this workspace, over the same corpus and features,
    guide the sampler."""
    ensemble: int | None = Field(default=None, ge=2)
    """Members at most of a greedy ensemble of the trials (Caruana 2004); none by default."""
    space: dict[str, SpaceConfig] = Field(default_factory=dict[str, SpaceConfig])
    """Dotted key of the document -> distribution; without it, a preset decides."""

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON, what makes another search when it changes."""
        return self.model_dump(mode="json", exclude=BUDGET)

    def asked(self) -> dict[str, Any]:
        """Return, as plain JSON, what must be done until the search is complete."""
        return self.model_dump(mode="json", include=ASKED)

    @model_validator(mode="before")
    @classmethod
    def _moved_keys(cls, section: Any) -> Any:  # noqa: ANN401 (raw YAML)
        for key, setting in MOVED.items():
            if isinstance(section, dict) and key in section:
                raise HintedError(
                    f"{key!r} belongs to the section 'stop'",
                    hint=f"write 'search.stop: {{kind: asha, {setting}}}'",
                )
        return section

    @model_validator(mode="before")
    @classmethod
    def _a_budget(cls, section: Any) -> Any:  # noqa: ANN401 (raw YAML)
        if isinstance(section, dict) and not (section.keys() & {"trials", "minutes"}):
            return section | {"trials": TRIALS}
        return section

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.trials is None and self.minutes is None:
            raise HintedError("a search needs an end", hint="set 'trials', 'minutes' or both")
        return self

    @model_validator(mode="after")
    def _grid_has_values(self) -> Self:
        for key, space in self.space.items() if self.sampler == "grid" else ():
            if not isinstance(space, ChoiceSpace | IntSpace):
                raise HintedError(
                    f"a grid needs single values, and {key!r} has bounds",
                    hint=f"write 'search.space.{key}: {{choice: [...]}}', or another sampler",
                )
        return self
