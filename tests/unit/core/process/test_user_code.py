"""A user's own modules: found in the working folder, behind the libraries."""

import importlib
import sys

import pytest

from mmray.core.process.user_code import FOLDER, find_user_code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, and a path that the test may change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv(FOLDER, raising=False)
    return tmp_path


def test_what_is_installed_comes_first(folder):
    (folder / "tokenizers.py").write_text("raise ImportError('not the library')")
    (folder / "own_module_of_a_user.py").write_text("answer = 7")

    find_user_code()
    find_user_code()

    assert importlib.import_module("own_module_of_a_user").answer == 7
    assert "site-packages" in importlib.util.find_spec("tokenizers").origin
    assert sys.path.count(str(folder)) == 1


def test_a_worker_elsewhere_looks_where_the_command_was_given(folder, monkeypatch):
    monkeypatch.setenv(FOLDER, "/where/the/command/was/given")

    find_user_code()

    assert sys.path[-1] == "/where/the/command/was/given"
