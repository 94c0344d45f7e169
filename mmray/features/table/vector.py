"""One vector per row of a table. Axes: B rows, F feature."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

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
    """What the train split says of every column."""

    numbers: tuple[NumberState, ...]
    categories: tuple[CategoryState, ...]
    dates: tuple[DateState, ...]
    sequences: tuple[SequenceState, ...]

    @property
    def names(self) -> list[str]:
        """The F names of the feature's slots."""
        columns = (*self.numbers, *self.categories, *self.dates, *self.sequences)
        return [name for column in columns for name in column.names]

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON types, with the names of the slots."""
        return asdict(self) | {"names": self.names}


def state_from_dict(document: dict[str, Any]) -> TableState:
    """Read back what ``to_dict`` wrote."""
    return TableState(
        numbers=tuple(NumberState(**column) for column in document["numbers"]),
        categories=tuple(CategoryState(**column) for column in document["categories"]),
        dates=tuple(DateState(**column) for column in document["dates"]),
        sequences=tuple(SequenceState(**column) for column in document["sequences"]),
    )


class TableVectorExtractor:
    """Columns side by side: numbers, categories, dates, sequences. ``names`` tells the slots."""

    def __init__(
        self, spec: FeatureSpec, state: TableState, decode: Callable[[bytes], TableRow]
    ) -> None:
        self.spec = spec
        self.decode = decode
        self.names = state.names
        if len(self.names) != spec.shape[0]:
            raise ConfigError(
                f"what was learnt gives {len(self.names)} features, not {spec.shape[0]}",
                hint="extract anew",
            )
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
