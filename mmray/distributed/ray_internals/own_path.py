"""A Ray job whose workers find modules where the command does, less its working folder.

Ray puts the working folder, and that of the script, before everything else. A user's file there
that is named like a library, ``tokenizers.py`` or ``datasets.py``, would take its place.
"""

from ray.job_config import JobConfig


class OwnPath(JobConfig):
    """A job that puts no folder of the command on its workers' path."""

    def _runtime_env_has_working_dir(self) -> bool:
        """Return True, which keeps Ray from adding folders."""
        return True
