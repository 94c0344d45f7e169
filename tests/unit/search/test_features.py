"""Which features the trials of a space need."""

import pytest

from mmray.errors import ConfigError
from mmray.search.check import check_space
from mmray.search.features import (
    FeatureFolders,
    count_extractions,
    feature_documents,
    features_key,
)
from mmray.search.sample import apply_sample
from tests.support.document import make_config

MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "bow", "vocabulary": 50}},
    "audio": {"column": "speech", "extract": {"kind": "mfcc", "coefficients": 20}},
}
SPACE = {
    "train.lr": {"uniform": [0.1, 0.2]},
    "modalities.audio.encode": {"choice": {"linear": {"kind": "linear"}}},
    "modalities.audio.extract.coefficients": {"choice": [20, 40]},
    "modalities.audio.decode.trim_db": {"choice": [None, 40]},
    "modalities.text.extract": {
        "choice": {
            "bow": {"kind": "bow", "vocabulary": {"choice": [50, 100]}},
            "tfidf": {"kind": "tfidf", "vocabulary": 50},
        }
    },
}


def config_of(space):
    return make_config(modalities=MODALITIES, search={"space": space})


def test_every_setting_of_a_modality_is_in_one_document_and_combinations_are_not():
    documents = feature_documents(config_of(SPACE))

    audio = [
        (each.modalities["audio"].extract.coefficients, each.modalities["audio"].decode.trim_db)
        for each in documents
    ]
    text = [
        (each.modalities["text"].extract.kind, each.modalities["text"].extract.vocabulary)
        for each in documents
    ]
    assert audio == [(20, None), (20, 40.0), (40, None), (40, 40.0)]
    assert text == [("bow", 50), ("bow", 100), ("tfidf", 50), ("bow", 50)]
    assert count_extractions(documents) == 3 + 2


def test_a_space_that_leaves_features_alone_needs_the_documents_alone():
    (document,) = feature_documents(config_of({"train.lr": {"uniform": [0.1, 0.2]}}))

    assert document.modalities == config_of({}).modalities


def test_a_trial_takes_the_folders_of_its_own_settings():
    config = config_of(SPACE)
    folders = {"text": {}, "audio": {}}
    for number, document in enumerate(feature_documents(config)):
        for name, modality in document.modalities.items():
            folders[name].setdefault(features_key(modality), f"{name}-{number}")
    sample = {
        "modalities.text.extract": "tfidf",
        "modalities.audio.extract.coefficients": 40,
        "modalities.audio.encode": "linear",
    }

    found = FeatureFolders(folders)

    assert found.of(apply_sample(config, sample)) == {"text": "text-2", "audio": "audio-2"}
    assert found.of(apply_sample(config, {})) == {"text": "text-0", "audio": "audio-0"}


@pytest.mark.parametrize(
    ("key", "distribution"),
    [
        ("modalities.audio.extract.coefficients", {"int": [20, 40]}),
        (
            "modalities.audio.extract",
            {"choice": {"mfcc": {"kind": "mfcc", "coefficients": {"int": [20, 40]}}}},
        ),
    ],
)
def test_settings_of_features_have_no_bounds(key, distribution):
    with pytest.raises(ConfigError, match="has bounds: each setting of features") as caught:
        check_space(config_of({key: distribution}))

    assert caught.value.where == f"search.space.{key}"
    assert caught.value.hint == "write 'choice: [...]' instead"
