"""A space in words, one line for each key."""

from collections.abc import Iterator

from mmray.config.training.space import (
    ChoiceSpace,
    IntSpace,
    LogUniformSpace,
    SpaceConfig,
    UniformSpace,
)
from mmray.search.sample import shown_value
from mmray.search.space import Space, inside, options_of


def describe_space(space: Space) -> Iterator[str]:
    """Yield one line for each key of a space.

    >>> from mmray.config.training.space import to_space
    >>> rank = {"kind": "low_rank", "rank": {"int": [2, 8]}}
    >>> fusion = to_space({"choice": {"late": {"kind": "late"}, "low_rank": rank}})
    >>> list(describe_space({"model.fusion": fusion}))
    ['model.fusion: late | low_rank(rank: 2 to 8)']
    """
    for key, distribution in space.items():
        yield f"{key}: {_described(key, distribution)}"


def _described(name: str, distribution: SpaceConfig) -> str:
    match distribution:
        case UniformSpace(uniform=(low, high)):
            return f"{low:g} to {high:g}"
        case LogUniformSpace(loguniform=(low, high)):
            return f"{low:g} to {high:g}, logarithmic"
        case IntSpace(int=(low, high)):
            return f"{low} to {high}"
        case ChoiceSpace():
            options = options_of(distribution)
            return " | ".join(
                f"{shown_value(value)}{_inner(name, distribution, value)}" for value in options
            )


def _inner(name: str, distribution: ChoiceSpace, value: object) -> str:
    found = inside(name, distribution, value)
    texts = [
        f"{key.removeprefix(f'{name}.{value}.')}: {_described(key, one)}"
        for key, one in found.items()
    ]
    return f"({'; '.join(texts)})" if texts else ""
