"""A tracking store in a SQLite file: created atomically, checked before use.

MLflow creates the tables in the file one after the other: a second process fails meanwhile, and a
killed process leaves a file that no later one can use.
"""

import contextlib
import logging
import sqlite3
from pathlib import Path
from urllib.parse import quote

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mmray.core.file.atomic import replacing, sync
from mmray.core.process.lock import locked
from mmray.errors import ClusterError

logger = logging.getLogger(__name__)

LOCK_S = 60.0
"""Longest wait for another program's lock on the file."""
PATIENCE_S = 2.0
"""Wait without a message."""
HEADER_BYTES = 100
KEPT = (
    "move this file away and run again: a new store is made, and features, trainings and the model "
    "are kept; 'sqlite3 FILE .recover' may bring back its runs"
)


def database_file(uri: str) -> Path | None:
    """Return the file of a ``sqlite:`` URI; None for another store, or one in memory."""
    try:
        url = make_url(uri)
    except ArgumentError:
        return None
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(url.database)


def artifact_folder(file: Path) -> Path:
    """Return the artifact folder of a store: beside its file, so that both move together."""
    return file.resolve().parent / "mlartifacts"


def open_database(uri: str, file: Path) -> None:
    """Create the store unless it exists; an unusable one is a ClusterError.

    Concurrent processes create one store.
    """
    if not _is_there(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_name(f".{file.name}.lock"), on_wait=lambda _: None):
            if not _is_there(file):
                _make(uri, file)
    check_database(file)


def check_database(file: Path) -> None:
    """Raise a ClusterError if the store cannot be used, after waiting for a lock on it."""
    obstacle = _find_obstacle(file)  # first: who has locked it may keep others from reading, too
    problem = _find_problem(file) or obstacle
    if problem:
        raise ClusterError(f"the tracking store {problem}", where=str(file), hint=KEPT)


def _is_there(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def connect(file: Path, *, mode: str, timeout_s: float) -> "contextlib.closing[sqlite3.Connection]":
    """Open an existing file as ``ro`` or ``rw``."""
    name = f"file:{quote(str(file.resolve()))}?mode={mode}"
    return contextlib.closing(sqlite3.connect(name, uri=True, timeout=timeout_s))


def _make(uri: str, file: Path) -> None:
    for left in file.parent.glob(f".{file.name}.*.tmp*"):  # of processes that were killed
        left.unlink(missing_ok=True)
    with replacing(file) as temporary:
        url = make_url(uri).set(database=str(temporary)).render_as_string(hide_password=False)
        store = SqlAlchemyStore(url, artifact_folder(file).as_uri())
        store.engine.dispose()
        sync(temporary)
    sync(file.parent)


def _find_obstacle(file: Path) -> str:
    """Return why the file cannot be written, after waiting for another program's lock."""
    try:
        return _try_to_lock(file, PATIENCE_S)
    except sqlite3.OperationalError:
        logger.warning("waiting up to %d s: another program has locked %s", LOCK_S, file)
    try:
        return _try_to_lock(file, LOCK_S)
    except sqlite3.OperationalError:
        raise ClusterError(
            "the tracking store is locked by another program",
            where=str(file),
            hint=f"end that program ('fuser {file}' names it) and run again",
        ) from None


def _try_to_lock(file: Path, timeout_s: float) -> str:
    """Lock the file for a moment; return the obstacle, or raise if another program holds it."""
    try:
        with connect(file, mode="rw", timeout_s=timeout_s) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.DatabaseError as error:
        if _is_lock(error):
            raise
        return f"cannot be written: {error}"
    return ""


def _is_lock(error: sqlite3.Error) -> bool:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _find_problem(file: Path) -> str:
    """Return the problem of the file, as words after its name; empty if there is none."""
    try:
        if _is_cut(file):
            return "is cut: a part of the file is missing"
        with connect(file, mode="ro", timeout_s=LOCK_S) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            revision = (
                "alembic_version" in tables
                and connection.execute("SELECT version_num FROM alembic_version").fetchone()
            )
    except (OSError, sqlite3.Error) as error:
        return f"cannot be read: {error}"
    return "" if revision else "is incomplete: its creation was interrupted"


def _is_cut(file: Path) -> bool:
    """Compare the file with the size in its header, in pages."""
    with file.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
    if not header.startswith(b"SQLite format 3\0"):
        return False  # SQLite says so
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    return file.stat().st_size < pages * (65536 if page == 1 else page)
