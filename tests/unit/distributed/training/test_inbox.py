"""Jobs on their way to the workers of a group."""

from dataclasses import replace

import pytest

from mmray.distributed.training.inbox import Inbox
from mmray.run.training_job import TrainingJob, job_from_dict
from tests.support.document import make_config

JOB = TrainingJob("fusion", make_config(), "manifest", {"text": "features"}, 3, "folder")


@pytest.fixture
def inbox(tmp_path):
    found = Inbox(tmp_path / "jobs")
    found.open()
    return found


def test_jobs_come_in_their_order_until_the_inbox_is_closed(inbox):
    inbox.put(1, [JOB])
    inbox.put(2, [replace(JOB, name="text", folds=5, fold=1), JOB])

    found = []
    for number, jobs in inbox.jobs():
        found.append((number, jobs))
        if number == 2:
            inbox.close()

    assert found == [(1, [JOB]), (2, [replace(JOB, name="text", folds=5, fold=1), JOB])]


def test_workers_that_start_again_begin_with_the_first_job_that_is_not_done(inbox):
    for number in (1, 2, 3):
        inbox.put(number, [replace(JOB, seed=number)])
    inbox.note_done(1)

    number, jobs = next(inbox.jobs())

    assert (number, jobs[0].seed) == (2, 2)
    assert [inbox.is_done(each) for each in (1, 2)] == [True, False]


def test_a_closed_inbox_gives_no_job_any_more(inbox):
    inbox.put(1, [JOB])
    inbox.close()

    assert list(inbox.jobs()) == []


def test_every_start_of_the_group_counts(inbox):
    assert inbox.num_starts == 0
    inbox.note_start()
    inbox.note_start()

    assert inbox.num_starts == 2


def test_only_this_user_may_read_the_jobs_because_a_document_may_hold_secrets(inbox):
    assert inbox.folder.stat().st_mode & 0o777 == 0o700


def test_a_job_survives_as_json(tmp_path):
    assert job_from_dict(JOB.to_dict()) == JOB
