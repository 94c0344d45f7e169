"""The escape hatch: a user's own factory, by name."""

import importlib
from collections.abc import Callable

from torch import nn

from mmray.core.process.user_code import find_user_code
from mmray.errors import ConfigError


def load_factory(reference: str, *, where: str) -> Callable[..., nn.Module]:
    """Import ``package.module:function``."""
    module_name, _, function_name = reference.partition(":")
    find_user_code()
    try:
        module = importlib.import_module(module_name)
        return getattr(module, function_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"cannot load the factory {reference!r}: {error}",
            where=where,
            hint="the module must be in the working folder, on PYTHONPATH or installed",
        ) from error
