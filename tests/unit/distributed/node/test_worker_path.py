"""What a worker is told of where modules are."""

from pathlib import Path

from mmray.core.process.user_code import FOLDER
from mmray.distributed.node import worker_path
from mmray.distributed.node.worker_path import path_environment
from mmray.distributed.ray_internals.use import job_config


def test_no_folder_of_the_command_comes_before_the_libraries():
    assert job_config()._runtime_env_has_working_dir()


def test_an_installed_mmray_changes_no_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker_path, "_is_installed", lambda: True)

    assert path_environment() == {FOLDER: str(tmp_path)}


def test_a_copy_that_is_not_installed_is_found_behind_the_user_s_own_folders(monkeypatch):
    root = str(Path(worker_path.__file__).parents[3])
    monkeypatch.setattr(worker_path, "_is_installed", lambda: False)

    monkeypatch.setenv("PYTHONPATH", "/theirs")
    assert path_environment()["PYTHONPATH"] == f"/theirs:{root}"

    monkeypatch.setenv("PYTHONPATH", root)
    assert "PYTHONPATH" not in path_environment()
