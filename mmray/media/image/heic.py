"""HEIC, as phones write it, by a plug-in of Pillow that is installed beside it."""

from importlib.util import find_spec

from mmray.core.rejection import Rejection

FORMAT = "HEIF"
"""What the plug-in calls it."""
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(payload: bytes) -> bool:
    """Return whether the payload is a HEIC file; the similar AVIF is not."""
    return payload[4:8] == b"ftyp" and payload[8:12] in _BRANDS and b"avif" not in payload[:64]


def enable_heic() -> None:
    """Let Pillow open HEIC, on one thread; ``image_unsupported`` without the plug-in."""
    if find_spec("pi_heif") is None:
        raise Rejection("image_unsupported", "a HEIC file; install mmray[heic] to read it")
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
