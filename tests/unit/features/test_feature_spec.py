import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.errors import ConfigError
from mmray.features.spec import spec_of

CHECK = TypeAdapter(ModalityConfig)


def spec(modality, decode=None, **extract):
    document = {"kind": modality, "column": "c", "extract": extract}
    return spec_of(CHECK.validate_python(document | ({"decode": decode} if decode else {})))


@pytest.mark.parametrize(
    ("kind", "extract", "told"),
    [
        ("text", {"kind": "tokens"}, "tokens (T<=128) of 8000"),
        ("text", {"kind": "bow", "vocabulary": 50}, "vector (50)"),
        ("image", {"kind": "pixels", "height": 4, "width": 5}, "pixels (4, 5, 3)"),
        ("audio", {"kind": "mfcc"}, "sequence (T<=512, F=128)"),
        ("audio", {"kind": "mfcc", "pooling": "mean"}, "vector (128)"),
        ("audio", {"kind": "mfcc", "pooling": "statistics"}, "vector (256)"),
    ],
)
def test_a_spec_is_told_without_data(kind, extract, told):
    assert spec(kind, **extract).describe() == told


def test_a_fixed_segment_bounds_the_frames():
    assert spec("audio", {"segment_s": 1.0}, kind="mfcc").shape == (32, 128)
    assert spec("audio", {"segment_s": 100.0}, kind="mfcc").shape == (512, 128)


@pytest.mark.parametrize(
    ("family", "width"),
    [("resnet", 32), ("mobilenet_v1", 256), ("mobilenet_v2", 1280), ("vit", 32)],
)
def test_the_width_of_a_vision_checkpoint_is_read_from_its_config(checkpoints, family, width):
    assert spec("image", kind="hf_image", model=str(checkpoints[family])).shape == (width,)


def test_the_width_of_a_text_checkpoint_is_read_from_its_config(checkpoints):
    options = {"kind": "hf_text", "model": str(checkpoints["bert"]), "max_tokens": 64}

    assert spec("text", **options).shape == (32,)
    assert spec("text", **options, pooling="sequence").shape == (64, 32)


def test_more_tokens_than_positions_are_refused(checkpoints):
    with pytest.raises(ConfigError, match=r"max_tokens \(65\)") as error:
        spec("text", kind="hf_text", model=str(checkpoints["bert"]), max_tokens=65)

    assert "set max_tokens to 64 or less" in str(error.value)


def test_a_width_that_config_json_does_not_tell_must_be_given(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "odd"}')

    with pytest.raises(ConfigError, match="does not say how wide"):
        spec("image", kind="hf_image", model=str(tmp_path))
    assert spec("image", kind="hf_image", model=str(tmp_path), dim=7).shape == (7,)


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/model", "a/b/c"])
def test_a_checkpoint_folder_that_is_not_there_is_named(model):
    with pytest.raises(ConfigError, match="there is no checkpoint folder") as error:
        spec("text", kind="hf_text", model=model)

    assert model in str(error.value)


def test_a_hub_name_that_cannot_be_had_is_named(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ConfigError, match="checkpoint 'no/such-model' is neither a local folder"):
        spec("text", kind="hf_text", model="no/such-model")


def test_a_folder_without_config_json_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no config\.json"):
        spec("image", kind="hf_image", model=str(tmp_path))


def test_specs_and_identities_load_neither_torch_nor_transformers(checkpoints):
    program = f"""
import sys
from pydantic import TypeAdapter
from mmray.config.modality.modality import ModalityConfig
from mmray.features.build import build_extractor, extractor_identity
from mmray.features.spec import spec_of
extracts = [("text", {{"kind": "hf_text", "model": {str(checkpoints["bert"])!r}, "max_tokens": 9}}),
            ("text", {{"kind": "tokens", "tokenizer": {str(checkpoints["bert"])!r}}}),
            ("image", {{"kind": "hf_image", "model": {str(checkpoints["vit"])!r}}}),
            ("image", {{"kind": "pixels"}}), ("audio", {{"kind": "mfcc"}})]
for kind, extract in extracts:
    document = {{"kind": kind, "column": "c", "extract": extract}}
    config = TypeAdapter(ModalityConfig).validate_python(document)
    spec_of(config), extractor_identity(config, None)
    if not extract["kind"].startswith("hf"):
        build_extractor(config, None)
loaded = {{"torch", "transformers", "ray", "mlflow", "librosa"}} & set(sys.modules)
sys.exit(str(sorted(loaded)) if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
