"""Which evaluation's model and report a workspace has, when several documents share it."""

import json
import logging
import shutil

import pytest

from mmray.core.file.atomic import mark_success, read_json
from mmray.stages.evaluation.delivery import deliver, delivered_files
from tests.support.document import make_config


@pytest.fixture
def config(tmp_path):
    return make_config(workspace=str(tmp_path))


@pytest.fixture
def evaluate(tmp_path):
    """Leave what the evaluation of a document leaves in its folder."""

    def leave(name, extra=()):
        folder = tmp_path / "evaluate" / f"mark-{name}"
        (folder / "model" / "extractors").mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps({"name": name, "evaluation": folder.name}))
        for file in ("model.safetensors", "extractors/words.json", *extra):
            (folder / "model" / file).write_text(f"{file} of {name}")
        mark_success(folder, {}, files=delivered_files(folder))
        return folder

    return leave


def found(tmp_path):
    model = tmp_path / "model"
    files = {str(p.relative_to(model)): p.read_text() for p in model.rglob("*") if p.is_file()}
    return read_json(tmp_path / "report.json")["name"], files


def of(name):
    files = ("model.safetensors", "extractors/words.json")
    return name, {file: f"{file} of {name}" for file in files}


def test_documents_that_take_turns_each_find_their_own_model_and_are_told(
    tmp_path, config, evaluate, caplog
):
    one, two = evaluate("one", extra=["more.bin"]), evaluate("two")
    deliver(config, one)
    with caplog.at_level(logging.INFO, "mmray"):
        deliver(config, two)
        assert found(tmp_path) == of("two")
        deliver(config, one)

    assert found(tmp_path)[1]["more.bin"] == "more.bin of one"
    said = list(zip(("one", "two"), caplog.messages, strict=True))
    assert all(f"those of {name!r} (evaluation mark-{name}" in line for name, line in said)


def test_what_is_delivered_already_is_left_as_it_is(tmp_path, config, evaluate, caplog):
    folder = evaluate("one")
    deliver(config, folder)
    before = (tmp_path / "model").stat().st_ino

    with caplog.at_level(logging.INFO, "mmray"):
        deliver(config, folder)

    assert (tmp_path / "model").stat().st_ino == before
    assert caplog.messages == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: shutil.rmtree(place / "model"),
        lambda place: (place / "model" / "model.safetensors").unlink(),
        lambda place: (place / "report.json").unlink(),
        lambda place: (place / "report.json").write_text(""),
        lambda place: (place / "model" / "model.safetensors").write_text("mine"),
    ],
)
def test_what_was_deleted_or_changed_is_written_again(tmp_path, config, evaluate, damage):
    folder = evaluate("one")
    deliver(config, folder)
    damage(tmp_path)

    deliver(config, folder)

    assert found(tmp_path) == of("one")
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_large_file_takes_no_room_twice_and_survives_the_other_name(tmp_path, config, evaluate):
    folder = evaluate("one")
    (folder / "model" / "large.bin").write_bytes(bytes(2**20))
    mark_success(folder, {}, files=delivered_files(folder))

    deliver(config, folder)

    assert (tmp_path / "model" / "large.bin").samefile(folder / "model" / "large.bin")
    shutil.rmtree(tmp_path / "model")
    deliver(config, folder)
    assert (tmp_path / "model" / "large.bin").stat().st_size == 2**20
