"""The jobs of a group of workers, as files in a folder that all nodes share.

    0001.job  0001.done  0002.job  ...  end  started-<id>

Each worker reads the jobs in their order. Of a group that started anew after a failure, each worker
begins with the first job that is not done.
"""

import json
import time
import uuid
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmray.core.file.atomic import replacing
from mmray.run.training_job import TrainingJob, job_from_dict

POLL_S = 0.05
JOB, DONE = ".job", ".done"
END, STARTED = "end", "started-"


@dataclass(frozen=True, slots=True)
class Inbox:
    """The folder with the jobs of one group."""

    folder: Path

    def open(self) -> None:
        """Make the folder, for this user alone: a document may hold the secrets of its URIs."""
        self.folder.mkdir(parents=True, mode=0o700)

    def put(self, number: int, trainings: Sequence[TrainingJob]) -> None:
        """Add a job: some trainings, one after the other."""
        document = json.dumps([each.to_dict() for each in trainings])
        with replacing(self._path(number, JOB)) as temporary:
            temporary.write_text(document, encoding="utf-8")

    def close(self) -> None:
        """Let the workers end when they are done with the job at hand."""
        (self.folder / END).touch()

    def is_done(self, number: int) -> bool:
        """Return whether the trainings of a job are complete."""
        return self._path(number, DONE).name in self._names()

    @property
    def num_starts(self) -> int:
        """How often the group has started: more than once after a failure, or in another size."""
        return sum(name.startswith(STARTED) for name in self._names())

    def note_start(self) -> None:
        """Note that the group has started."""
        (self.folder / f"{STARTED}{uuid.uuid4().hex[:8]}").touch()

    def note_done(self, number: int) -> None:
        """Note that a job is done."""
        self._path(number, DONE).touch()

    def jobs(self) -> Generator[tuple[int, list[TrainingJob]]]:
        """Yield each job with its number when it comes; end when the group is closed."""
        number = 1 + sum(name.endswith(DONE) for name in self._names())
        while self._wait(number):
            document = json.loads(self._path(number, JOB).read_text(encoding="utf-8"))
            yield number, [job_from_dict(each) for each in document]
            number += 1

    def _wait(self, number: int) -> bool:
        """Wait for a job; return False if the group was closed instead."""
        wanted = self._path(number, JOB).name
        while True:
            names = self._names()
            if END in names:
                return False
            if wanted in names:
                return True
            time.sleep(POLL_S)

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:04d}{kind}"

    def _names(self) -> set[str]:
        # Not 'exists': a network file system remembers for long that a file was not there.
        return {path.name for path in self.folder.iterdir()}
