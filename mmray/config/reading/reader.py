"""YAML as people mean it: 3e-4 is a number, and a duplicate key is a mistake.

Documents that no person writes are refused: hundreds of levels, aliases that unfold to millions of
values.
"""

import re
from typing import Any

import yaml

MAX_DEPTH = 64
MAX_VALUES = 100_000
"""Most values of a document with its aliases unfolded."""

# YAML 1.1, which PyYAML reads, wants a point and a signed exponent.
_FLOAT = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")


class _Loader(yaml.SafeLoader):
    def fetch_flow_collection_start(self, TokenClass: type) -> None:  # noqa: N803 (its own name)
        """Refuse depth before the parser descends: its time grows with the square of the depth."""
        self._check_depth(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        """Refuse depth in blocks, too."""
        self._check_depth(len(self.indents))
        return super().add_indent(column)

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MAX_DEPTH} levels", problem_mark=self.get_mark()
            )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a duplicate key; the second would silently win."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value[:80]!r} is written twice",
                    problem_mark=key.start_mark,
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401
        """Name the position of a value that Python cannot hold, such as the date 2024-13-01."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError) as error:
            raise yaml.MarkedYAMLError(
                problem=f"{node.value[:80]!r} cannot be read: {error}",
                problem_mark=node.start_mark,
            ) from None


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789"))


def parse_yaml(text: str) -> Any:  # noqa: ANN401 (anything that YAML can say)
    """Parse one YAML document; every problem is a ``yaml.YAMLError``."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, {}, set())
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _measure(
    node: yaml.Node, known: dict[int, tuple[int, int]], above: set[int]
) -> tuple[int, int]:
    """Return the number of values and levels of a node with its aliases unfolded."""
    if id(node) in above:
        raise _refused(node, "this alias refers to a value that contains it")
    if id(node) not in known:
        above.add(id(node))
        parts = [_measure(child, known, above) for child in _children(node)]
        above.remove(id(node))
        known[id(node)] = (
            1 + sum(size for size, _ in parts),
            1 + max((d for _, d in parts), default=0),
        )
    size, depth = known[id(node)]
    if size > MAX_VALUES:
        raise _refused(node, f"more than {MAX_VALUES:,} values")
    if depth > MAX_DEPTH:
        raise _refused(node, f"more than {MAX_DEPTH} levels")
    return size, depth


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _refused(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
