"""Pydantic's findings as one error, with the keys as the user wrote them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails

from mmray.config.base import HintedError
from mmray.config.document import Config
from mmray.core.text.nearest import listed, nearest
from mmray.errors import ConfigError

Document = dict[str, Any]
QUOTE = "YAML reads yes, no, on, off, true and false as booleans: quote it, as in 'no'"
HINT = "'mmray schema' prints every key with its type and meaning"


@cache
def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the document; building it takes a quarter of a second."""
    return Config.model_json_schema()


def to_config_error(errors: Sequence[ErrorDetails], document: Document, where: str) -> ConfigError:
    """Return the error for the first problem, with the number of the others."""
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
                f"unknown key {dotted!r:.200}{more}", where=where, hint=_meant(keys, candidates)
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
            cause = first.get("ctx", {}).get("error")
            if isinstance(cause, HintedError):
                problem = f"{dotted}: {message}" if dotted else message
                return ConfigError(problem + more, where=where, hint=cause.hint)
            if not isinstance(first["input"], dict):
                problem += f", got {first['input']!r:.200}"
            is_unquoted = first["type"] == "string_type" and isinstance(first["input"], bool)
            return ConfigError(problem + more, where=where, hint=QUOTE if is_unquoted else HINT)


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
    expected, tag = str(context.get("expected_tags", "")), str(context.get("tag"))
    close = nearest(tag, [name.strip("'") for name in expected.split(", ")])
    meant = f"did you mean {close!r}? "
    return ConfigError(
        f"{dotted}: unknown {key} {tag!r:.200}{more}",
        where=where,
        hint=f"{meant}there are: {expected}" if close else f"use one of {expected}",
    )


def _written_keys(error: ErrorDetails, document: Document) -> list[str]:
    """Drop the union tags that pydantic adds: the user did not write them."""
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
    schema = json_schema()
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


def _meant(keys: Sequence[str], candidates: Sequence[str]) -> str:
    close = nearest(keys[-1], candidates, cutoff=0.5)
    if close:
        return f"did you mean {'.'.join([*keys[:-1], close])!r}?"
    return f"allowed here: {listed(candidates)}"
