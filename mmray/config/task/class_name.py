"""Names of classes in the document, read by the same rule as labels."""

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from mmray.config.base import HintedError
from mmray.core.label.name import to_name
from mmray.core.text.nearest import shortened


def _class_name(value: object) -> object:
    if isinstance(value, bool):
        raise HintedError(
            "YAML reads yes, no, on, off, true and false as booleans, not as names",
            hint="quote it, as in 'no'",
        )
    return _flag_name(value)


def _flag_name(value: object) -> object:
    if not isinstance(value, str | int | float):
        return value  # pydantic says what it must be
    name = to_name(value)
    if not name:
        raise ValueError("a class needs a name")
    return name


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"the class {shortened(twice[0])!r} is named twice")
    return names


ClassName = Annotated[str, BeforeValidator(_class_name, json_schema_input_type=str | int | float)]
ClassNames = Annotated[tuple[ClassName, ...], AfterValidator(_each_once)]
FlagName = Annotated[str, BeforeValidator(_flag_name, json_schema_input_type=str | bool | float)]
"""One label of two; ``true`` is a valid name, as in a column of booleans."""
