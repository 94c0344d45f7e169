"""The completion marker of a stage: written last, with its report and document."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.load import storable
from mmray.core.file.atomic import SUCCESS, mark_success, read_complete
from mmray.core.report import Report, report_from_dict
from mmray.core.text.secret import masked_document
from mmray.errors import MMRayError


def finish(folder: Path, report: Report, config: Config, *, files: Iterable[str] = ()) -> Report:
    """Write the completion marker with the report and the document that made it.

    ``files`` of the folder are what the stage is for: without them it is not complete.
    """
    body = {"fingerprint": report.fingerprint, "report": masked_document(report.to_dict())}
    mark_success(folder, body | {"config": storable(config)}, files=files)
    return report


def earlier_report(folder: Path) -> Report | None:
    """Return the report of a stage that is complete, marked as skipped.

    The folder in it is where it lies now.
    """
    success = read_complete(folder)
    if success is None:
        return None
    return replace(report_from_dict(success["report"], skipped=True), folder=str(folder))


def require_success(folder: Path, *, stage: str, error: type[MMRayError]) -> dict[str, Any]:
    """Return a complete stage's marker; else raise ``error``, which names the stage to run."""
    success = read_complete(folder)
    if success is None:
        raise error(
            f"the stage '{stage}' has not been run for this document and corpus, or is damaged"
            if (folder / SUCCESS).exists()
            else f"the stage '{stage}' has not been run for this document and corpus",
            where=str(folder / SUCCESS),
            hint=f"run 'mmray {stage} CONFIG' first",
        )
    return success
