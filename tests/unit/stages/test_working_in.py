import logging
import threading

import pytest

from mmray.core.process.lock import WORKSPACE_LOCK, locked
from mmray.errors import ConfigError
from mmray.stages.workspace import working_in
from tests.support.document import make_config


def test_the_workspace_is_made_and_a_second_command_waits_and_says_so(tmp_path, caplog):
    config = make_config(workspace=str(tmp_path / "new" / "work"))
    is_inside = threading.Event()

    def second():
        with working_in(config):
            is_inside.set()

    with working_in(config):
        thread = threading.Thread(target=second)
        with caplog.at_level(logging.WARNING):
            thread.start()
            assert not is_inside.wait(0.3)
    assert is_inside.wait(10)
    thread.join()

    assert "new/work is in use by process" in caplog.text


@pytest.mark.parametrize("place", ["file", "file/work"])
def test_a_workspace_that_is_a_file_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    config = make_config(workspace=str(tmp_path / place))

    with (
        pytest.raises(ConfigError, match="the workspace cannot be used") as caught,
        working_in(config),
    ):
        pass

    assert caught.value.where == f"workspace: {tmp_path / place}"
    assert (tmp_path / "file").read_text() == "mine"


def test_an_error_of_the_work_itself_stays_what_it_is(tmp_path):
    config = make_config(workspace=str(tmp_path / "work"))

    with pytest.raises(PermissionError), working_in(config):
        raise PermissionError("of a payload")

    with locked(
        tmp_path / "work" / WORKSPACE_LOCK, on_wait=lambda holder: pytest.fail(str(holder))
    ):
        pass
