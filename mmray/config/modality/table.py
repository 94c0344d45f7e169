"""The table modality: columns by type, and extractors."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from mmray.config.base import CustomConfig, StrictModel
from mmray.config.model.encoder import EncoderConfig, MlpEncoderConfig

Scale = Literal["standard", "quantile", "none"]


class NumberColumn(StrictModel):
    """A column of numbers. A plain name is short for ``{column: name}``."""

    column: str
    """Column of the manifest."""
    scale: Scale | None = None
    """By default the ``scale`` of the extractor."""


class CategoryColumn(StrictModel):
    """A column of names out of a limited set. A plain name is short for ``{column: name}``."""

    column: str
    """Column of the manifest."""
    max_categories: PositiveInt | None = None
    """By default that of the extractor."""


class DateColumn(StrictModel):
    """A column of dates or times. A plain name is short for ``{column: name}``."""

    column: str
    """Column of the manifest."""
    format: str = "iso"
    """How text and numbers are read: ``iso`` (ISO 8601), ``unix_s`` or ``unix_ms`` (since 1970 in
    UTC), or a pattern of ``strptime`` such as ``%d.%m.%Y``. A time without a zone is in UTC."""

    @field_validator("format")
    @classmethod
    def _is_known(cls, format: str) -> str:
        if format in ("iso", "unix_s", "unix_ms"):
            return format
        if "%" not in format:
            raise ValueError("use iso, unix_s, unix_ms or a pattern such as '%d.%m.%Y'")
        some_day = datetime(2001, 2, 3, 4, 5, 6)
        datetime.strptime(some_day.strftime(format), format)
        return format


class SequenceColumn(StrictModel):
    """A column of lists of ids, oldest first. A plain name is short for ``{column: name}``."""

    column: str
    """Column of the manifest."""
    vocabulary: PositiveInt | None = None
    """By default that of the extractor."""


def _from_name(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _or_name(model: type[StrictModel]) -> BeforeValidator:
    return BeforeValidator(_from_name, json_schema_input_type=model | str)


class TableVectorConfig(StrictModel):
    """One vector per row, fitted on the train split."""

    kind: Literal["table_vector"] = "table_vector"
    scale: Scale = "standard"
    """Scaling of numbers. ``standard``: mean 0 and deviation 1. ``quantile``: by rank, to a normal
    distribution, for numbers with a long tail. ``none``: unchanged."""
    impute: Literal["median", "mean"] = "median"
    """Value that replaces a missing number; a flag beside it says that it was missing."""
    max_categories: PositiveInt = 16
    """Slots of a category column, for its most frequent names; others are unknown."""
    vocabulary: PositiveInt = 256
    """Slots of a sequence column, for the ids that most rows have; others are unknown."""
    min_count: PositiveInt = 2
    """A name or id that fewer rows have counts as unknown, so that the model meets unknown ones in
    training."""
    weighting: Literal["counts", "recent"] = "counts"
    """Weight of the ids of a sequence. ``recent``: the last one counts most."""
    half_life: PositiveFloat = 10.0
    """With ``recent``: an id this many positions before the last counts half."""
    max_items: PositiveInt = 1000
    """Most ids of a sequence; of a longer one the last are used."""


class CustomTableExtract(CustomConfig):
    """A user's own extractor; its payload is the JSON object of a row's cells."""

    kind: Literal["custom"] = "custom"


TableExtractConfig = Annotated[TableVectorConfig | CustomTableExtract, Field(discriminator="kind")]


class TableConfig(StrictModel):
    """A table modality: columns of the manifest as one payload."""

    kind: Literal["table"] = "table"
    numbers: tuple[Annotated[NumberColumn, _or_name(NumberColumn)], ...] = ()
    """Columns of numbers, each a name or a section."""
    categories: tuple[Annotated[CategoryColumn, _or_name(CategoryColumn)], ...] = ()
    """Columns of names, each a name or a section."""
    dates: tuple[Annotated[DateColumn, _or_name(DateColumn)], ...] = ()
    """Columns of dates or times, each a name or a section."""
    sequences: tuple[Annotated[SequenceColumn, _or_name(SequenceColumn)], ...] = ()
    """Columns of lists of ids, each a name or a section."""
    missing: tuple[str, ...] = ()
    """Texts that mean a missing cell, besides an empty one: ``NA``, ``'-999'``."""
    extract: TableExtractConfig = TableVectorConfig()
    """The frozen extractor."""
    encode: EncoderConfig = MlpEncoderConfig()
    """The encoder that is trained with the fusion."""

    @model_validator(mode="after")
    def _columns_are_there_and_different(self) -> Self:
        if not self.columns:
            raise ValueError(
                "a table needs a column under 'numbers', 'categories', 'dates' or 'sequences'"
            )
        twice = [column for column, count in Counter(self.columns).items() if count > 1]
        if twice:
            raise ValueError(f"the column {twice[0]!r} is named twice")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the manifest that make one payload."""
        parts = (*self.numbers, *self.categories, *self.dates, *self.sequences)
        return tuple(part.column for part in parts)

    @property
    def is_inline(self) -> bool:
        """Whether the columns hold the payload itself: always."""
        return True

    @property
    def payload_settings(self) -> object:
        """The settings that, with the row, determine the payload; plain JSON."""
        keys = {"numbers", "categories", "dates", "sequences", "missing"}
        return self.model_dump(mode="json", include=keys)
