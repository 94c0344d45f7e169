"""Artifacts of a store whose folder was moved, renamed or copied.

MLflow keeps absolute addresses. Without this module, a run would write its files into a new folder
at the old place, and existing files would not be found.
"""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mlflow.utils.file_utils import local_file_uri_to_path

from mmray.tracking.database import artifact_folder, connect

logger = logging.getLogger(__name__)

BESIDE_TAG = "mmray.artifacts"
"""Tag of an experiment whose artifacts lie beside the store's file."""
BESIDE = "beside the store"
WORKSPACE_TAG = "mmray.workspace"
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Columns of the store that hold addresses of artifacts."""
TIMEOUT_S = 60.0


def relocate_artifacts(file: Path) -> None:
    """Rewrite addresses in the store's former folder to its present one."""
    here = artifact_folder(file)
    with connect(file, mode="rw", timeout_s=TIMEOUT_S) as connection:
        moved = [place for place in _locations(connection) if _is_moved(*place, here)]
        for old, _ in moved:
            logger.info("the tracking store has moved here from %s", _path(old).parent)
            for table, column in ADDRESSES:
                _replace(connection, table, column, old, here.as_uri())
            # A run that an earlier process left open is found by its workspace.
            connection.execute(
                "UPDATE tags SET value = ? WHERE key = ? AND value = ?",
                (str(here.parent), WORKSPACE_TAG, str(_path(old).parent)),
            )
        connection.commit()


def _locations(connection: sqlite3.Connection) -> Iterator[tuple[str, bool]]:
    """Yield each artifact folder of experiments, and whether it belongs to the store."""
    yield from connection.execute(
        "SELECT artifact_location, max(value IS NOT NULL) FROM experiments "
        "LEFT JOIN experiment_tags ON experiment_tags.experiment_id = experiments.experiment_id "
        "AND key = ? WHERE artifact_location LIKE 'file:%/mlartifacts' GROUP BY artifact_location",
        (BESIDE_TAG,),
    )


def _is_moved(old: str, is_of_store: bool, here: Path) -> bool:
    """Return whether an artifact folder is the one that now lies beside the store.

    An unmarked one is, if its old place no longer exists.
    """
    if old == here.as_uri():
        return False
    return bool(is_of_store) or (here.is_dir() and not _path(old).exists())


def _replace(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> None:
    connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
        (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
    )


def _path(uri: str) -> Path:
    return Path(local_file_uri_to_path(uri))
