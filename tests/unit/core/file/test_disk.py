"""What the disk says no to."""

import errno
import os

import pytest
import typer

from mmray.cli.console import user_errors
from mmray.core.file.disk import to_disk_error
from mmray.errors import DiskFullError


def failure(number):
    return OSError(number, os.strerror(number), "/data/train/epochs.jsonl")


def test_a_full_disk_and_one_that_may_not_be_written_to_are_told_with_their_place():
    full, refused = (to_disk_error(failure(n)) for n in (errno.ENOSPC, errno.EROFS))

    assert isinstance(full, DiskFullError)
    assert full.where == refused.where == "/data/train/epochs.jsonl"
    assert "Read-only file system" in str(refused)
    assert to_disk_error(failure(errno.EPIPE)) is None


def test_the_command_ends_with_a_message_and_not_with_a_traceback(capsys):
    with pytest.raises(typer.Exit) as info, user_errors():
        raise failure(errno.ENOSPC)

    assert info.value.exit_code == 1
    assert "error: no space left on the disk\n  where: /data/train" in capsys.readouterr().err


def test_what_is_no_matter_of_the_disk_stays_a_bug():
    with pytest.raises(BrokenPipeError), user_errors():
        raise failure(errno.EPIPE)
