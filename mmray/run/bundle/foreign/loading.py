"""Building from files of others."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mmray.errors import BundleError, ConfigError
from mmray.features.checkpoints.checkpoint import offline


@contextmanager
def loading_foreign(folder: Path) -> Generator[None]:
    """Load a bundle without the hub; every failure becomes one error.

    Its parts may each be valid and still not fit together.
    """
    try:
        with offline():
            yield
    except ConfigError as error:
        error.where = error.where or str(folder)
        raise
    except Exception as error:
        told = (str(error).strip().splitlines() or [""])[0][:200]
        raise BundleError(
            f"this bundle cannot be loaded: {type(error).__name__}: {told}",
            where=str(folder),
            hint="its parts do not fit together; --debug shows where",
        ) from error
