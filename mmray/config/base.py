"""The basis of all sections of the document."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


def _expanded(name: str) -> str:
    return str(Path(name).expanduser()) if name.startswith("~") else name


Checkpoint = Annotated[str, AfterValidator(_expanded)]
"""A name on the Hugging Face hub, or a local folder or file."""


def _describe_tag(schema: dict[str, Any]) -> None:
    """Describe the key that names a kind by the first sentence of its section."""
    for tag in ("kind", "mode"):
        key = schema.get("properties", {}).get(tag, {})
        if "const" in key and "description" in schema:
            key.setdefault(
                "description", schema["description"].partition(".\n")[0].rstrip(".") + "."
            )


class StrictModel(BaseModel):
    """A section of the document: unknown keys are refused, numbers finite, values frozen."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        json_schema_extra=_describe_tag,
    )


class HintedError(ValueError):
    """What is wrong with a setting, and what to do; the message names the key where needed."""

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


def or_kind(kind: str) -> BeforeValidator:
    """Treat a section without a kind as one of ``kind``."""

    def name_kind(section: object) -> object:
        if isinstance(section, dict) and "kind" not in section:
            return {"kind": kind, **section}
        return section

    return BeforeValidator(name_kind)


class CustomConfig(StrictModel):
    """Settings passed unchanged to a user's own factory."""

    factory: str = Field(pattern=r"^\w+(\.\w+)*:\w+$")
    """The factory, as ``package.module:function``."""
    options: dict[str, str | int | float | bool | None] = {}
    """Keyword arguments of the factory."""


class ColumnConfig(StrictModel):
    """A modality whose payloads are in one column of the manifest."""

    column: str
    """Column of the manifest that holds the payloads."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the manifest that make one payload."""
        return (self.column,)

    @property
    def is_inline(self) -> bool:
        """Whether text in the column is the payload itself, not a reference to it."""
        return False

    @property
    def holds_lists(self) -> bool:
        """Whether a list in the column is a payload."""
        return False

    @property
    def payload_settings(self) -> object:
        """The settings that, with the row, determine the payload; plain JSON."""
        return [*self.columns, self.is_inline]
