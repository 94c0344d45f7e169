"""Generated parts of the site: document keys, commands and measurements replace their markers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from mmray.cli.app import app
from mmray.config.document import Config
from mmray.config.reading.schema_node import Node, kinds_of, resolved_node, type_of

ROOT = Path(__file__).parent.parent
COMMON = ("--help", "--set", "--json", "--quiet", "--verbose", "--debug")
"""Options that the page describes once, in its own words."""


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace every marker of a page; MkDocs calls this."""
    for marker, generate in PARTS.items():
        if marker in markdown:
            markdown = markdown.replace(marker, generate())
    return markdown


def document_keys() -> str:
    """Return every section of the document as a heading and a table of its keys."""
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    sections: dict[str, list[str]] = {}
    nodes: dict[str, Node] = {}
    for path, node in _sections("", schema, definitions):
        title = node["title"]
        sections.setdefault(title, []).append(path)
        nodes.setdefault(title, node)
    parts, group = list[str](), ""
    for title, paths in sections.items():
        if (top := re.split(r"\W", paths[0])[0]) != group:
            parts, group = [*parts, f"## {top}", ""], top
        parts += _section(paths, nodes[title], definitions)
    return "\n".join(parts)


def commands() -> str:
    """Return every command as a heading, its usage, its help and its options."""
    parts: list[str] = []
    for name, command in _commands("", typer.main.get_command(app)):
        text = " ".join((command.help or "").split())
        words = [f"mmray {name}"]
        words += [_name(each) for each in _arguments(command)]
        parts += [f"### mmray {name}", "", text, "", "```text", " ".join(words), "```", ""]
        rows = [f"| `{_name(each)}` | {_text(each.help)} |" for each in _arguments(command)]
        rows += [
            f"| `{'`, `'.join([*option.opts, *option.secondary_opts])}` | {_text(option.help)} |"
            for option in command.params
            if option.opts[0].startswith("-") and option.opts[0] not in COMMON
        ]
        parts += ["| | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join(parts)


def measurements() -> str:
    """Return ``benchmarks/RESULTS.md`` without its title."""
    text = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    return text.partition("\n")[2]


PARTS: dict[str, Callable[[], str]] = {
    "<!-- generated: document keys -->": document_keys,
    "<!-- generated: commands -->": commands,
    "<!-- generated: measurements -->": measurements,
}


def _sections(path: str, node: Node, definitions: Node) -> Iterator[tuple[str, Node]]:
    """Yield every section below a node with the path that leads to it."""
    inner = node.get("additionalProperties")
    if isinstance(inner, dict) and inner and "properties" not in node:
        yield from _sections(f"{path}.NAME", resolved_node(inner, definitions), definitions)
        return
    kinds = kinds_of(node, definitions)
    for kind, section in kinds.items():
        yield from _sections(f"{path} ({kind})", section, definitions)
    if kinds:
        return
    if "properties" not in node:
        for option in _options(node):
            yield from _sections(path, resolved_node(option, definitions), definitions)
        return
    yield path.lstrip("."), node
    for name, value in node["properties"].items():
        yield from _sections(f"{path}.{name}", resolved_node(value, definitions), definitions)


def _options(node: Node) -> list[Node]:
    """Return what may stand here, where a section is one of several forms of a value."""
    items = node.get("items", node)
    return [option for option in items.get("anyOf", [items]) if "$ref" in option]


def _section(paths: list[str], node: Node, definitions: Node) -> list[str]:
    heading = f"### `{paths[0]}`" if re.search(r"\W", paths[0]) else ""
    lines = [
        heading or ("" if paths[0] else "## The document"),
        "",
        _text(node.get("description", "")),
        "",
    ]
    if len(paths) > 1:
        lines += ["Also: " + ", ".join(f"`{path}`" for path in paths[1:]) + ".", ""]
    rows = [
        f"| `{name}` | {_type(value, definitions)} | {_default(name, value, node)} | "
        f"{_text(resolved_node(value, definitions).get('description', ''))} |"
        for name, value in node["properties"].items()
        if "const" not in value
    ]
    if not rows:
        return lines
    return [*lines, "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""]


def _type(value: Node, definitions: Node) -> str:
    node = resolved_node(value, definitions)
    kinds = kinds_of(node, definitions)
    words = type_of(node, definitions)
    return _text(f"{words}: {', '.join(kinds)}" if kinds else words)


def _default(name: str, value: Node, section: Node) -> str:
    if name in section.get("required", ()):
        return "required"
    default = value.get("default")
    if default in (None, []) or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _text(text: str | None) -> str:
    """Return text for a cell of a table."""
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join((text or "").split()))
    return text.replace("|", "\\|").replace("<", "&lt;")


def _commands(
    prefix: str, group: typer.core.TyperGroup
) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{prefix}{name} ", command)
        else:
            yield f"{prefix}{name}", command


def _arguments(command: typer.core.TyperCommand) -> list[typer.core.TyperArgument]:
    return [each for each in command.params if not each.opts[0].startswith("-")]


def _name(argument: typer.core.TyperArgument) -> str:
    return argument.metavar or argument.name.upper()
