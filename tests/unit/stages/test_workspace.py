"""One command sees one state of the corpus, and of the workspace what its stages wrote last."""

import subprocess
import sys

import pytest

from mmray.errors import ExtractionError, ManifestError
from mmray.stages import extract, prepare
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from tests.support.extraction import Corpus, Here, notes
from tests.support.file_calls import file_calls

FILE = {"kind": "text", "column": "file", "payload": "file", "extract": {"kind": "tfidf"}}
OTHER = FILE | {"column": "other"}
FILES = [f"{kind}-{n}.txt" for kind in ("file", "other") for n in range(10)]


@pytest.fixture
def corpus(tmp_path):
    for name in FILES:
        (tmp_path / name).write_text(f"words of {name}")
    rows = notes(10, file=lambda n: f"file-{n}.txt", other=lambda n: f"other-{n}.txt")
    return Corpus(tmp_path, rows, file=FILE, other=OTHER)


def do(*stages, workspace):
    for stage in stages:
        options = {"compute": Here()} if stage is extract else {}
        stage.run(workspace, MemoryTracker(), **options)


def open_everything(workspace):
    """Ask for what train, search and evaluate start from, each on its own."""
    for _ in ("train", "search", "evaluate"):
        assert len(workspace.prepared.manifest) == 10
        assert list(workspace.extracted.features) == ["file", "other"]
        assert workspace.training_folder.parent.name == "train"


def test_one_command_digests_the_manifest_once_and_looks_at_each_payload_once(corpus):
    do(prepare, extract, workspace=Workspace(corpus.config))

    with file_calls() as calls:
        workspace = Workspace(corpus.config)
        do(prepare, extract, workspace=workspace)
        open_everything(workspace)

    assert calls["open", "manifest.jsonl"] == 1
    assert {name: calls["stat", name] for name in FILES} == dict.fromkeys(FILES, 1)


def test_the_first_command_reads_the_manifest_after_its_digest_and_fits_without_a_second_look(
    corpus,
):
    workspace = Workspace(corpus.config)
    do(prepare, workspace=workspace)

    with file_calls() as calls:
        do(extract, workspace=workspace)
        open_everything(workspace)

    assert calls["open", "manifest.jsonl"] == 0
    assert {name: calls["stat", name] for name in FILES} == dict.fromkeys(FILES, 1)


def test_a_later_command_looks_again(corpus):
    do(prepare, extract, workspace=Workspace(corpus.config))
    (corpus.folder / "file-3.txt").write_text("other words")

    with pytest.raises(ExtractionError, match="has not been run for this document and corpus"):
        Workspace(corpus.config).extracted  # noqa: B018 (opening it is the subject)


def test_another_document_on_the_same_data_shares_what_was_seen_of_the_corpus(corpus):
    workspace = Workspace(corpus.config)
    do(prepare, extract, workspace=workspace)
    wider = corpus.config.model_copy(
        update={"model": corpus.config.model.model_copy(update={"width": 32})}
    )

    with file_calls() as calls:
        other = workspace.of(wider)
        open_everything(other)

    assert [calls[call] for call in calls if call[1] in (*FILES, "manifest.jsonl")] == []
    assert other.training_folder != workspace.training_folder
    assert workspace.of(wider) is other


def test_a_stage_sees_what_the_stage_before_it_wrote(corpus):
    workspace = Workspace(corpus.config)
    with pytest.raises(ManifestError, match="the stage 'prepare' has not been run"):
        workspace.prepared  # noqa: B018
    do(prepare, workspace=workspace)
    with pytest.raises(ExtractionError, match="the stage 'extract' has not been run"):
        workspace.extracted  # noqa: B018
    do(extract, workspace=workspace)

    before, trained_before = workspace.extracted, workspace.training_folder
    (corpus.folder / "file-3.txt").write_text("quite other words")
    do(extract, workspace=workspace)

    assert workspace.extracted.mark != before.mark
    assert workspace.training_folder != trained_before
    assert workspace.extracted.mark == Workspace(corpus.config).extracted.mark


def test_stages_with_nothing_to_do_load_neither_torch_nor_ray_nor_mlflow():
    code = (
        "import sys; from mmray.stages import prepare, extract, train, search, evaluate;"
        "print(sorted({'torch', 'ray', 'mlflow', 'transformers'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
