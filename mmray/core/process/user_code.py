"""Where the modules of ``custom`` factories are found."""

import os
import sys
from pathlib import Path

FOLDER = "MMRAY_USER_CODE"
"""Environment variable: the working folder of the command, for its workers."""


def find_user_code() -> None:
    """Let imports search the working folder, after everything that is installed.

    If it came first, a file named like a library would replace the library.
    """
    folder = os.environ.get(FOLDER) or str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
