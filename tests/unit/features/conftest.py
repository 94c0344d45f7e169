from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import checkpoints
from tests.support.text_checkpoint import text_checkpoints

__all__ = ["audio_checkpoints", "checkpoints", "text_checkpoints"]
