"""One node of the document's JSON schema: what it refers to, its kinds, its type in words."""

import json
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]
_WORDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}
_BOUNDS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


def resolved_node(node: Node, definitions: Node) -> Node:
    """Return the target of a reference; a description beside the reference replaces the target's.

    An optional section counts as the section.
    """
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1 and "$ref" in options[0]:
        node = {key: value for key, value in node.items() if key != "anyOf"} | options[0]
    while "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        node = definitions[node["$ref"].rsplit("/", 1)[-1]] | beside
    return node


def kinds_of(node: Node, definitions: Node) -> dict[str, Node]:
    """Return the allowed sections by kind; none where there is no choice."""
    node = node.get("items", node) if node.get("type") == "array" else node
    options = node.get("oneOf") or node.get("anyOf") or ()
    sections = [resolved_node(option, definitions) for option in options]
    return {
        name: section
        for section in sections
        for name in _names_of(section)
        if "properties" in section
    } | {
        name: inner
        for section in sections
        if "oneOf" in section
        for name, inner in kinds_of(section, definitions).items()
    }


def _names_of(section: Node) -> Iterator[str]:
    for tag in ("kind", "mode"):
        key = section.get("properties", {}).get(tag, {})
        if "const" in key:
            yield str(key["const"])
            return
        if "enum" in key:
            yield from map(str, key["enum"])
            return
    if section.get("title", "").endswith("Space"):
        yield next(iter(section["properties"]))


def type_of(node: Node, definitions: Node) -> str:
    """Return the type of a value in words."""
    node = resolved_node(node, definitions)
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return "one of " + ", ".join(map(str, node["enum"]))
    options = node.get("oneOf") or node.get("anyOf")
    if options:
        return " or ".join(dict.fromkeys(type_of(option, definitions) for option in options))
    if node.get("type") == "array":
        items = node.get("items") or next(iter(node.get("prefixItems", ())), {})
        return f"list of {type_of(items, definitions)}" if items else "list"
    if "properties" in node:
        return "section"
    bounds = " and ".join(f"{sign} {node[key]:g}" for key, sign in _BOUNDS.items() if key in node)
    return f"{_WORDS.get(node.get('type', ''), 'any value')} {bounds}".strip()
