"""Extractors that lose their process, or find no room on the disk, while a marker says so."""

import os
import resource
import signal
from pathlib import Path

import numpy as np

from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec

VALUES = 2**14
ROOM_BYTES = 2**16


class Text:
    """A text becomes 64 KiB of numbers that follow from it, and do not pack well."""

    def __init__(self, marker):
        self.spec = FeatureSpec(Kind.TEXT, "vector", (VALUES,), "float32")
        self.marker = Path(marker)

    def decode(self, payload):
        return payload

    def extract(self, decoded):
        self.befall(decoded)
        return [numbers_of(payload) for payload in decoded]


def numbers_of(payload):
    seed = int.from_bytes(payload, "little")
    return np.random.default_rng(seed).random(VALUES, dtype=np.float32)


class Killed(Text):
    """Its process is killed at the text that names it, once: the marker takes note."""

    def befall(self, decoded):
        if b"kill" not in decoded:
            return
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


class Full(Text):
    """While the marker is there, its process can write no file larger than ``ROOM_BYTES``."""

    def befall(self, decoded):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        room = ROOM_BYTES if self.marker.exists() and b"fill" in decoded else hard
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
