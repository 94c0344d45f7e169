"""Where stages leave things, and how a later stage finds them."""

from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.atomic import SUCCESS, mark_success, read_success
from mmray.core.fingerprint import fingerprint
from mmray.core.report import Report, report_from_dict
from mmray.errors import MMRayError

MANIFEST = "manifest.parquet"
MODEL = "model"
REPORT = "report.json"


def stage_folder(config: Config, stage: str, mark: str) -> Path:
    """Return the folder of one stage's output, named by its fingerprint."""
    return Path(config.workspace) / stage / mark


def finish(folder: Path, report: Report, config: Config, **more: Any) -> Report:  # noqa: ANN401
    """Write the completion marker with the report and the document that made it."""
    document = config.model_dump(mode="json", by_alias=True)
    mark_success(
        folder,
        {"fingerprint": report.fingerprint, "report": report.to_dict(), "config": document, **more},
    )
    return report


def earlier_report(folder: Path) -> Report | None:
    """Return the report of a stage that is complete, marked as skipped."""
    success = read_success(folder)
    return report_from_dict(success["report"], skipped=True) if success else None


def require_success(folder: Path, *, stage: str, error: type[MMRayError]) -> dict[str, Any]:
    """Return a complete stage's marker; else raise ``error`` that says which stage to run."""
    success = read_success(folder)
    if success is None:
        raise error(
            f"the stage '{stage}' has not been run for this document and corpus",
            where=str(folder / SUCCESS),
            hint=f"run 'mmray {stage} CONFIG' first",
        )
    return success


def workflow_key(config: Config, prepared: str) -> str:
    """Return what names a workflow in the tracking store: its document and its corpus."""
    document = config.model_dump(mode="json", exclude={"runtime", "tracking"})
    return fingerprint(document, prepared)
