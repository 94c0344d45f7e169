"""Which job is meant, which name a job gets, and a log over connections that break."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mmray.distributed.jobs.job import _active, _free_id, find_job, name_job
from mmray.distributed.jobs.log import follow
from mmray.distributed.jobs.package import document_name
from mmray.errors import ClusterError
from tests.support.document import make_config

ray_jobs = pytest.importorskip("ray.job_submission")
Status = ray_jobs.JobStatus


@dataclass
class Job:
    submission_id: str
    status: Status = Status.RUNNING
    metadata: dict = field(default_factory=dict)


@dataclass
class Client:
    """A cluster that breaks the connection after each of the parts of a log."""

    jobs: list
    parts: list = field(default_factory=list)
    connections: int = 0

    def list_jobs(self):
        return self.jobs

    def get_job_info(self, _):
        is_over = self.connections >= len(self.parts)
        return Job("a", Status.SUCCEEDED if is_over else Status.RUNNING)

    async def tail_job_logs(self, _):
        self.connections += 1
        for part in self.parts[: self.connections]:  # every connection begins at the start
            yield part
        if self.connections < len(self.parts):
            raise RuntimeError("WebSocket connection closed unexpectedly")


def test_a_log_is_written_once_over_connections_that_break(capsys, monkeypatch):
    monkeypatch.setattr("mmray.distributed.jobs.log.PAUSE_S", 0.0)

    job = follow(Client([], ["one\n", "two\x1b[2J\n", "three\n"]), "a")

    assert job.status == Status.SUCCEEDED
    assert capsys.readouterr().err == "one\ntwo\\x1b[2J\nthree\n"


def test_a_job_that_has_not_ended_is_attached_to():
    jobs = [Job("pets-1", Status.FAILED, {"mmray": "pets"}), Job("x", metadata={"mmray": "dogs"})]

    assert _active(jobs, "pets") == ""
    assert _active([*jobs, Job("pets-2", Status.PENDING, {"mmray": "pets"})], "pets") == "pets-2"


def test_a_job_gets_a_number_when_its_name_is_taken():
    assert _free_id("pets", []) == "pets"
    assert _free_id("pets", ["dogs", "pets", "pets-2"]) == "pets-3"


def test_a_document_has_one_name_and_another_document_another():
    config, workflow = make_config(name="Katzen.é"), Path("workflows/fusion.py")

    assert name_job(config, workflow) == name_job(make_config(name="Katzen.é"), workflow)
    assert name_job(config, workflow).startswith("Katzen-")
    assert name_job(config, workflow) != name_job(config, Path("workflows/search.py"))


def test_a_job_is_found_by_the_only_beginning_of_its_id():
    client = Client([Job("pets-1a"), Job("pets-1b"), Job("pets"), Job("dogs-7")])

    assert find_job(client, "dogs", "http://h") == "dogs-7"
    assert find_job(client, "pets", "http://h") == "pets"
    with pytest.raises(ClusterError, match="2 jobs begin with 'pets-'"):
        find_job(client, "pets-", "http://h")
    with pytest.raises(ClusterError, match="no job 'cats'"):
        find_job(client, "cats", "http://h")


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ("pets.yaml", "pets.yaml"),
        ("workflows/configs/pets.yaml", "workflows/configs/pets.yaml"),
        ("/home/me/pets.yaml", "pets.yaml"),
        ("../pets.yaml", "pets.yaml"),
    ],
)
def test_a_job_speaks_of_the_document_by_the_user_s_name(given, there):
    assert str(document_name(Path(given))) == there
