"""Settings from the command line: ``dotted.key=value`` replaces a value of the document."""

from typing import Any

import yaml

from mmray.config.reading.reader import parse_yaml
from mmray.errors import ConfigError

Document = dict[str, Any]


def apply_override(document: Document, override: str) -> Document:
    """Return a copy of ``document`` with one key replaced.

    The value is read as YAML, so ``model.fusion={kind: concat}`` replaces a complete section.

    >>> apply_override({"train": {"lr": 0.1, "epochs": 5}}, "train.lr=3e-4")
    {'train': {'lr': 0.0003, 'epochs': 5}}
    """
    dotted, separator, value = override.partition("=")
    if not separator or not dotted:
        lacking = "key" if separator else "'='"
        raise ConfigError(f"override {override!r} has no {lacking}", hint="write dotted.key=value")
    try:
        parsed = parse_yaml(value)
    except yaml.YAMLError:
        raise ConfigError(
            f"the value in override {override!r} is not valid YAML", hint="quote it"
        ) from None
    return replace_key(document, dotted, parsed)


def replace_key(document: Document, dotted: str, value: object, *, above: str = "") -> Document:
    """Return a copy of ``document`` with ``dotted`` set to ``value``; missing sections are added.

    ``above`` is the dotted key of ``document`` itself, for the error.
    """
    key, _, rest = dotted.partition(".")
    if not rest:
        return document | {key: value}
    section = document.get(key)
    if section is not None and not isinstance(section, dict):
        name = above + key
        raise ConfigError(
            f"{name!r} in override '{above}{dotted}' is a value, not a section",
            hint=f"replace all of it: {name}=...",
        )
    return document | {key: replace_key(section or {}, rest, value, above=f"{above}{key}.")}
