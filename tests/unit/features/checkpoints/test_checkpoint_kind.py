import json

import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.core.kind import Kind
from mmray.errors import ConfigError
from mmray.features.checkpoints.kind import _FAMILIES, checkpoint_kinds
from mmray.features.spec import spec_of


def refusal(folder, kind, extract, **config):
    """What checking a modality says of a checkpoint of which only config.json is there."""
    (folder / "config.json").write_text(json.dumps(config))
    document = {"kind": kind, "column": "c", "extract": {"kind": extract, "model": str(folder)}}
    if extract == "transcript":
        document["extract"]["text"] = {"extract": {"kind": "bow"}}
    with pytest.raises(ConfigError) as error:
        spec_of(TypeAdapter(ModalityConfig).validate_python(document))
    return str(error.value)


@pytest.mark.parametrize(
    ("kind", "extract", "family", "told"),
    [
        ("image", "hf_image", "bert", "reads text, not pictures"),
        ("image", "hf_image", "whisper", "reads sound, not pictures"),
        ("image", "hf_image", "videomae", "reads video, not pictures"),
        ("text", "hf_text", "wav2vec2", "reads sound, not text"),
        ("text", "hf_text", "vit", "reads pictures, not text"),
        ("text", "hf_text", "siglip_vision_model", "reads pictures, not text"),
        ("audio", "hf_audio", "roberta", "reads text, not sound"),
        ("audio", "hf_audio", "clip", "reads text and pictures, not sound"),
        ("audio", "transcript", "resnet", "reads pictures, not sound"),
        ("video", "hf_image", "hubert", "reads sound, not pictures"),
    ],
)
def test_a_checkpoint_for_something_else_is_refused_by_its_config_alone(
    tmp_path, kind, extract, family, told
):
    said = refusal(tmp_path, kind, extract, model_type=family, hidden_size=8, vocab_size=9)

    assert f"({family}) {told}" in said
    assert "name a checkpoint that was trained on" in said


def test_the_hint_names_the_extractor_that_the_checkpoint_is_for(tmp_path):
    said = refusal(tmp_path, "text", "hf_text", model_type="mobilenet_v1", num_channels=1)

    assert "(mobilenet_v1) reads sound, not text" in said
    assert "by {kind: hf_audio} in a modality of that kind" in said


def test_a_checkpoint_of_two_halves_serves_both_and_an_unknown_one_is_tried():
    assert checkpoint_kinds({"model_type": "clip"}) == {Kind.TEXT, Kind.IMAGE}
    assert checkpoint_kinds({"model_type": "clap"}) == {Kind.TEXT, Kind.AUDIO}
    assert checkpoint_kinds({"model_type": "of_tomorrow"}) == frozenset()
    assert checkpoint_kinds({}) == frozenset()


def test_every_family_is_one_of_transformers():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    named = {name for names in _FAMILIES.values() for name in names.split()}

    assert named <= set(CONFIG_MAPPING_NAMES)
