"""A job's log, followed to the job's end over connections that break."""

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from mmray.core.text.printable import printable

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

LOST_S = 60.0
"""Longest time that a cluster may be unreachable before following ends."""
PAUSE_S = 1.0


def follow(client: "JobSubmissionClient", job_id: str) -> "JobDetails":
    """Write a job's log to standard error until the job has ended; return how it ended.

    A connection that breaks is made again, and the log continues where it broke.
    """
    log, heard_s = _Log(), time.monotonic()
    while True:
        try:
            asyncio.run(log.write(client, job_id))
            job = client.get_job_info(job_id)
            if job.status.is_terminal():
                return job
            heard_s = time.monotonic()
        except (OSError, RuntimeError, aiohttp.ClientError):
            if time.monotonic() - heard_s > LOST_S:
                raise
        time.sleep(PAUSE_S)


@dataclass(slots=True)
class _Log:
    """Written length of a log; every connection begins at its start."""

    written: int = 0

    async def write(self, client: "JobSubmissionClient", job_id: str) -> None:
        """Write what is new until the connection ends."""
        position = 0
        async for text in client.tail_job_logs(job_id):
            fresh = text[max(0, self.written - position) :]
            position += len(text)
            self.written = max(self.written, position)
            sys.stderr.write(printable(fresh, keep="\n\t"))
            sys.stderr.flush()
