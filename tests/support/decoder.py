"""Decoders that misbehave, at the word of their payload; importable by a child process."""

import os
import signal
import time

from mmray.core.rejection import Rejection


def decode(payload):
    match payload:
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"leave":
            os._exit(3)
        case b"hang":
            time.sleep(60)
        case b"eat":
            return len(bytearray(2**33))
        case b"reject":
            raise Rejection("image_broken", "as told")
        case b"bug":
            raise KeyError("a bug")
    return payload.decode().upper()
