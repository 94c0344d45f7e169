"""Features of further settings, extracted before the trials."""

import logging
from pathlib import Path

from mmray.run.feature_folder import open_features
from mmray.search.sample import apply_sample
from mmray.stages.searching.document import check_samples, complete_document
from mmray.stages.searching.variants import extract_variants
from mmray.stages.workspace import Workspace
from tests.support.extraction import Corpus, Here, notes
from tests.support.payload import photo_payload

TEXT = {"column": "note", "extract": {"kind": "bow", "vocabulary": 50, "hashing": True}}
IMAGE = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}
SPACE = {
    "modalities.text.extract.vocabulary": {"choice": [50, 20]},
    "modalities.image.extract.height": {"choice": [4, 8, 16]},
}


def searched(tmp_path, space):
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(photo_payload(16, 12, seed=number))
    rows = notes(20, photo=lambda n: f"{n}.png")
    corpus = Corpus(tmp_path, rows, text=TEXT, image=IMAGE)
    corpus.extract()
    document = corpus.config.model_dump(mode="json", by_alias=True) | {"search": {"space": space}}
    workspace = Workspace(type(corpus.config).model_validate(document))
    return complete_document(workspace), workspace


def test_each_setting_is_extracted_once_and_a_trial_reads_its_own(tmp_path):
    config, workspace = searched(tmp_path, SPACE)
    here, again = Here(), Here()

    check_samples(config, workspace)
    folders = extract_variants(config, workspace, compute=here)
    extract_variants(config, workspace, compute=again)

    assert {name: len(samples) for name, samples in here.computed.items()} == {
        "text": 20, "image": 2 * 20,
    }  # fmt: skip
    assert again.computed == {}
    sample = {"modalities.text.extract.vocabulary": 20, "modalities.image.extract.height": 16}
    found = folders.of(apply_sample(config, sample))
    shapes = {name: open_features(Path(folder)).spec.shape for name, folder in found.items()}
    assert shapes == {"text": (20,), "image": (16, 8, 3)}
    own = folders.of(apply_sample(config, {}))
    assert own == {
        name: str(feature.folder.resolve())
        for name, feature in workspace.extracted.features.items()
    }


def test_very_many_extractions_are_told(tmp_path, caplog):
    config, workspace = searched(
        tmp_path, {"modalities.image.extract.height": {"choice": list(range(2, 30))}}
    )

    with caplog.at_level(logging.WARNING):
        extract_variants(config, workspace, compute=Here())

    assert "the space needs 27 extractions besides the document's own" in caplog.text
