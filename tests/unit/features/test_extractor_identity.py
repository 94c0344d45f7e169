import json
import shutil

import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.features.build import extractor_identity
from mmray.features.fit import fit_extractor

CHECK = TypeAdapter(ModalityConfig)


def identity(document, state=None):
    config = CHECK.validate_python({"column": "c"} | document)
    return json.dumps(extractor_identity(config, state), sort_keys=True)


@pytest.mark.parametrize(
    "change",
    [{"extract": {"kind": "mfcc", "hop": 256}}, {"decode": {"denoise": "spectral"}}],
)
def test_a_setting_that_changes_features_changes_the_identity(change):
    assert identity({"kind": "audio"}) != identity({"kind": "audio"} | change)


@pytest.mark.parametrize("change", [{"column": "other"}, {"encode": {"kind": "mlp"}}])
def test_what_does_not_touch_features_leaves_the_identity_alone(change):
    assert identity({"kind": "audio"}) == identity({"kind": "audio"} | change)


def test_a_checkpoint_is_known_by_its_weights_and_not_by_its_place(checkpoints, tmp_path):
    def of(folder, batch_size=4):
        extract = {"kind": "hf_image", "model": str(folder), "batch_size": batch_size}
        return identity({"kind": "image", "extract": extract})

    shutil.copytree(checkpoints["vit"], tmp_path / "copy")
    before = of(tmp_path / "copy")
    assert before == of(checkpoints["vit"], batch_size=9)

    weights = tmp_path / "copy/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\7")
    assert of(tmp_path / "copy") != before


def test_a_fitted_vocabulary_is_part_of_the_identity(tmp_path):
    document = {"kind": "text", "extract": {"kind": "bow"}}
    config = CHECK.validate_python({"column": "c"} | document)
    for name, payload in (("a", b"cat"), ("b", b"dog"), ("c", b"cat")):
        fit_extractor(config, [payload], tmp_path / name)

    assert identity(document, tmp_path / "a") != identity(document, tmp_path / "b")
    assert identity(document, tmp_path / "a") == identity(document, tmp_path / "c")
