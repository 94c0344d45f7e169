"""The fitted state of an extractor, as files in a folder."""

from pathlib import Path

from mmray.errors import ExtractionError


def fitted_file(state: Path | None, name: str) -> Path:
    """Return the file ``name`` of the fitted state; one that is not there is an ExtractionError."""
    if state is None or not (state / name).is_file():
        raise ExtractionError(
            f"the fitted state of the extractor is incomplete: there is no {name}",
            where=str(state),
            hint="run 'mmray extract CONFIG' again: it is fitted again",
        )
    return state / name
