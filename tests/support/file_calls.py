"""Which files a block asks the system about, without a hand in what it does."""

import os
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

COUNTED = {os.stat: "stat", os.open: "open"}


@contextmanager
def file_calls():
    """Yield a counter of ``(call, name of the file)``; it is filled until the block ends.

    The name is what the calling function has as ``path``, or as ``self`` where that is a path.
    """
    calls = Counter()

    def hear(frame, event, called):
        if event == "c_call" and (call := COUNTED.get(called)):
            path = frame.f_locals.get("path", frame.f_locals.get("self"))
            if isinstance(path, str | Path):
                calls[call, Path(path).name] += 1

    before = sys.getprofile()
    sys.setprofile(hear)
    threading.setprofile(hear)
    try:
        yield calls
    finally:
        threading.setprofile(None)
        sys.setprofile(before)
