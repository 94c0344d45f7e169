"""Small good files of every format, made on the spot."""

from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import av
import numpy as np
import soundfile
from PIL import Image

from benchmarks.heic import HEIC

RATE_HZ = 16_000


def texts() -> dict[str, bytes]:
    """Return short texts by encoding and markup."""
    note = "a grey cat, asleep — 一只猫; write to jane@example.org or +1 650 253 0000"
    return {
        "UTF-8": note.encode(),
        "UTF-8 with a mark": b"\xef\xbb\xbf" + note.encode(),
        "UTF-16": note.encode("utf-16"),
        "HTML": f"<p>{note} &amp; <b>more</b></p><!-- not this -->".encode(),
    }


def images() -> dict[str, bytes]:
    """Return pictures of 96 x 72 by format and mode."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    photo = coarse.resize((96, 72), Image.Resampling.BICUBIC)
    deep = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    found = {
        "JPEG": _saved(photo, "JPEG", exif=exif),
        "JPEG progressive": _saved(photo, "JPEG", progressive=True),
        "JPEG CMYK": _saved(photo.convert("CMYK"), "JPEG"),
        "PNG": _saved(photo, "PNG"),
        "PNG palette": _saved(photo.quantize(16), "PNG"),
        "PNG alpha": _saved(photo.convert("RGBA"), "PNG"),
        "PNG 16 bit": _saved(deep, "PNG"),
        "WebP": _saved(photo, "WEBP"),
        "GIF": _saved(photo, "GIF"),
        "BMP": _saved(photo, "BMP"),
        "TIFF": _saved(photo, "TIFF", compression="tiff_lzw"),
        "TIFF 16 bit": _saved(deep, "TIFF"),
        "AVIF": _saved(photo, "AVIF"),
        "JPEG with a second": _saved(photo, "MPO", save_all=True, append_images=[photo]),
    }
    if find_spec("pi_heif") is not None:  # an extra
        found["HEIC"] = HEIC
    if find_spec("pydicom") is not None:  # an extra
        from benchmarks.dicom import dicom_payload

        found["DICOM"] = dicom_payload(np.asarray(deep).astype(np.uint16))
    return found


def clips() -> dict[str, bytes]:
    """Return clips of half a second by format and encoding."""
    seconds = np.arange(RATE_HZ // 2) / RATE_HZ
    tone = (0.4 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
    both = np.stack([tone, tone[::-1]], axis=1)
    found = {
        "WAV": _sound(tone, "WAV", "PCM_16"),
        "WAV 24 bit": _sound(both, "WAV", "PCM_24"),
        "WAV float": _sound(tone, "WAV", "FLOAT"),
        "WAV mu-law": _sound(tone, "WAV", "ULAW"),
        "FLAC": _sound(both, "FLAC", "PCM_16"),
        "OGG Vorbis": _sound(tone, "OGG", "VORBIS"),
        "OGG Opus": _sound(tone, "OGG", "OPUS"),
        "MP3": _sound(tone, "MP3", "MPEG_LAYER_III"),
        "AIFF": _sound(tone, "AIFF", "PCM_16"),
    }
    return found | {"M4A": film("mp4", None, "aac"), "AAC": film("adts", None, "aac")}


def films() -> dict[str, bytes]:
    """Return films of one second by container and encoding."""
    return {
        "MP4 h264": film("mp4", "libx264", "aac"),
        "MOV mjpeg": film("mov", "mjpeg", None),
        "MKV h264": film("matroska", "libx264", "aac"),
        "WebM vp8": film("webm", "libvpx", "libopus"),
        "WebM vp9": film("webm", "libvpx-vp9", None),
        "AVI mpeg4": film("avi", "mpeg4", None),
    }


SPECIMENS: dict[str, Callable[[], dict[str, bytes]]] = {
    "text": texts,
    "image": images,
    "audio": clips,
    "video": films,
}


def film(
    container: str,
    video: str | None,
    audio: str | None,
    *,
    frames: int = 25,
    rate_hz: Fraction | int = 25,
    size: tuple[int, int] = (64, 48),
) -> bytes:
    """Return a film with a square that moves, and a tone; ``size`` is width and height."""
    buffer = BytesIO()
    with av.open(buffer, "w", format=container) as output:
        pictures = _picture_stream(output, video, rate_hz, size) if video else None
        sound = output.add_stream(audio, rate=48_000, layout="mono") if audio else None
        if pictures is not None:
            for number in range(frames):
                output.mux(pictures.encode(_picture(number, size)))
            output.mux(pictures.encode(None))
        if sound is not None:
            for piece in _tone(sound, frames / 25):
                output.mux(sound.encode(piece))
            output.mux(sound.encode(None))
    return buffer.getvalue()


def _picture_stream(output: Any, codec: str, rate_hz: Fraction | int, size: tuple[int, int]) -> Any:
    stream = output.add_stream(codec, rate=rate_hz)
    stream.width, stream.height = size
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def _picture(number: int, size: tuple[int, int]) -> av.VideoFrame:
    picture = np.full((size[1], size[0], 3), 40, dtype=np.uint8)
    left = 2 * number % 48
    picture[16:32, left : left + 16] = 220
    return av.VideoFrame.from_ndarray(picture, format="rgb24")


def _tone(stream: Any, seconds: float) -> list[av.AudioFrame]:
    steps = np.arange(int(stream.rate * seconds)) / stream.rate
    tone = (0.4 * np.sin(2 * np.pi * 330 * steps)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    frame.sample_rate = stream.rate
    context = stream.codec_context
    size = context.frame_size or None
    resampler = av.AudioResampler(context.format, context.layout, context.rate, size)
    return [*resampler.resample(frame), *resampler.resample(None)]


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _sound(samples: np.ndarray, form: str, encoding: str) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, RATE_HZ, format=form, subtype=encoding)
    return buffer.getvalue()
