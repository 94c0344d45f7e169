"""Where Ray's workers find modules: where the command finds them, less its working folder.

Ray puts the working folder, and that of the script, before everything else. A user's file there
that is named like a library, ``tokenizers.py`` or ``datasets.py``, would take its place.
"""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ray.job_config import JobConfig

import mmray
from mmray.core.process.user_code import FOLDER


class OwnPath(JobConfig):
    """A job whose workers get no folder of the command put on their path."""

    def _runtime_env_has_working_dir(self) -> bool:
        """Say what keeps Ray from adding folders."""
        return True


def path_environment() -> dict[str, str]:
    """Return what tells a worker where the command was given, and where mmray is.

    A copy of mmray that is not installed is found through the working folder alone.
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
