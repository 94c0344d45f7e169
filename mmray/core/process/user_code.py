"""Where the modules of ``custom`` factories are found, and how a factory is loaded."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmray.errors import ConfigError

FOLDER = "MMRAY_USER_CODE"
"""Environment variable: the working folder of the command, for its workers."""


def find_user_code() -> None:
    """Let imports search the working folder, after everything that is installed.

    If it came first, a file named like a library would replace the library.
    """
    folder = os.environ.get(FOLDER) or str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)


def load_factory(reference: str, *, where: str = "") -> Callable[..., Any]:
    """Import ``package.module:function``; ``where`` is the key of the document that names it."""
    module_name, _, function_name = reference.partition(":")
    find_user_code()
    try:
        return getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"cannot load the factory {reference!r}: {error}",
            where=where,
            hint="the module must be in the working folder, on PYTHONPATH or installed",
        ) from error
