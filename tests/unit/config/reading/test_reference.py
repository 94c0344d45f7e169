import pytest

from mmray.config.document import Config
from mmray.config.reading.reference import WIDTH, describe_keys
from mmray.errors import ConfigError


def text(key=""):
    return "\n".join(describe_keys(key))


def test_the_whole_document_names_every_section_and_the_keys_in_it():
    said = text()

    assert all(f"\n{name}: " in f"\n{said}" for name in Config.model_fields)
    assert "    manifest: text, required\n        A .jsonl, .csv" in said
    assert max(map(len, said.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("train", "lr: number > 0, default 0.002\n    Highest learning rate."),
        ("train", '\nworkers: integer > 0 or section or "auto", default "auto"'),
        ("model.fusion", "\n    temperature: number > 0, default 1.0\n        Divides the scores"),
        ("modalities.audio.extract", "\nlog_mel\n"),
        ("modalities.audio.extract.mfcc", "coefficients: integer > 0, default 128\n"),
        ("modalities.audio.extract.mfcc.hop", "    integer > 0, default 512"),
        ("modalities.image.augment", "\nflip\n    "),
        ("tasks", "\nbinary\n    Yes or no.\n"),
        ("search.space", "\nloguniform\n    A number between two positive bounds"),
        ("search.objective.metric", 'text, default "val/loss"'),
        ("train.workers.min", "integer > 0, default 1"),
        ("tracking.register", "    text or null, default null"),
        ("data.split.val", "number >= 0, default 0.1"),
    ],
)
def test_a_key_is_described_with_type_default_and_meaning(key, words):
    assert words in text(key)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("trian", "did you mean 'train'?"),
        ("modalities.audio.extract.mfc", "did you mean 'mfcc'?"),
        ("train.lr.x", "there are: "),
    ],
)
def test_a_key_that_is_not_there_is_told(key, hint):
    with pytest.raises(ConfigError, match=f"there is no key '{key}'") as caught:
        text(key)

    assert hint in caught.value.hint
