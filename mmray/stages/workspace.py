"""Where stages leave things, and how a later stage finds them."""

import logging
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.load import storable
from mmray.core.file.atomic import SUCCESS, mark_success, read_complete
from mmray.core.fingerprint import fingerprint
from mmray.core.process.lock import WORKSPACE_LOCK, Holder, locked
from mmray.core.report import Report, report_from_dict
from mmray.core.text.secret import masked_document
from mmray.errors import ConfigError, MMRayError

logger = logging.getLogger(__name__)
MANIFEST = "manifest.parquet"
MODEL = "model"
REPORT = "report.json"


@contextmanager
def working_in(config: Config) -> Generator[None]:
    """Make the workspace, and let no other command write in it during the block.

    A second command says whom it waits for. Commands that only read need not ask.
    """
    folder = Path(config.workspace)

    def say(holder: Holder | None) -> None:
        who = holder.describe() if holder else "another command"
        logger.warning("waiting: the workspace %s is in use by %s", folder, who)

    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder / WORKSPACE_LOCK, on_wait=say))
        except OSError as error:
            raise ConfigError(
                f"the workspace cannot be used: {error.strerror}",
                where=f"workspace: {folder}",
                hint="'workspace' names a folder in which you may write; it is made if need be",
            ) from None
        yield


def stage_folder(config: Config, stage: str, mark: str) -> Path:
    """Return the folder of one stage's output, named by its fingerprint."""
    return Path(config.workspace) / stage / mark


def finish(
    folder: Path,
    report: Report,
    config: Config,
    *,
    files: Iterable[str] = (),
    **more: Any,  # noqa: ANN401
) -> Report:
    """Write the completion marker with the report and the document that made it.

    ``files`` of the folder are what the stage is for: without them it is not complete.
    """
    told = masked_document(report.to_dict())
    mark_success(
        folder,
        {"fingerprint": report.fingerprint, "report": told, "config": storable(config), **more},
        files=files,
    )
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
    """Return a complete stage's marker; else raise ``error`` that says which stage to run."""
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


def workflow_key(config: Config, prepared: str) -> str:
    """Return what names a workflow in the tracking store: its document and its corpus."""
    document = config.model_dump(mode="json", exclude={"runtime", "tracking"})
    return fingerprint(document, prepared)
