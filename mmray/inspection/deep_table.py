"""The result of a deep check, as a table."""

from collections.abc import Iterator
from dataclasses import dataclass

EXAMPLE_CHARS = 120


@dataclass(frozen=True, slots=True)
class DeepRow:
    """Payloads of one modality and format with the same outcome."""

    modality: str
    format: str
    reason: str
    """Empty: decoded."""
    payloads: int
    example: str
    """One of them: its file, or its sample id."""
    detail: str
    """The decoder's detail about that sample."""


def describe_deep(rows: list[DeepRow]) -> Iterator[str]:
    """Yield the table, a line per row; decoded payloads of a modality come first."""
    columns = [("modality", "format", "payloads", "outcome", "for example")]
    columns += [
        (
            row.modality,
            row.format,
            str(row.payloads),
            row.reason or "decoded",
            _for_example(row),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in columns) for column in range(4)]
    for line in columns:
        padded = [text.ljust(width) for text, width in zip(line, widths, strict=False)]
        yield "  ".join([*padded, line[4]]).rstrip()


def sum_up(rows: list[DeepRow], max_rejected_fraction: float) -> Iterator[str]:
    """Yield the number of usable payloads per modality, and a warning where there are too few."""
    for name in dict.fromkeys(row.modality for row in rows):
        total = sum(row.payloads for row in rows if row.modality == name)
        rejected = sum(row.payloads for row in rows if row.modality == name and row.reason)
        yield f"{name}: {total - rejected} of {total} payloads decoded, {rejected} rejected"
        if rejected > max_rejected_fraction * total:
            yield (
                f"warning: 'mmray extract' will fail at {name}: more than "
                f"data.max_rejected_fraction ({max_rejected_fraction:g}) of it is rejected"
            )


def _for_example(row: DeepRow) -> str:
    """Return the example with its detail, unless the detail is its path again."""
    if not row.reason or row.detail.endswith(row.example):
        return row.example
    text = f"{row.example}: {row.detail}"
    return text if len(text) <= EXAMPLE_CHARS else text[: EXAMPLE_CHARS - 3] + "..."
