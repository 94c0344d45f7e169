"""Epochs on their way from the workers' files to who wants to hear of them."""

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import read_json, write_json
from mmray.errors import TrainingError
from mmray.run.epoch_file import epoch_lines

POLL_S = 0.5
INTERRUPT = signal.SIGUSR2
"""Interrupts the block. Not SIGINT: a command in the background of a script ignores that."""
HEARD = "heard.json"
"""Beside a run's epochs: the numbers of those that were passed on."""

OnEpoch = Callable[[str, dict[str, Any]], None]


class EpochListener:
    """Passes each epoch of some runs on once, also over the death of the process that listens."""

    def __init__(self, files: dict[str, Path], on_epoch: OnEpoch) -> None:
        self._files, self._on_epoch = files, on_epoch
        # A run that goes on has epochs that were heard, and perhaps some that were not.
        self._heard = {name: _heard_before(path) for name, path in files.items()}

    def hear(self) -> None:
        """Pass on what is new."""
        for name, path in self._files.items():
            heard = self._heard[name]
            for line in epoch_lines(path):
                if line["epoch"] not in heard:
                    self._on_epoch(name, line)
                    heard.append(line["epoch"])
                    write_json(path.with_name(HEARD), heard)


def _heard_before(path: Path) -> list[int]:
    """Return the epochs that were passed on; with a damaged file, none."""
    try:
        heard = read_json(path.with_name(HEARD))
    except (OSError, ValueError, RecursionError):
        return []
    return heard if isinstance(heard, list) else []


@contextlib.contextmanager
def watching(files: dict[str, Path], on_epoch: OnEpoch, *, needed: Path) -> Generator[None]:
    """Follow the epoch files while the block runs; every epoch has been heard once when it ends.

    What cannot be passed on ends the block, and so does the loss of ``needed``: the workers would
    wait for files that nobody writes any more.
    """
    listener, stop = EpochListener(files, on_epoch), threading.Event()
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            while not stop.wait(POLL_S):
                _check_there(needed)
                listener.hear()
        except BaseException as error:
            failures.append(error)
            if not stop.is_set():
                interrupt()

    with _interruptible() as interrupt:
        thread = threading.Thread(target=follow, name="epochs", daemon=True)
        thread.start()
        try:
            yield
        except KeyboardInterrupt:
            if not failures:
                raise
        finally:
            stop.set()
            thread.join()
    if failures:
        raise failures[0]
    listener.hear()


@contextlib.contextmanager
def _interruptible() -> Generator[Callable[[], None]]:
    """Yield what raises a KeyboardInterrupt in the block; outside of the main thread, nothing."""
    main = threading.main_thread()
    if threading.current_thread() is not main:
        yield lambda: None
        return
    before = signal.signal(INTERRUPT, _interrupt)
    try:
        yield lambda: signal.pthread_kill(main.ident or 0, INTERRUPT)
    finally:
        signal.signal(INTERRUPT, before)


def _interrupt(_: int, __: object) -> None:
    raise KeyboardInterrupt


def _check_there(needed: Path) -> None:
    if not needed.exists():
        raise TrainingError(
            "the workspace was removed or moved during training",
            where=str(needed),
            hint="run the same command again: it computes what is missing",
        )
