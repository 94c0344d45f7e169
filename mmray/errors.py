"""Errors that a user can cause and fix, each with its exit code."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar

from mmray.core.text.secret import masked

MAX_CHARS = 1200
"""Most characters of each printed part of an error."""


class MMRayError(Exception):
    """What went wrong, where, and what to do next.

    Keyword arguments have defaults so that the error survives pickling between Ray processes.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [_shortened(str(self.args[0]))]
        if self.where:
            lines.append(f"  where: {_shortened(self.where)}")
        if self.hint:
            lines.append(f"  hint:  {_shortened(self.hint)}")
        return "\n".join(lines)


def _shortened(text: str) -> str:
    """Return text that fits on a screen; a corpus may hold a name of megabytes.

    Secrets of URIs in it are masked.
    """
    text = masked(text)
    if len(text) <= MAX_CHARS:
        return text
    return f"{text[: MAX_CHARS - 200]} [...] {text[-100:]}"


class DiskFullError(MMRayError):
    """There is no room for a file; no partial file is left under its name."""


class ConfigError(MMRayError):
    """The document is wrong."""

    exit_code = 2


class BundleError(ConfigError):
    """A model bundle is damaged or incomplete, or holds code that may not or cannot run."""


@contextmanager
def located(where: str) -> Generator[None]:
    """Add the place to a ConfigError of this block, unless it names one."""
    try:
        yield
    except ConfigError as error:
        error.where = error.where or where
        raise


class ManifestError(MMRayError):
    """The manifest, or a label or reference in it, is wrong."""

    exit_code = 3


class ExtractionError(MMRayError):
    """Extraction failed, or too much was rejected."""

    exit_code = 4


class TrainingError(MMRayError):
    """Training, search or evaluation failed."""

    exit_code = 5


class ClusterError(MMRayError):
    """The Ray cluster or the job on it failed."""

    exit_code = 6
