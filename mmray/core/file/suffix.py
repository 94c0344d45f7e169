"""The kind of a file by its extension."""

import posixpath

from mmray.core.kind import Kind

_SUFFIXES = {
    Kind.TEXT: "txt text md rst html htm json jsonl csv tsv xml srt vtt lab",
    Kind.IMAGE: "jpg jpeg jpe png webp gif bmp tif tiff avif heic heif dcm ppm pgm jp2",
    Kind.AUDIO: "wav flac mp3 ogg oga opus aac m4a aif aiff wma amr",
    Kind.VIDEO: "mp4 m4v mov mkv webm avi mpg mpeg wmv flv ts 3gp",
    Kind.SERIES: "npy",
}
_KINDS = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def kind_of_name(name: str) -> Kind | None:
    """Return the kind of a name's extension, or None."""
    return _KINDS.get(posixpath.splitext(name)[1][1:].lower())
