"""Odd documents out of good ones, as trees or as text; the same ones every time."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mutation import mutate

DEEP = "[" * 200 + "]" * 200
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 0.5, -0.0, 1e308, float("inf"), float("nan"), 2**31, 2**63,
    10**30, 10**400, "", " ", "x", "0", "nan", "1e5", "\0", "\ud800", "\u202e", "\x1b[31m", "é",
    "e\u0301",
    "猫" * 50, "x" * 20_000, "../../etc/passwd", "/dev/zero", "http://10.0.0.1/a", "s3://a/b",
    "a::b", "<b>", "~", "%20", "file:///etc/passwd", [], {}, [[]], [None],
    {"": None}, [1, "a", None],
    {"kind": "custom", "factory": "os:system"}, json.loads(DEEP),
)  # fmt: skip
"""What takes the place of a value."""


def odd_tree(tree: Any, seed: int) -> Any:
    """Return a copy of a JSON-like tree, changed in one to three places."""
    rng = np.random.default_rng(seed)
    changed = json.loads(json.dumps(tree))
    for _ in range(rng.integers(1, 4)):
        spots = list(_spots(changed))
        if spots:
            holder, key = spots[rng.integers(len(spots))]
            _CHANGES[rng.integers(len(_CHANGES))](holder, key, rng)
    return changed


def odd_text(text: str, seed: int) -> str:
    """Return text with lines doubled, dropped, moved, indented, or with something odd in them."""
    rng = np.random.default_rng(seed)
    lines = text.split("\n")
    for _ in range(rng.integers(1, 4)):
        number = int(rng.integers(len(lines)))
        lines = _LINES[rng.integers(len(_LINES))](lines, number, rng) or [""]
    return "\n".join(lines)


def _spots(tree: Any):
    """Yield every (holder, key) of a tree."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(parts):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _spots(value)


def _drop(holder: Any, key: Any, rng: np.random.Generator) -> None:
    del holder[key]


def _replace(holder: Any, key: Any, rng: np.random.Generator) -> None:
    holder[key] = deepcopy(ODD[rng.integers(len(ODD))])


def _retype(holder: Any, key: Any, rng: np.random.Generator) -> None:
    """Put the same value in another type: a number as text, a value in a list."""
    value = holder[key]
    ways = [[value], {"value": value}, str(value), [value] * 50]
    if isinstance(value, int | float):
        ways += [value * 10**9, -value, value + 0.5]
    if isinstance(value, list | dict):
        ways += [len(value), next(iter(value), None)]
    holder[key] = ways[rng.integers(len(ways))]


def _rename(holder: Any, key: Any, rng: np.random.Generator) -> None:
    names = (
        "",
        key.upper() if isinstance(key, str) else "1",
        f"{key}x",
        "kind",
        "\x1b",
        "x" * 5000,
    )
    name = names[rng.integers(len(names))]
    if isinstance(holder, dict):
        holder[name] = holder.pop(key)
    else:
        holder.insert(int(key), name)


def _swap(holder: Any, key: Any, rng: np.random.Generator) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    other = keys[rng.integers(len(keys))]
    holder[key], holder[other] = holder[other], holder[key]


_CHANGES: tuple[Callable[[Any, Any, np.random.Generator], None], ...] = (
    _drop, _replace, _replace, _replace, _retype, _retype, _rename, _swap,
)  # fmt: skip


def _double(lines: list[str], number: int, rng: np.random.Generator) -> list[str]:
    return lines[:number] + [lines[number]] * int(rng.integers(2, 4)) + lines[number + 1 :]


def _omit(lines: list[str], number: int, rng: np.random.Generator) -> list[str]:
    return lines[:number] + lines[number + 1 :]


def _move(lines: list[str], number: int, rng: np.random.Generator) -> list[str]:
    rest = lines[:number] + lines[number + 1 :]
    rest.insert(int(rng.integers(len(rest) + 1)), lines[number])
    return rest


def _indent(lines: list[str], number: int, rng: np.random.Generator) -> list[str]:
    return [*lines[:number], " " * int(rng.integers(1, 9)) + lines[number], *lines[number + 1 :]]


def _insert(lines: list[str], number: int, rng: np.random.Generator) -> list[str]:
    marks = (
        "\0",
        "\t",
        "&a ",
        "*a",
        "<<: *a",
        "!!python/name:os.system ",
        "[" * 300,
        "{",
        "9" * 5000,
        "- ",
        "? ",
        "'",
        '"',
        "# ",
        "---\n",
        "\u2028",
        "\ufeff",
        ",,,,",
        ";",
        "\\ud800",
        "!!binary ",
        "1:" * 99,
    )
    place = int(rng.integers(len(lines[number]) + 1))
    mark = marks[rng.integers(len(marks))]
    line = lines[number][:place] + mark + lines[number][place:]
    return [*lines[:number], line, *lines[number + 1 :]]  # fmt: skip


_LINES: tuple[Callable[[list[str], int, np.random.Generator], list[str]], ...] = (
    _double, _omit, _move, _indent, _insert, _insert, _insert,
)  # fmt: skip


def damage_file(path: Path, seed: int) -> str:
    """Damage a file: JSON as a tree, text or bytes, everything else as bytes. Say which way."""
    content = path.read_bytes()
    way = seed % 3
    if path.suffix == ".json" and way == 0:
        path.write_text(json.dumps(odd_tree(json.loads(content), seed)), "ascii")
        return "tree"
    if path.suffix in (".json", ".jsonl", ".txt", ".md") and way == 1:
        text = odd_text(content.decode(errors="replace"), seed)
        path.write_bytes(text.encode(errors="surrogatepass"))
        return "text"
    path.write_bytes(mutate(content, seed))
    return "bytes"
