"""Architecture and hyper-parameter search: dotted keys of the document and their choices."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PositiveInt, Tag, model_validator

from mmray.config.base import StrictModel
from mmray.config.training.train import ObjectiveConfig


def _check_order(name: str, bounds: tuple[float, float]) -> None:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{name} needs the lower bound first, not {list(bounds)}")


class UniformSpace(StrictModel):
    """A number between two bounds."""

    uniform: tuple[float, float]
    """Lowest and highest number."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order("uniform", self.uniform)
        return self


class LogUniformSpace(StrictModel):
    """A number between two positive bounds, evenly over its logarithm."""

    loguniform: tuple[float, float]
    """Lowest and highest number; all orders of magnitude are equally likely."""

    @model_validator(mode="after")
    def _ordered_and_positive(self) -> Self:
        _check_order("loguniform", self.loguniform)
        if min(self.loguniform) <= 0:
            raise ValueError(f"loguniform needs positive bounds, not {list(self.loguniform)}")
        return self


class IntSpace(StrictModel):
    """An integer, both bounds included."""

    int: tuple[int, int]
    """Lowest and highest integer, both included."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order("int", self.int)
        return self


class ChoiceSpace(BaseModel):
    """One of a list of values, or one of several *named* sections of the document."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    choice: list[Any] | dict[str, Any] = Field(min_length=1)
    """The values, or named sections, to choose from."""


def _space_tag(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1:
        return str(next(iter(value)))
    if isinstance(value, BaseModel):
        return next(iter(type(value).model_fields))
    return "choice"


SpaceConfig = Annotated[
    Annotated[UniformSpace, Tag("uniform")]
    | Annotated[LogUniformSpace, Tag("loguniform")]
    | Annotated[IntSpace, Tag("int")]
    | Annotated[ChoiceSpace, Tag("choice")],
    Discriminator(_space_tag),
]


class SearchConfig(StrictModel):
    """A Ray Tune experiment; bad trials are stopped early (ASHA, Li et al. 2018)."""

    objective: ObjectiveConfig = ObjectiveConfig()
    """The metric that the search optimises."""
    trials: PositiveInt = 16
    """Number of trials."""
    concurrent: PositiveInt | Literal["auto"] = "auto"
    """Trials at the same time; ``auto`` follows from the cluster's size."""
    sampler: Literal["random", "optuna"] = "random"
    """How the next trial is chosen: at random, or by Optuna from earlier trials."""
    grace_epochs: PositiveInt = 2
    """No trial is stopped before this many epochs."""
    reduction: PositiveInt = 3
    """Of this many trials at a rung, one continues."""
    seed: int = 0
    """Seed of the sampler."""
    space: dict[str, SpaceConfig] = Field(min_length=1)
    """Dotted key of the document -> distribution."""
