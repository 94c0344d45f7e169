from tests.support.checkpoint import checkpoints

__all__ = ["checkpoints"]
