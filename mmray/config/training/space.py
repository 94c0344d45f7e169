"""Distributions of a search: what a dotted key of the document may become."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from mmray.config.base import StrictModel


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
    """One of a list of values, or one of several *named* sections of the document.

    A value inside a named section may be a distribution itself: it is drawn where its section is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    choice: list[Any] | dict[str, Any] = Field(min_length=1)
    """The values, or named sections, to choose from."""

    @model_validator(mode="after")
    def _nested_distributions_are_valid(self) -> Self:
        for branch in self.branches():
            _ = self.nested(branch)
        return self

    def branches(self) -> list[str]:
        """Return the names of the sections; a list of values has none."""
        return list(self.choice) if isinstance(self.choice, dict) else []

    def section(self, branch: str) -> Any:  # noqa: ANN401 (a part of the document)
        """Return a named section as written, distributions included."""
        assert isinstance(self.choice, dict)
        return self.choice[branch]

    def nested(self, branch: str) -> "dict[str, SpaceConfig]":
        """Return the distributions inside a named section, by their dotted key in it."""
        return dict(_distributions(self.section(branch), branch))


DISTRIBUTIONS = ("uniform", "loguniform", "int", "choice")


def _distributions(
    section: object, above: str, key: str = ""
) -> "Iterator[tuple[str, SpaceConfig]]":
    """Yield what a section draws; ``above`` is the name of its branch, for the error."""
    if not isinstance(section, Mapping):
        return
    if key and len(section) == 1 and next(iter(section)) in DISTRIBUTIONS:
        try:
            yield key, _adapter().validate_python(section)
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"{above}.{key}: {problem}") from None
        return
    for name, value in section.items():
        yield from _distributions(value, above, f"{key}.{name}" if key else str(name))


def to_space(distribution: Mapping[str, Any]) -> "SpaceConfig":
    """Return a distribution from what the document writes."""
    return _adapter().validate_python(distribution)


@cache
def _adapter() -> "TypeAdapter[SpaceConfig]":
    return TypeAdapter(SpaceConfig)


def _space_tag(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1:
        return str(next(iter(value)))
    if isinstance(value, BaseModel):
        return next(iter(type(value).model_fields))
    return "choice"


SpaceConfig: TypeAlias = Annotated[
    Annotated[UniformSpace, Tag("uniform")]
    | Annotated[LogUniformSpace, Tag("loguniform")]
    | Annotated[IntSpace, Tag("int")]
    | Annotated[ChoiceSpace, Tag("choice")],
    Discriminator(_space_tag),
]
