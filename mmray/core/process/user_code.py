"""Where a user's own modules are found, those that a document names as ``custom``."""

import os
import sys
from pathlib import Path

FOLDER = "MMRAY_USER_CODE"
"""Environment variable: the folder in which the command was given, for its workers elsewhere."""


def find_user_code() -> None:
    """Let imports look into the working folder, behind everything that is installed.

    Before it, a file of the user's that is named like a library would take the library's place.
    """
    folder = os.environ.get(FOLDER) or str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
