"""One vector per row of a table. Axes: B rows, F feature."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Feature
from mmray.features.table.category import CategoryState, encode_category
from mmray.features.table.date import DateState, encode_date
from mmray.features.table.number import NumberState, encode_number
from mmray.features.table.row import TableRow
from mmray.features.table.sequence import SequenceState, encode_sequence


@dataclass(frozen=True, slots=True)
class TableState:
    """Every column, fitted on the train split."""

    numbers: tuple[NumberState, ...]
    categories: tuple[CategoryState, ...]
    dates: tuple[DateState, ...]
    sequences: tuple[SequenceState, ...]

    @property
    def slots(self) -> int:
        """Number of slots of categories and sequences."""
        return sum(column.slots for column in (*self.categories, *self.sequences))

    @property
    def names(self) -> list[str]:
        """The F names of the feature's slots."""
        columns = (*self.numbers, *self.categories, *self.dates, *self.sequences)
        return [name for column in columns for name in column.names]

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON types, with the names of the slots."""
        return asdict(self) | {"names": self.names}


def state_from_dict(document: object) -> TableState:
    """Read back what ``to_dict`` wrote; anything else is a ConfigError."""
    try:
        state = TypeAdapter(TableState).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise _damaged(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    for column in (*state.categories, *state.sequences):
        if len(column.known) > column.slots:
            raise _damaged(f"{len(column.known)} names for {column.slots} slots")
    if any(c.scale == "quantile" and c.deviation and not c.landmarks for c in state.numbers):
        raise _damaged("quantiles without values")
    return state


def _damaged(problem: str) -> ConfigError:
    return ConfigError(
        f"the fitted state of the table cannot be used: {problem:.300}",
        hint="it is damaged, or of another document: extract again, or copy the bundle again",
    )


def other_width(found: int, width: int) -> ConfigError:
    """Return the error about a state that does not fit the settings."""
    return ConfigError(
        f"the fitted state gives {found} features, not {width}", hint="extract again"
    )


class TableVectorExtractor:
    """Columns in order: numbers, categories, dates, sequences. ``names`` lists the slots."""

    def __init__(
        self, spec: FeatureSpec, state: TableState, decode: Callable[[bytes], TableRow]
    ) -> None:
        self.spec = spec
        self.decode = decode
        self.names = state.names
        if len(self.names) != spec.shape[0]:
            raise other_width(len(self.names), spec.shape[0])
        self._state = state

    def extract(self, decoded: Sequence[TableRow]) -> list[Feature]:
        """Return one ``(F,)`` float32 vector per row."""
        if not decoded:
            return []
        numbers, categories, dates, sequences = (
            list(zip(*cells, strict=True))
            for cells in zip(
                *((r.numbers, r.categories, r.dates, r.sequences) for r in decoded), strict=True
            )
        )
        state = self._state
        blocks = [
            *(encode_number(s, np.array(v)) for s, v in zip(state.numbers, numbers, strict=True)),
            *(encode_category(s, v) for s, v in zip(state.categories, categories, strict=True)),
            *(encode_date(s, np.array(v)) for s, v in zip(state.dates, dates, strict=True)),
            *(encode_sequence(s, v) for s, v in zip(state.sequences, sequences, strict=True)),
        ]
        return list(np.concatenate(blocks, axis=1).astype(np.float32))  # (B, F)
