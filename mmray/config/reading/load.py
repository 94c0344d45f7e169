"""From YAML and overrides to a checked document, with errors that name the place and the fix."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mmray.config.document import Config
from mmray.config.reading.override import apply_override, replace_key
from mmray.config.reading.problem import to_config_error
from mmray.config.reading.reader import parse_yaml
from mmray.config.reading.value import check_values
from mmray.core.file.bounded import read_bounded
from mmray.core.text.nearest import listed, nearest
from mmray.core.text.secret import masked_document
from mmray.errors import ConfigError

Document = dict[str, Any]
MAX_DOCUMENT_BYTES = 2**20

__all__ = [
    "Document",
    "apply_override",
    "check_document",
    "load_config",
    "read_document",
    "replace_key",
    "resolved",
]


def load_config(path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read the document at ``path``, apply ``overrides`` in order and check everything."""
    document = read_document(path)
    for override in overrides:
        document = apply_override(document, override)
    return check_document(document, where=str(path))


def read_document(path: Path) -> Document:
    """Read YAML that must be one mapping."""
    if not os.path.lexists(path):
        raise ConfigError(f"there is no document {str(path)!r}", hint=_similar_files(path))
    content = read_bounded(path, max_bytes=MAX_DOCUMENT_BYTES, error=ConfigError)
    try:
        document = parse_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read the document: {error}", where=str(path)) from None
    except yaml.YAMLError as error:
        raise _not_yaml(error, path) from None
    if not isinstance(document, dict):
        raise ConfigError(
            "the document must be a mapping of keys to values",
            where=str(path),
            hint="start with 'name:', 'data:', 'modalities:' and 'tasks:'",
        )
    return document


def check_document(document: Document, *, where: str) -> Config:
    """Validate ``document``; the first problem becomes a ConfigError, the rest its hint."""
    check_values(document, where=where)
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise to_config_error(error.errors(), document, where) from None
    if config.seed is None:
        return config
    train = config.train.model_copy(update={"seed": config.seed})
    return config.model_copy(update={"train": train, "seed": None})


def storable(config: Config) -> Document:
    """Return the resolved document with the secrets of its URIs masked, for storage in files."""
    return masked_document(resolved(config))


def resolved(config: Config) -> Document:
    """Return the document with every default filled in, as plain JSON types."""
    return json.loads(config.model_dump_json(by_alias=True))


def _not_yaml(error: yaml.YAMLError, path: Path) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return ConfigError(
        f"not valid YAML: {problem or 'it cannot be parsed'}",
        where=f"{path}:{mark.line + 1}" if mark else str(path),
        hint="check indentation and colons",
    )


def _similar_files(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {str(folder)!r}; paths start where you call mmray"
    names = {file.stem: file.name for file in sorted(folder.glob("*.y*ml"))}
    # Stems are compared: all documents have the same ending.
    close = nearest(path.stem, names)
    if close:
        return f"did you mean {str(folder / names[close])!r}?"
    if names:
        return f"in {str(folder)!r} there are: {listed(list(names.values()))}"
    return "give the path of a YAML document; README.md shows one to start from"
