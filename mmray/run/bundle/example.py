"""A record that a model can predict from, made up: nothing of a corpus leaves with a model."""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import av
import numpy as np
import soundfile
from PIL import Image

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import DateColumn, TableConfig
from mmray.core.kind import Kind

TEXT = "An example of a text, with a few words."
SIDE, FRAMES, RATE_HZ = 64, 16, 16_000
DAY = datetime(2024, 5, 31, tzinfo=UTC)
_MAKERS = {
    Kind.IMAGE: lambda: _data_uri("image/png", _picture()),
    Kind.AUDIO: lambda: _data_uri("audio/wav", _sound()),
    Kind.VIDEO: lambda: _data_uri("video/mp4", _film()),
}


def example_record(config: Config) -> dict[str, Any]:
    """Return one record: media as ``data:`` URIs, as a client would send them."""
    # In the order of kinds: a film is a film and its sound, where both are of one column.
    ordered = [config.modalities[name] for name in config.modality_order()]
    return {column: cell for modality in ordered for column, cell in _cells(modality)}


def _cells(modality: ModalityConfig) -> Iterator[tuple[str, Any]]:
    if isinstance(modality, TableConfig):
        yield from _row(modality)
    elif modality.is_inline:
        yield modality.column, TEXT
    elif modality.kind == Kind.TEXT:
        yield modality.column, _data_uri("text/plain", TEXT.encode())
    else:
        yield modality.column, _MAKERS[Kind(modality.kind)]()


def _row(table: TableConfig) -> Iterator[tuple[str, Any]]:
    for number in table.numbers:
        yield number.column, 1.0
    for category in table.categories:
        yield category.column, "a"
    for date in table.dates:
        yield date.column, _day(date)
    for sequence in table.sequences:
        yield sequence.column, "a|b"


def _day(date: DateColumn) -> str | float:
    match date.format:
        case "iso":
            return DAY.isoformat()
        case "unix_s":
            return DAY.timestamp()
        case "unix_ms":
            return DAY.timestamp() * 1000
        case written:
            return DAY.strftime(written)


def _picture() -> bytes:
    ramp = np.linspace(0, 255, SIDE, dtype=np.uint8)
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((SIDE, SIDE), 128, np.uint8)], axis=-1)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def _tone() -> np.ndarray[Any, Any]:
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


def _sound() -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, _tone(), RATE_HZ, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def _film() -> bytes:
    """Return a film of half a second with a moving square, and a tone."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        video: Any = target.add_stream("mpeg4", rate=2 * FRAMES)
        video.width = video.height = SIDE
        sound: Any = target.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number in range(FRAMES):
            pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
            pixels[16:32, 2 * number : 2 * number + 16] = 255
            target.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
        tone = av.AudioFrame.from_ndarray(_tone()[None], format="fltp", layout="mono")
        tone.sample_rate = RATE_HZ
        target.mux([*sound.encode(tone), *sound.encode(None), *video.encode(None)])
    return stream.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
