"""YAML as people mean it: 3e-4 is a number, and a key that is written twice is a mistake."""

import re
from typing import Any

import yaml

# YAML 1.1, which PyYAML reads, wants a point and a signed exponent.
_FLOAT = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that is written twice; the second would silently win."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is written twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789"))


def parse_yaml(text: str) -> Any:  # noqa: ANN401 (anything that YAML can say)
    """Parse one YAML document; what is wrong with it is a ``yaml.YAMLError``."""
    return yaml.load(text, Loader=_Loader)
