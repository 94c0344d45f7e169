"""Module search paths of Ray's workers: those of the command."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import mmray
from mmray.core.process.user_code import FOLDER


def path_environment() -> dict[str, str]:
    """Return the variables that name the folder of the command, and that of mmray.

    Without the second, a worker would not find a copy of mmray that is not installed.
    """
    values = {FOLDER: str(Path.cwd())}
    root = str(Path(mmray.__file__).parents[1])
    folders = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    if not _is_installed() and root not in folders:
        values["PYTHONPATH"] = os.pathsep.join([*folders, root])
    return values


def _is_installed() -> bool:
    try:
        distribution("mmray")
    except PackageNotFoundError:
        return False
    return True
