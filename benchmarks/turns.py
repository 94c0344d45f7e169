"""Commands that take turns of a few seconds: what slows the machine down slows all of them.

A machine that is shared is by a tenth faster or slower from one minute to the next, so smaller
differences between commands that run one after the other do not show.
"""

import contextlib
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil

TURN_S = 3.0


@dataclass(frozen=True, slots=True)
class Turn:
    """When a command could work, by the clock that all processes of a machine share."""

    begun: float
    ended: float


class Command:
    """A command and all processes below it, which are stopped and continued together."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._process = subprocess.Popen(words)
        self._stopped: set[psutil.Process] = set()

    def work(self, seconds: float | None) -> bool:
        """Let it work for this long, or until it ends; return whether it still runs.

        Raises CalledProcessError where it fails.
        """
        _send(self._stopped, signal.SIGCONT)
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            _send(self._stopped, signal.SIGSTOP)
            return True
        if code:
            raise subprocess.CalledProcessError(code, self._words)
        return False

    def stop_new(self) -> None:
        """Stop what has begun since it was stopped last."""
        while new := _tree(self._process.pid) - self._stopped:
            _send(new, signal.SIGSTOP)
            self._stopped |= new

    def end(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            _send(self._stopped, signal.SIGCONT)
            self._process.terminate()
            self._process.wait()


def work_in_turn(
    commands: Mapping[str, Sequence[str]],
    *,
    turn_s: float = TURN_S,
    is_ready: Callable[[], bool] = lambda: True,
) -> dict[str, list[Turn]]:
    """Run all commands, one at a time, and return the turns of each.

    The first begins, the others follow once ``is_ready``. While another has its turn, a command and
    all processes below it are stopped. Raises CalledProcessError where one fails. None is left,
    whatever happens.
    """
    turns: dict[str, list[Turn]] = {name: [] for name in commands}
    started: dict[str, Command] = {}
    waiting = deque(commands)
    try:
        while waiting:
            name = waiting.popleft()
            is_alone = not any(other in started for other in waiting)
            if name not in started and not is_alone and not is_ready():
                waiting.append(name)
                continue
            begun = time.monotonic()
            if name not in started:
                started[name] = Command(commands[name])
            goes_on = started[name].work(turn_s if waiting else None)
            turns[name].append(Turn(begun, time.monotonic()))
            if goes_on:
                started[name].stop_new()
                waiting.append(name)
    finally:
        for command in started.values():
            command.end()
    return turns


def seconds_in_turn(commands: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Run all commands in turn, and return how long each took while it was its turn."""
    turns = work_in_turn(commands)
    return {name: sum(turn.ended - turn.begun for turn in turns[name]) for name in commands}


def seconds_within(turns: Iterable[Turn], begun: float, ended: float) -> float:
    """Return how much of a span of time the turns were."""
    return sum(max(0.0, min(ended, t.ended) - max(begun, t.begun)) for t in turns)


def _send(processes: Iterable[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _tree(pid: int) -> set[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return {root, *root.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()
