"""From YAML and overrides to a checked document, with errors that say where and what instead."""

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mmray.config.document import Config
from mmray.config.reader import parse_yaml
from mmray.errors import ConfigError

Document = dict[str, Any]


def load_config(path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read the document at ``path``, apply ``overrides`` in order and check everything."""
    document = read_document(path)
    for override in overrides:
        document = apply_override(document, override)
    return check_document(document, where=str(path))


def read_document(path: Path) -> Document:
    """Read YAML that must be one mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"there is no document {str(path)!r}", hint=_similar_files(path)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the document: {error}", where=str(path)) from None
    try:
        document = parse_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigError(
            f"not valid YAML: {problem}", where=where, hint="check indentation and colons"
        ) from None
    if not isinstance(document, dict):
        raise ConfigError(
            "the document must be a mapping of keys to values",
            where=str(path),
            hint="start with 'name:', 'data:', 'modalities:' and 'tasks:'",
        )
    return document


def apply_override(document: Document, override: str) -> Document:
    """Return a copy of ``document`` with one key replaced.

    The value is read as YAML, so ``model.fusion={kind: concat}`` replaces a whole section.
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
    """Return a copy of ``document`` with ``dotted`` set to ``value``; sections appear as needed.

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


def check_document(document: Document, *, where: str) -> Config:
    """Validate ``document``; the first problem becomes a ConfigError, the rest its hint."""
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise _to_config_error(error.errors(), document, where) from None
    if config.seed is None:
        return config
    train = config.train.model_copy(update={"seed": config.seed})
    return config.model_copy(update={"train": train, "seed": None})


def resolved(config: Config) -> Document:
    """Return the document with every default filled in, as plain JSON types."""
    return json.loads(config.model_dump_json(by_alias=True))


def _to_config_error(errors: Sequence[ErrorDetails], document: Document, where: str) -> ConfigError:
    # Unknown keys first: a typo is the usual cause of a missing key as well.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    keys = _written_keys(first, document)
    dotted = ".".join(keys)
    others = len(errors) - 1
    more = f" ({others} more problem{'s' * (others > 1)} in this document)" if others else ""
    match first["type"]:
        case "extra_forbidden":
            candidates = _allowed_keys(keys[:-1], document)
            return ConfigError(
                f"unknown key {dotted!r}{more}", where=where, hint=_did_you_mean(keys, candidates)
            )
        case "missing":
            return ConfigError(
                f"the key {dotted!r} is missing{more}", where=where, hint=f"add '{dotted}: ...'"
            )
        case "union_tag_invalid" | "union_tag_not_found":
            return _kind_error(first, dotted, where, more)
        case _:
            message = first["msg"].removeprefix("Value error, ")
            problem = f"{dotted or 'the document'}: {message}"
            if not isinstance(first["input"], dict):
                problem += f", got {first['input']!r}"
            return ConfigError(problem + more, where=where, hint=_schema_hint())


def _kind_error(error: ErrorDetails, dotted: str, where: str, more: str) -> ConfigError:
    context = error.get("ctx", {})
    key = str(context.get("discriminator", "'kind'")).strip("'")
    key = "distribution" if key.endswith("()") else key
    if error["type"] == "union_tag_not_found":
        return ConfigError(
            f"the key '{dotted}.{key}' is missing{more}",
            where=where,
            hint=f"add '{key}: ...' to {dotted!r}",
        )
    expected = str(context.get("expected_tags", ""))
    return ConfigError(
        f"{dotted}: unknown {key} {context.get('tag')!r}{more}",
        where=where,
        hint=f"use one of {expected}",
    )


def _written_keys(error: ErrorDetails, document: Document) -> list[str]:
    """Drop the union tags that pydantic adds, which are no keys that the user wrote."""
    keys: list[str] = []
    here: Any = document
    location = error["loc"]
    for position, part in enumerate(location):
        # Only what is missing is a key without being in the document.
        is_missing = error["type"] == "missing" and position == len(location) - 1
        if isinstance(here, dict) and (part in here or is_missing):
            keys.append(str(part))
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int):
            keys.append(str(part))
            here = None if is_missing else here[part]
    return keys


def _allowed_keys(keys: Sequence[str], document: Document) -> list[str]:
    """Return the keys that the section at ``keys`` may have."""
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    node: dict[str, Any] = schema
    here: Any = document
    for key in keys:
        if isinstance(here, list):
            here, node = here[int(key)], node.get("items", {})
        else:
            here = here.get(key, {}) if isinstance(here, dict) else {}
            node = node.get("properties", {}).get(key) or node.get("additionalProperties") or {}
        node = _resolve(node, definitions, here if isinstance(here, dict) else {}, name=key)
    return list(node.get("properties", {}))


def _resolve(
    node: dict[str, Any], definitions: dict[str, Any], section: Document, *, name: str
) -> dict[str, Any]:
    if "$ref" in node:
        return definitions[node["$ref"].rsplit("/", 1)[-1]]
    mapping = node.get("discriminator", {}).get("mapping")
    if mapping:
        tag = section.get(node["discriminator"]["propertyName"], node.get("default", name))
        tag = tag if isinstance(tag, str) else name
        reference = mapping.get(tag) or mapping.get(name) or next(iter(mapping.values()))
        return definitions[reference.rsplit("/", 1)[-1]]
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            return definitions[option["$ref"].rsplit("/", 1)[-1]]
    return node


def _did_you_mean(keys: Sequence[str], candidates: Sequence[str]) -> str:
    close = difflib.get_close_matches(keys[-1], candidates, n=1, cutoff=0.5)
    if close:
        return f"did you mean {'.'.join([*keys[:-1], close[0]])!r}?"
    return f"allowed here: {', '.join(candidates)}"


def _similar_files(path: Path) -> str:
    folder = path.parent
    names = [p.name for p in folder.glob("*.y*ml")] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"did you mean {str(folder / close[0])!r}?"
    return "give the path of a YAML document, e.g. workflows/configs/quickstart.yaml"


def _schema_hint() -> str:
    return "'mmray schema' prints every key with its type and meaning"
