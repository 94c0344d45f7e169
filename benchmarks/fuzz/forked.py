"""One case in a child of this warm process: it may fail, hang or die, and is quick."""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mmray.errors import MMRayError

EXTRA_MEMORY = 4 * 2**30
LONGEST_ERROR = 4000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: ``valid``, ``error``, or what may not be."""

    word: str
    detail: str = ""
    result: Any = None
    seconds: float = 0.0


def run_forked(case: Callable[[], Any], timeout_s: float) -> Outcome:
    """Return what ``case`` returned, as plain JSON, or how it ended."""
    started = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(case, writing)
    os.close(writing)
    answer = _receive(reading, started + timeout_s)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    if answer is None:
        return Outcome("hang", f"over {timeout_s:g} s", seconds=seconds)
    if not answer:
        return Outcome("crash", f"status {os.waitstatus_to_exitcode(status)}", seconds=seconds)
    return Outcome(**json.loads(answer), seconds=seconds)


def _receive(descriptor: int, deadline: float) -> bytes | None:
    """Return all that is written, None where the end does not come in time."""
    parts: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([stream], [], [], left)[0]:
                break
            part = stream.read(2**16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return None


def _be_child(case: Callable[[], Any], writing: int) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    most = _memory() + EXTRA_MEMORY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        answer = json.dumps(_outcome_of(case)).encode()
        while answer:
            answer = answer[os.write(writing, answer) :]
    finally:
        os._exit(0)


def _outcome_of(case: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"word": "valid", "result": json.loads(json.dumps(case()))}
    except MMRayError as error:
        said = str(error)
        word = "error" if len(said) <= LONGEST_ERROR else "flood"
        return {"word": word, "detail": f"{type(error).__name__}: {said[:300]}"}
    except MemoryError:
        return {"word": "memory", "detail": _last_of_ours()}
    except BaseException as error:
        return {
            "word": "traceback",
            "detail": f"{type(error).__name__}: {str(error)[:200]!r}, {_last_of_ours()}",
        }


def _last_of_ours() -> str:
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [frame for frame in frames if "/mmray/" in frame.filename] or list(frames)
    last = ours[-1]
    return f"{Path(last.filename).name}:{last.lineno} {last.name}"


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
