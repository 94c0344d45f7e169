"""What an extractor has learnt, as files in a folder."""

from pathlib import Path

from mmray.errors import ExtractionError


def fitted_file(state: Path | None, name: str) -> Path:
    """Return the file ``name`` of the fitted state; one that is not there is an ExtractionError."""
    if state is None or not (state / name).is_file():
        raise ExtractionError(
            f"there is no fitted {name} in {str(state)!r}", hint="run fit_extractor first"
        )
    return state / name
