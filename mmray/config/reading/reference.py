"""The keys of the document for people: type, default and meaning of each."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.schema_node import Node, kinds_of, resolved_node, type_of
from mmray.core.text.nearest import did_you_mean
from mmray.errors import ConfigError

WIDTH = 100


def describe_keys(key: str = "") -> Iterator[str]:
    """Yield lines about the complete document, or about one dotted key.

    Where the user chooses a name, and after a key that has kinds, write a kind:
    ``modalities.audio.extract.mfcc``.
    """
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    node = schema
    walked: list[str] = []
    for part in key.split(".") if key else ():
        node = _step(node, part, definitions, walked)
        walked.append(part)
    yield f"{key or 'the document'}: {_sentence(node)}"
    body = list(_body(node, definitions, depth=1 if key else 2))
    yield from body or [f"    {_type_and_default(node, definitions)}"]
    if not key:
        yield ""
        yield "for one key: mmray schema modalities.audio.extract"


def _step(node: Node, part: str, definitions: Node, walked: list[str]) -> Node:
    """Return the node below a key: a property, a kind, or what a mapping holds."""
    kinds = kinds_of(node, definitions)
    if part in kinds:
        return kinds[part]
    found: dict[str, Node] = dict(node.get("properties", {}))
    sections = (resolved_node(option, definitions) for option in node.get("anyOf", ()))
    for section in (*kinds.values(), *sections):
        found = section.get("properties", {}) | found
    inner = node.get("additionalProperties")
    if isinstance(inner, dict):
        return _step_into_mapping(inner, part, definitions)
    if part in found:
        return resolved_node(found[part], definitions)
    raise ConfigError(
        f"there is no key {'.'.join([*walked, part])!r}",
        hint=did_you_mean(part, [*found, *kinds]),
    )


def _step_into_mapping(inner: Node, part: str, definitions: Node) -> Node:
    inner = resolved_node(inner, definitions)
    return kinds_of(inner, definitions).get(part, inner)


def _body(node: Node, definitions: Node, *, depth: int, indent: str = "") -> Iterator[str]:
    """Yield the keys of a section, or its kinds and theirs."""
    inner = node.get("additionalProperties")
    if isinstance(inner, dict) and inner and "properties" not in node:
        node = resolved_node(inner, definitions)
    for name, value in node.get("properties", {}).items():
        if "const" in value:
            continue  # the kind, which is the name of the section here
        required = name in node.get("required", ())
        yield from _entry(name, value, definitions, is_required=required, indent=indent)
        if depth > 1 and type_of(value, definitions) == "section":
            section = resolved_node(value, definitions)
            yield from _body(section, definitions, depth=depth - 1, indent=f"{indent}    ")
    for name, section in kinds_of(node, definitions).items():
        yield f"{indent}{name}"
        yield from _wrapped(_sentence(section), f"{indent}    ")
        if depth == 1:
            yield from _body(section, definitions, depth=0, indent=f"{indent}    ")


def _entry(
    name: str, value: Node, definitions: Node, *, is_required: bool, indent: str
) -> Iterator[str]:
    node = resolved_node(value, definitions)
    words = _type_and_default(node, definitions) + (", required" if is_required else "")
    head = textwrap.wrap(f"{name}: {words}", WIDTH - len(indent), subsequent_indent="        ")
    yield from (indent + line for line in head)
    yield from _wrapped(_sentence(node), f"{indent}    ")


def _type_and_default(node: Node, definitions: Node) -> str:
    kinds = kinds_of(node, definitions)
    words = type_of(node, definitions)
    if kinds:
        words += f", of a kind: {', '.join(kinds)}"
    if "default" in node and not isinstance(node["default"], dict):
        words += f", default {json.dumps(node['default'], ensure_ascii=False)}"
    return words


def _sentence(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("description", "")).replace("``", "'").split())


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
