from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import checkpoints

__all__ = ["audio_checkpoints", "checkpoints"]
