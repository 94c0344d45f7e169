"""The metadata of a saved Hugging Face data set, in JSON that anybody may have written."""

from typing import Any

from mmray.data.layouts.json_lines import parse_row
from mmray.data.layouts.limits import MAX_METADATA_BYTES
from mmray.data.sources.source import Source
from mmray.errors import ManifestError

MAX_LISTS = 8
"""Deepest nesting of lists."""
SAVE_AGAIN = "write the data set again with save_to_disk"


def read_object(source: Source, name: str) -> dict[str, Any]:
    """Return a JSON object; one that is none, or too large, is a ManifestError."""
    location = source.location(name)
    with source.open(name) as stream:
        content = stream.read(MAX_METADATA_BYTES + 1)
    if len(content) > MAX_METADATA_BYTES:
        raise ManifestError(f"over {MAX_METADATA_BYTES:,} bytes", where=location, hint=SAVE_AGAIN)
    found = parse_row(content, location, "this file")
    if not isinstance(found, dict):
        raise ManifestError("not an object", where=location, hint=SAVE_AGAIN)
    return found


def class_names(info: dict[str, Any], location: str) -> dict[str, list[str]]:
    """Return the names of the classes of every column of class numbers, or of lists of them."""
    features = info.get("features") or {}
    if not isinstance(features, dict):
        raise ManifestError("'features' is not an object", where=location, hint=SAVE_AGAIN)
    found: dict[str, list[str]] = {}
    for column, feature in features.items():
        label = _class_label(feature)
        if label is not None:
            names = list_of(label, "names", location)
            if not all(isinstance(name, str) for name in names):
                raise ManifestError(
                    f"{column}: the names of its classes are not all text",
                    where=location,
                    hint=SAVE_AGAIN,
                )
            found |= {column: names} if names else {}
    return found


def _class_label(feature: object, depth: int = 0) -> dict[str, Any] | None:
    """Return what describes a column's classes, or those in its lists; None where it has none."""
    if isinstance(feature, list) and len(feature) == 1:  # how older versions write a list
        feature = {"feature": feature[0]}
    if not isinstance(feature, dict) or depth > MAX_LISTS:
        return None
    if feature.get("_type") == "ClassLabel":
        return feature
    return _class_label(feature.get("feature"), depth + 1)  # of a Sequence, List or LargeList


def list_of(document: dict[str, Any], key: str, location: str) -> list[Any]:
    """Return the list under a key; none is empty."""
    found = document.get(key) or []
    if isinstance(found, list):
        return found
    raise ManifestError(f"{key!r} is not a list", where=location, hint=SAVE_AGAIN)


def plain_name(name: object, source: Source, file: str) -> str:
    """Return the name of a file beside ``file``; anything else is a ManifestError."""
    if isinstance(name, str) and name and not name.startswith(".") and not {"/", "\\"} & set(name):
        return name
    raise ManifestError(
        f"{name!r} is not the name of a file beside it", where=source.location(file)
    )
