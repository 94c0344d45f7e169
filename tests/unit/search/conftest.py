# A fixture that tests here share.
from tests.support.checkpoint import checkpoints

__all__ = ["checkpoints"]
