"""Commands that take turns of a few seconds: what slows the machine down slows all of them.

A machine that is shared is by a tenth faster or slower from one minute to the next, so commands
that run one after the other, each for a minute, cannot be told apart by less.
"""

import contextlib
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence

import psutil

TURN_S = 3.0


def seconds_in_turn(commands: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Run all commands, one at a time, and return how long each took while it was its turn.

    While another has its turn, a command and all processes below it are stopped. The first is given
    the first turn. Raises CalledProcessError where one fails. None is left, whatever happens.
    """
    seconds = dict.fromkeys(commands, 0.0)
    started: dict[str, subprocess.Popen[bytes]] = {}
    waiting = deque(commands)
    try:
        while waiting:
            name = waiting.popleft()
            begun = time.monotonic()
            if name in started:
                signal_all(started[name].pid, signal.SIGCONT)
            else:
                started[name] = subprocess.Popen(commands[name])
            try:
                code = started[name].wait(TURN_S if waiting else None)
            except subprocess.TimeoutExpired:
                signal_all(started[name].pid, signal.SIGSTOP)
                waiting.append(name)
                code = 0
            seconds[name] += time.monotonic() - begun
            if code:
                raise subprocess.CalledProcessError(code, commands[name])
    finally:
        for process in started.values():
            if process.poll() is None:
                signal_all(process.pid, signal.SIGCONT)
                process.terminate()
                process.wait()
    return seconds


def signal_all(pid: int, number: int) -> None:
    """Send a signal to a process and to all below it, those included that begin meanwhile."""
    told: set[psutil.Process] = set()
    while new := _tree(pid) - told:
        for process in new:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        told |= new


def _tree(pid: int) -> set[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return {root, *root.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()
