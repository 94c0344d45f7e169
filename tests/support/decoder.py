"""Decoders that misbehave, at the word of their payload; importable by a child process."""

import os
import signal
import time

import numpy as np

from mmray.core.rejection import Rejection

KEPT = []


def decode(payload):
    match payload:
        case b"pid":
            return os.getpid()
        case b"clock":
            return time.monotonic()
        case b"reject":
            raise Rejection("image_broken", "as told")
        case b"bug":
            raise KeyError("a bug")
        case b"eat":
            return len(bytearray(2**33))
        case b"keep":
            KEPT.append(bytes(300 * 2**20))
            raise Rejection("image_too_large", "and holds what it took")
    end_or_hang(payload)
    return payload.decode().upper()


def decode_large(payload):
    """Return so many bytes as the payload says."""
    return np.zeros(int(payload), np.uint8)


def end_or_hang(payload):
    match payload:
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"leave":
            os._exit(3)
        case b"hang":
            time.sleep(60)


class Trap:
    """What would run a command in the process that unpickles it."""

    def __reduce__(self):
        return os.mkdir, (os.environ["TRAP"],)


def decode_and_take_over(payload):
    """Answer as native code could that a hostile payload has taken over: with a pickle, or junk."""
    import gc

    from mmray.media.guard.channel import Channel

    if payload == b"a":
        return "A"
    (channel,) = (each for each in gc.get_objects() if isinstance(each, Channel))
    match payload:
        case b"pickle":
            channel.send(channel.pack([(False, Trap(), False)]))
        case b"huge":
            channel.send(b"\x02" + bytes(7) + b"\xff" * 7 + b"\x7f" + b"\xff" * 8)
        case b"many":
            channel.send(
                channel.pack_parts(b"[" + b"[false,1,false]," * 99 + b"[false,1,false]]", [])
            )
    time.sleep(60)
    return None
