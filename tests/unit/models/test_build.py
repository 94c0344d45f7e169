import subprocess
import sys

import pytest
import torch
from pydantic import TypeAdapter

from mmray.config.encoder import (
    CustomEncoderConfig,
    EncoderConfig,
    LinearEncoderConfig,
    LstmEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.config.model import ModelConfig
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.errors import ConfigError
from mmray.models.build import build_encoder, build_model
from mmray.models.encoders.encoded import pooled_only
from mmray.models.fit_check import check_encoder
from tests.support.sample import SPECS


def first_features(spec, width, scale):
    class FirstFeatures(torch.nn.Module):
        def forward(self, values, lengths):
            return pooled_only(values[:, :width] * scale)

    return FirstFeatures()


def test_an_encoder_that_does_not_fit_is_refused_with_the_kinds_that_do():
    with pytest.raises(ConfigError) as caught:
        check_encoder("photo", LstmEncoderConfig(), SPECS["pixels"])

    assert "a lstm encoder cannot take pixels (8, 12, 3)" in str(caught.value)
    assert caught.value.where == "modalities.photo.encode"
    assert "linear, mlp, cnn, transformer" in caught.value.hint


def test_a_patch_that_does_not_divide_the_picture_is_refused():
    with pytest.raises(ConfigError, match=r"patch \(8\) does not divide"):
        check_encoder("photo", TransformerEncoderConfig(patch=8), SPECS["pixels"])


def test_heads_that_do_not_divide_the_width_are_refused():
    encoders, specs = {"a": TransformerEncoderConfig(heads=3)}, {"a": SPECS["sequence"]}

    with pytest.raises(ConfigError, match=r"model.width \(128\) is not a multiple of heads \(3\)"):
        build_model(ModelConfig(), encoders, specs, {"t": 2})


def test_the_check_needs_no_torch():
    code = "import sys, mmray.models.fit_check; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_users_own_encoder_is_built_by_name():
    encoder = CustomEncoderConfig(factory=f"{__name__}:first_features", options={"scale": 2.0})
    specs = {"a": FeatureSpec(Kind.TEXT, "vector", (6,), "float32")}
    model = build_model(ModelConfig(width=4), {"a": encoder}, specs, {"t": 2})

    pooled = model.encoders[0](torch.ones(1, 6), None).pooled

    assert pooled.tolist() == [[2.0] * 4]


def test_a_factory_that_is_not_there_is_an_error_that_names_it():
    encoder = CustomEncoderConfig(factory="no_such_module:make")

    with pytest.raises(ConfigError, match="cannot load the factory 'no_such_module:make'"):
        build_model(ModelConfig(), {"a": encoder}, {"a": SPECS["vector"]}, {"t": 2})


def test_names_of_torch_methods_may_be_names_of_modalities_and_tasks():
    encoders = {"type": LinearEncoderConfig(), "values": LinearEncoderConfig()}
    specs = {"type": SPECS["vector"], "values": SPECS["vector"]}

    assert build_model(ModelConfig(), encoders, specs, {"float": 2}).tasks == ("float",)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_an_encoder_of_a_table_tells_numbers_of_one_sign_apart(kind):
    config = TypeAdapter(EncoderConfig).validate_python({"kind": kind})
    spec = FeatureSpec(Kind.TABLE, "vector", (2,), "float32")
    encoder = build_encoder(config, spec, width=4, name="table").eval()

    embedded = encoder(torch.tensor([[0.5, 0.0], [3.0, 0.0]]), None).pooled

    assert (embedded[0] - embedded[1]).abs().max() > 0.05
