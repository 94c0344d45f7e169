"""Which libraries compute the features of a modality, and in which versions they are installed."""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from mmray.config.modality.modality import ModalityConfig
from mmray.core.kind import Kind

_DECODE = {
    Kind.TEXT: ("jieba", "stopwordsiso", "phonenumbers", "python-stdnum"),
    Kind.IMAGE: ("pillow", "numpy", "pi-heif", "pydicom"),
    Kind.AUDIO: ("soundfile", "av", "soxr", "scipy", "numpy"),
    Kind.VIDEO: ("av", "pillow", "numpy"),
    Kind.TABLE: ("numpy",),
}
_NETWORKS = ("torch", "transformers", "tokenizers")
_EXTRACT = {
    "hf_text": _NETWORKS, "hf_image": _NETWORKS, "hf_audio": _NETWORKS, "hf_frames": _NETWORKS,
    "hf_video": _NETWORKS, "transcript": _NETWORKS, "tokens": ("tokenizers",),
}  # fmt: skip


def libraries_of(config: ModalityConfig) -> dict[str, str]:
    """Return name and version of what decodes and extracts, as far as it is installed.

    Python stands among them for texts: it brings the table of Unicode.
    """
    names = (*_DECODE[Kind(config.kind)], *_EXTRACT.get(config.extract.kind, ()))
    found = {name: told for name in sorted(set(names)) if (told := _version(name))}
    if config.kind == "text":
        found["python"] = "{}.{}".format(*sys.version_info)
    return found


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
