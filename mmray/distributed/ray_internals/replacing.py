"""Names in Ray's modules that have another meaning while a block runs."""

import contextlib
from collections.abc import Generator
from importlib import import_module
from typing import Any


@contextlib.contextmanager
def replaced(part: str, value: object) -> Generator[None]:
    """Give ``module:attribute`` another value in the block."""
    module, _, path = part.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
