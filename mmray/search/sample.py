"""A sample of a search's space: applied to the document, found in it, and written for people."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.load import Document, check_document, replace_key, resolved
from mmray.config.training.space import ChoiceSpace, SpaceConfig
from mmray.errors import ConfigError
from mmray.search.record import Sample
from mmray.search.space import Space, contains, inside, options_of

UNCHANGED = "the document"


def apply_sample(config: Config, sample: Sample) -> Config:
    """Return the document of a trial; it has no search section.

    ``config.search`` has the space that the sample was drawn from. An empty sample leaves the
    document as it is.
    """
    return _applied(config, overrides_of(config, sample))


def overrides_of(config: Config, sample: Sample) -> dict[str, Any]:
    """Return a sample as settings: dotted key of the document -> value, sections included."""
    space = config.search.space if config.search else {}
    return _settings(space, sample)


def _settings(space: Space, sample: Sample) -> dict[str, Any]:
    return {key: _setting(key, one, sample) for key, one in space.items() if key in sample}


def _setting(name: str, distribution: SpaceConfig, sample: Sample) -> Any:  # noqa: ANN401
    value = sample[name]
    if not isinstance(distribution, ChoiceSpace):
        return value
    setting = options_of(distribution)[value]
    for key, one in inside(name, distribution, value).items():
        inner = key.removeprefix(f"{name}.{value}.")
        setting = replace_key(setting, inner, _setting(key, one, sample))
    return setting


def _applied(config: Config, overrides: Mapping[str, Any]) -> Config:
    document = resolved(config)
    document.pop("search")
    for key, value in overrides.items():
        document = replace_key(document, key, value)
    return check_document(document, where="search.space")


def params_of(config: Config, space: Space) -> dict[str, Any]:
    """Return the part of a sample that the document itself is, as far as it lies in the space."""
    document, found = resolved(config), dict[str, Any]()
    for key, distribution in space.items():
        setting = _at(document, key)
        part = _found(key, distribution, setting)
        with suppress(ConfigError):  # what a branch leaves out may not fit to the rest
            if part is not None and setting == _at(_with(config, space, part), key):
                found |= part
    return found


def _with(config: Config, space: Space, sample: Sample) -> Document:
    return resolved(_applied(config, _settings(space, sample)))


def _at(document: Any, key: str) -> Any:  # noqa: ANN401 (a part of the document)
    for part in key.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _found(name: str, distribution: SpaceConfig, setting: Any) -> Sample | None:  # noqa: ANN401
    """Return the parameters that make a setting, by what a space says of it; None for none."""
    if not isinstance(distribution, ChoiceSpace):
        return {name: setting} if contains(distribution, setting) else None
    for value, option in options_of(distribution).items():
        nested = inside(name, distribution, value)
        fixed = option
        parts: list[Sample | None] = []
        for key, one in nested.items():
            inner = key.removeprefix(f"{name}.{value}.")
            parts.append(_found(key, one, _at(setting, inner)))
            fixed = replace_key(fixed, inner, _at(setting, inner))
        if None not in parts and _agrees(fixed, setting):
            return {name: value} | {k: v for part in parts for k, v in (part or {}).items()}
    return None


def _agrees(option: Any, setting: Any) -> bool:  # noqa: ANN401 (parts of the document)
    """Return whether everything that an option says is so in the document."""
    if isinstance(option, dict) and isinstance(setting, dict):
        return all(_agrees(value, setting.get(key)) for key, value in option.items())
    return option == setting


def shown_sample(sample: Sample) -> str:
    """Name each key without its section, and in brackets what its branch draws.

    >>> shown_sample({"train.lr": 0.001, "modalities.audio.encode": "lstm",
    ...               "modalities.audio.encode.lstm.hidden": 96})
    'lr=0.001, audio.encode=lstm(hidden=96)'
    """
    short = {name: name.split(".", 1)[-1] for name in sample}
    return ", ".join(_shown(sample, short)) or UNCHANGED


def _shown(sample: Sample, titles: Mapping[str, str]) -> list[str]:
    """Return one text for each parameter that lies in no branch of another one."""
    branches = {name: f"{name}.{value}." for name, value in sample.items()}
    texts: list[str] = []
    for name, value in sample.items():
        if name.startswith(tuple(branches.values())):
            continue
        titled = {key: key.removeprefix(branches[name]) for key in sample}
        inner = {key: each for key, each in sample.items() if key.startswith(branches[name])}
        more = f"({', '.join(_shown(inner, titled))})" if inner else ""
        texts.append(f"{titles[name]}={shown_value(value)}{more}")
    return texts


def shown_value(value: object) -> str:
    """Write a value as people read it: a float with four digits, the rest as YAML does."""
    if isinstance(value, bool | None):
        return json.dumps(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
