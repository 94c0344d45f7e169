"""The workspace's ``model/`` and ``report.json``: those of the document that was evaluated last.

Each evaluation keeps its own beside its marker, and the workspace has copies of them, so documents
that share a workspace do not get each other's model.
"""

import contextlib
import logging
import shutil
import uuid
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.core.file.atomic import SEALS, read_json, read_success, replacing
from mmray.core.file.link import copy_or_link
from mmray.core.fingerprint import find_unsealed
from mmray.stages.workspace import MODEL, REPORT

logger = logging.getLogger(__name__)


def delivered_files(folder: Path) -> list[str]:
    """Return the files of an evaluation that are delivered, by their names in its folder."""
    model = (path for path in (folder / MODEL).rglob("*") if path.is_file())
    return [REPORT, *(path.relative_to(folder).as_posix() for path in model)]


def deliver(config: Config, folder: Path) -> None:
    """Copy the model and the report of this complete evaluation to the workspace.

    Nothing is done if it has them; what is replaced is named.
    """
    workspace = Path(config.workspace)
    if not _differences(workspace, folder):
        return
    _say_what_is_replaced(workspace, folder)
    _replace_folder(folder / MODEL, workspace / MODEL)
    with replacing(workspace / REPORT) as temporary:
        copy_or_link(folder / REPORT, temporary)


def _differences(workspace: Path, folder: Path) -> dict[str, str]:
    """Return what is wrong with the delivered files of the workspace, by name."""
    seals: dict[str, str] = (read_success(folder) or {}).get(SEALS, {})
    ours = {n: seal for n, seal in seals.items() if n == REPORT or n.startswith(f"{MODEL}/")}
    return find_unsealed(workspace, ours)


def _say_what_is_replaced(workspace: Path, folder: Path) -> None:
    before = _evaluation_of(workspace / REPORT)
    if before is None:
        if (workspace / MODEL).is_dir():
            logger.info("%s belongs to another evaluation: it is replaced", workspace / MODEL)
        return
    if before[1] == folder.name:
        logger.info("%s or %s was changed: both are written again", workspace / MODEL, REPORT)
        return
    logger.info(
        "%s and %s were those of %r (evaluation %s, which keeps its own): they are replaced",
        workspace / MODEL, REPORT, *before,
    )  # fmt: skip


def _evaluation_of(report: Path) -> tuple[str, str] | None:
    """Return name of the document and fingerprint of the evaluation that a report is of."""
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        document: Any = read_json(report)
        return str(document["name"]), str(document["evaluation"])
    return None


def _replace_folder(source: Path, target: Path) -> None:
    """Replace ``target`` by a folder with the files of ``source``."""
    new, old = (target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp") for _ in "ab")
    try:
        shutil.copytree(source, new, copy_function=copy_or_link)
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
