"""Whether every sample of a space gives a valid document, before anything starts."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from mmray.config.document import Config
from mmray.config.training.space import (
    ChoiceSpace,
    IntSpace,
    LogUniformSpace,
    SpaceConfig,
    UniformSpace,
)
from mmray.errors import ConfigError
from mmray.search.features import is_of_features
from mmray.search.record import Sample
from mmray.search.sample import apply_sample, shown_sample
from mmray.search.space import Space, draw, inside, options_of, parameters

SEARCHABLE = ("model", "train", "tasks")
OF_MODALITY = ("encode", "augment")
COMBINATIONS = 64
"""Number of samples that are tried besides every branch and bound."""

Fits = Callable[[Config], None]
"""Refuses, as a ConfigError, a document whose model does not fit to its features."""


def check_space(config: Config, fits: Fits | None = None) -> None:
    """Refuse, as a ConfigError, keys that cannot be searched and samples that are not valid.

    Every branch and every bound is tried, among random values of the other keys; then a number of
    random samples. The error names the key and the sample.
    """
    space = config.search.space if config.search else {}
    _check_keys(space)
    rng = Random(0)
    for edge in _edges(space):
        key = next(iter(edge))
        _check(config, random_sample(space, rng, edge), f"search.space.{key}", fits)
    for _ in range(COMBINATIONS if len(space) > 1 else 0):
        _check(config, random_sample(space, rng), "search.space", fits)


def random_sample(space: Space, rng: Random, chosen: Sample | None = None) -> Sample:
    """Return a random sample, in which some values are ``chosen`` already."""
    known = chosen or {}
    return draw(space, lambda name, one: known[name] if name in known else _random(one, rng))


def _random(distribution: SpaceConfig, rng: Random) -> Any:  # noqa: ANN401
    match distribution:
        case ChoiceSpace():
            return rng.choice(list(options_of(distribution)))
        case IntSpace(int=(low, high)):
            return rng.randint(low, high)
        case UniformSpace(uniform=(low, high)) | LogUniformSpace(loguniform=(low, high)):
            return rng.uniform(low, high)


def _edges(space: Space, above: Sample | None = None) -> Iterator[dict[str, Any]]:
    """Yield every branch and bound, each with the branches that it lies in before it."""
    for name, distribution in space.items():
        for value in _ends(distribution):
            edge = {**(above or {}), name: value}
            yield edge
            yield from _edges(inside(name, distribution, value), edge)


def _ends(distribution: SpaceConfig) -> list[Any]:
    if isinstance(distribution, ChoiceSpace):
        return list(options_of(distribution))
    return list(next(iter(distribution.model_dump().values())))


def _check(config: Config, sample: Sample, where: str, fits: Fits | None) -> None:
    try:
        trial = apply_sample(config, sample)
        if fits is not None:
            fits(trial)
    except ConfigError as error:
        raise ConfigError(
            f"a trial would not be valid: {error.args[0]}; with {shown_sample(sample)}",
            where=where,
            hint=error.hint,
        ) from None


def _check_keys(space: Space) -> None:
    for key in space:
        first, *rest = key.split(".")
        of_modality = first == "modalities" and len(rest) > 1 and rest[1] in OF_MODALITY
        if first not in SEARCHABLE and not of_modality and not is_of_features(key):
            raise ConfigError(
                f"{key!r} cannot be searched: all trials share the data",
                where=f"search.space.{key}",
                hint="search keys under model, train, tasks, or encode, augment, extract, clean "
                "and decode of modalities.<name>",
            )
        if is_of_features(key):
            _check_choices(key, space[key])
        outer = next((other for other in space if key.startswith(f"{other}.")), None)
        if outer is not None:
            raise ConfigError(
                f"{key!r} lies in {outer!r}, which is searched as well",
                where=f"search.space.{key}",
                hint=f"write the distribution inside of the sections of 'search.space.{outer}'",
            )


def _check_choices(key: str, distribution: SpaceConfig) -> None:
    """Refuse bounds: each setting of an extractor is extracted before any trial runs."""
    for name, one in parameters({key: distribution}).items():
        if not isinstance(one, ChoiceSpace):
            raise ConfigError(
                f"{name!r} has bounds: each setting of features is extracted once, so there must "
                "be few",
                where=f"search.space.{key}",
                hint="write 'choice: [...]' instead",
            )
