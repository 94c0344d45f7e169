"""The record of series modalities."""

import base64
import csv
import io
import math
from typing import Any

from mmray.config.modality.series import CustomSeriesExtract, SeriesConfig
from mmray.core.kind import Kind
from mmray.features.custom import custom_extractor
from mmray.features.kind import ModalityKind
from mmray.features.series.decode import SECONDS
from mmray.features.series.raw import RAW
from mmray.features.series.statistics import STATISTICS
from mmray.media.series.decode import series_format

STEPS = 32


def _example(config: SeriesConfig) -> dict[str, Any]:
    """Return the cell of a CSV of waves, with the columns that the document names."""
    decode, time = config.decode, config.decode.time
    wanted = range(decode.columns) if isinstance(decode.columns, int) else decode.columns
    columns = [*([] if time is None else [time]), *wanted]
    names = [column for column in columns if isinstance(column, str)]
    last = max((column for column in columns if isinstance(column, int)), default=-1)
    width = max(len(columns), last + 1)
    header = [*names, *(f"column {number}" for number in range(len(names), width))]
    rows: list[list[object]] = [
        [round(math.sin(0.4 * step + column), 4) for column in range(width)]
        for step in range(STEPS)
    ]
    if time is not None:
        at = header.index(time) if isinstance(time, str) else time
        spacing = 1 / (decode.rate_hz or 1.0) / SECONDS[decode.time_unit]
        for step, row in enumerate(rows):
            row[at] = step * spacing
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    text = stream.getvalue()
    if config.is_inline:
        return {config.column: text}
    return {config.column: f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}"}


SERIES = ModalityKind(
    kind=Kind.SERIES,
    config=SeriesConfig,
    extractors=(
        STATISTICS,
        RAW,
        custom_extractor(CustomSeriesExtract, Kind.SERIES, version=1),
    ),
    libraries=("numpy", "pyarrow"),
    guard="always",
    format_of=series_format,
    example=_example,
    also_reads=frozenset((Kind.TEXT,)),
)
