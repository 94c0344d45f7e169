"""What a trial may be: parameters, drawn one after the other, some only where a branch is chosen.

A parameter has the name of its key, ``train.lr``. The parameter of named sections has a branch as
its value; what is drawn inside of the branch is named after it: ``model.fusion.bottleneck.tokens``.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from mmray.config.training.space import (
    ChoiceSpace,
    IntSpace,
    LogUniformSpace,
    SpaceConfig,
    UniformSpace,
)
from mmray.search.record import Sample

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

Space = Mapping[str, SpaceConfig]
Choose = Callable[[str, SpaceConfig], Any]
"""Returns the value of a parameter, by its name and distribution."""


def suggest(trial: "Trial", space: Space) -> Sample:
    """Draw a sample with Optuna's trial."""
    return draw(space, partial(_suggest, trial))


def draw(space: Space, choose: Choose) -> dict[str, Any]:
    """Return a sample whose values ``choose`` has chosen, each after the branch that it is in."""
    sample: dict[str, Any] = {}
    for name, distribution in space.items():
        _draw(name, distribution, choose, sample)
    return sample


def _draw(name: str, distribution: SpaceConfig, choose: Choose, sample: dict[str, Any]) -> None:
    sample[name] = choose(name, distribution)
    for inner, nested in inside(name, distribution, sample[name]).items():
        _draw(inner, nested, choose, sample)


def inside(name: str, distribution: SpaceConfig, value: Any) -> dict[str, SpaceConfig]:  # noqa: ANN401
    """Return the parameters inside of the branch that ``value`` names, if it names one."""
    if not isinstance(distribution, ChoiceSpace) or value not in distribution.branches():
        return {}
    return {f"{name}.{value}.{key}": one for key, one in distribution.nested(value).items()}


def options_of(choice: ChoiceSpace) -> dict[Any, Any]:
    """Return the values that a choice draws from; a list or a section is drawn as its JSON."""
    if isinstance(choice.choice, dict):
        return choice.choice
    return {_drawn(option): option for option in choice.choice}


def _drawn(option: Any) -> Any:  # noqa: ANN401 (any value of YAML)
    return json.dumps(option) if isinstance(option, list | dict) else option


def parameters(space: Space) -> dict[str, SpaceConfig]:
    """Return all parameters with their distributions, also those inside of branches."""
    return {
        name: distribution
        for key, one in space.items()
        for name, distribution in _with_inner(key, one)
    }


def _with_inner(name: str, distribution: SpaceConfig) -> Iterator[tuple[str, SpaceConfig]]:
    yield name, distribution
    branches = distribution.branches() if isinstance(distribution, ChoiceSpace) else ()
    for branch in branches:
        for inner, nested in inside(name, distribution, branch).items():
            yield from _with_inner(inner, nested)


def contains(distribution: SpaceConfig, value: Any) -> bool:  # noqa: ANN401
    """Return whether a value can be drawn from a distribution."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match distribution:
        case ChoiceSpace():
            return any(
                value == one and type(value) is type(one) for one in options_of(distribution)
            )
        case IntSpace(int=(low, high)):
            return is_number and value == int(value) and low <= value <= high
        case UniformSpace(uniform=(low, high)) | LogUniformSpace(loguniform=(low, high)):
            return is_number and low <= value <= high


def distributions_of(space: Space, sample: Sample) -> "dict[str, BaseDistribution]":
    """Return Optuna's distributions of the parameters of a sample."""
    known = parameters(space)
    return {name: _to_optuna(known[name]) for name in sample}


def grid(space: Space) -> list[Sample]:
    """Return all samples of a space that has no bounds but of integers, the last key fastest."""
    axes = [list(_values(name, distribution)) for name, distribution in space.items()]
    return [{k: v for part in parts for k, v in part.items()} for parts in product(*axes)]


def _values(name: str, distribution: SpaceConfig) -> Iterator[Sample]:
    match distribution:
        case ChoiceSpace():
            values = list(options_of(distribution))
        case IntSpace(int=(low, high)):
            values = list(range(low, high + 1))
        case _:
            raise AssertionError(f"a grid has no {distribution}")  # the section is checked
    for value in values:
        for inner in grid(inside(name, distribution, value)):
            yield {name: value, **inner}


def _suggest(trial: "Trial", name: str, distribution: SpaceConfig) -> Any:  # noqa: ANN401
    match distribution:
        case ChoiceSpace():
            return trial.suggest_categorical(name, list(options_of(distribution)))
        case IntSpace(int=(low, high)):
            return trial.suggest_int(name, low, high)
        case UniformSpace(uniform=(low, high)):
            return trial.suggest_float(name, low, high)
        case LogUniformSpace(loguniform=(low, high)):
            return trial.suggest_float(name, low, high, log=True)


def _to_optuna(distribution: SpaceConfig) -> "BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match distribution:
        case ChoiceSpace():
            return CategoricalDistribution(list(options_of(distribution)))
        case IntSpace(int=(low, high)):
            return IntDistribution(low, high)
        case UniformSpace(uniform=(low, high)):
            return FloatDistribution(low, high)
        case LogUniformSpace(loguniform=(low, high)):
            return FloatDistribution(low, high, log=True)
