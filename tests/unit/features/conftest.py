from tests.support.checkpoint import checkpoints
from tests.support.text_checkpoint import text_checkpoints

__all__ = ["checkpoints", "text_checkpoints"]
