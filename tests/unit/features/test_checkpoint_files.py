"""What documents and checkpoints leave open or get wrong, told before any work."""

import shutil

import pytest

from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.errors import ConfigError
from mmray.features.spec import spec_of
from mmray.features.text.cleaning import cleaning_of
from mmray.features.text.tokenizer import load_ready


@pytest.mark.parametrize(
    ("extract", "expected"),
    [
        ({"kind": "tokens"}, True),
        ({"kind": "bow"}, True),
        ({"kind": "hf_text", "model": "a-checkpoint"}, False),
        ({"kind": "tokens", "tokenizer": "a-checkpoint"}, False),
    ],
)
def test_a_checkpoint_gets_the_text_in_its_own_case_unless_told_otherwise(extract, expected):
    config = TextConfig.model_validate({"column": "note", "extract": extract})
    told = TextConfig.model_validate(
        {"column": "note", "extract": extract, "clean": {"lowercase": True, "segment": False}}
    )

    assert cleaning_of(config).lowercase == cleaning_of(config).segment == expected
    assert (cleaning_of(told).lowercase, cleaning_of(told).segment) == (True, False)


def test_a_checkpoint_whose_config_is_a_pointer_is_told(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints["resnet"], tmp_path / "resnet")
    (folder / "config.json").write_text("version https://git-lfs.github.com/spec/v1\n")
    config = ImageConfig.model_validate(
        {"column": "photo", "extract": {"kind": "hf_image", "model": str(folder)}}
    )

    with pytest.raises(ConfigError, match=r"config\.json .* is not a JSON document") as caught:
        spec_of(config)
    assert "Git LFS pointer" in caught.value.hint


def test_a_broken_tokenizer_is_told(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints["bert"], tmp_path / "bert")
    (folder / "tokenizer.json").write_text("{}")

    with pytest.raises(ConfigError, match="cannot be read"):
        load_ready(str(folder))


def test_the_home_folder_may_be_written_short(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    config = TextConfig.model_validate(
        {"column": "note", "extract": {"kind": "hf_text", "model": "~/bert"}}
    )

    assert config.extract.model == str(tmp_path / "bert")
