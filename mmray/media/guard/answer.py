"""Answers of a decoder's process, as JSON and bytes: nothing in them can run in the parent.

The process read hostile bytes with native code, so its parent believes nothing that it says: an
answer is text, numbers, arrays of numbers, an ``AudioClip``, any of these with a digest, a
Rejection, or a bug to be raised.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from mmray.core.rejection import Rejection
from mmray.media.audio.segment import AudioClip
from mmray.media.digested import Digested

NUMBERS = "biufc"
"""Kinds of arrays that may be answered; objects may not."""

Answer = tuple[bool, Any, bool]
"""Whether it is a rejection or a bug, the value or the exception, whether the child is spent."""
Buffer = bytes | bytearray | memoryview


class WrongAnswer(ValueError):  # noqa: N818 (what was received, not an error of ours)
    """The child answered what no child of ours would."""


def to_message(answers: Sequence[Answer]) -> tuple[bytes, list[Buffer]]:
    """Return answers as JSON, and the bytes of their arrays in order."""
    buffers: list[Buffer] = []
    told = [[failed, _plain(value, buffers), spent] for failed, value, spent in answers]
    return json.dumps(told, separators=(",", ":")).encode(), buffers


def from_message(head: Buffer, buffers: Sequence[Buffer]) -> list[Answer]:
    """Return the answers of a message; anything but what ``to_message`` makes is a WrongAnswer."""
    try:
        rest = iter(buffers)
        told = json.loads(bytes(head))
        return [
            (bool(failed), _value(value, rest.__next__), bool(spent))
            for failed, value, spent in told
        ]
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError) as error:
        raise WrongAnswer(str(error)) from None


def _plain(value: Any, buffers: list[Buffer]) -> Any:  # noqa: ANN401 (what a decoder returns)
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return value.item()
        case np.ndarray():
            return _plain_array(value, buffers)
        case list() | tuple():
            return [_plain(item, buffers) for item in cast("Sequence[Any]", value)]
        case _:
            return _plain_object(value, buffers)


def _plain_object(value: object, buffers: list[Buffer]) -> dict[str, Any]:
    match value:
        case AudioClip():
            return {"clip": [_plain(segment, buffers) for segment in value.segments]}
        case Digested():
            return {"digested": [value.digest, _plain(value.value, buffers)]}
        case Rejection():
            return {"rejection": [value.reason, value.detail]}
        case RuntimeError():
            return {"bug": [str(value), *getattr(value, "__notes__", ())]}
        case _:
            raise TypeError(f"a guarded decoder cannot return {type(value).__name__}")


def _plain_array(array: np.ndarray[Any, Any], buffers: list[Buffer]) -> dict[str, Any]:
    if array.dtype.kind not in NUMBERS:
        raise TypeError(f"a guarded decoder cannot return an array of {array.dtype}")
    content: Any = np.ascontiguousarray(array)  # a buffer, which no checker knows before 3.12
    buffers.append(memoryview(content).cast("B") if array.size else b"")
    return {"array": [array.dtype.str, *array.shape]}


def _value(told: Any, take: Callable[[], Buffer]) -> Any:  # noqa: ANN401
    if isinstance(told, list):
        return [_value(item, take) for item in cast("list[Any]", told)]
    if not isinstance(told, dict):
        return told
    ((kind, content),) = cast("dict[str, Any]", told).items()
    match kind:
        case "array":
            return _array(content, take())
        case "clip":
            return AudioClip(tuple(_array(part["array"], take()) for part in content))
        case "digested":
            digest, inner = content
            return Digested(str(digest), _value(inner, take))
        case _:
            return _failure(kind, content)


def _failure(kind: str, content: Sequence[Any]) -> Exception:
    match kind:
        case "rejection":
            reason, detail = content
            return Rejection(str(reason), str(detail))
        case "bug":
            bug = RuntimeError(str(content[0]))
            for note in content[1:]:
                bug.add_note(str(note))
            return bug
        case _:
            raise WrongAnswer(f"{kind!r} is no kind of answer")


def _array(told: Sequence[Any], content: Buffer) -> np.ndarray[Any, Any]:
    """Return an array over the bytes that were received, which belong to this process."""
    dtype, shape = np.dtype(str(told[0])), tuple(told[1:])
    if dtype.kind not in NUMBERS or not all(type(n) is int and n >= 0 for n in shape):
        raise WrongAnswer("it is no array of numbers")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise WrongAnswer("an array has another size than its bytes")
    return np.frombuffer(content, dtype).reshape(shape) if len(content) else np.zeros(shape, dtype)
