import subprocess
import sys

import pytest
import torch
from pydantic import TypeAdapter

from mmray.config.model.encoder import (
    CustomEncoderConfig,
    EncoderConfig,
    GruEncoderConfig,
    LinearEncoderConfig,
    LstmEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.config.model.model import (
    BottleneckFusionConfig,
    CustomFusionConfig,
    ExpertsFusionConfig,
    FilmFusionConfig,
    ModelConfig,
    TensorFusionConfig,
)
from mmray.config.reading.load import check_document
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.models.build import build_encoder, build_model
from mmray.models.encoders.encoded import pooled_only
from mmray.models.feature_batch import FeatureBatch
from mmray.models.fit_check import check_encoder, check_fusion, check_model
from mmray.models.fusion.build import build_fusion
from tests.support.document import make_document
from tests.support.sample import SPECS


def first_features(spec, width, scale):
    class FirstFeatures(torch.nn.Module):
        def forward(self, values, lengths):
            return pooled_only(values[:, :width] * scale)

    return FirstFeatures()


def first_tokens(modalities, width, scale):
    class FirstTokens(torch.nn.Module):
        def forward(self, tokens, present):
            return sum(part.values[:, 1] * scale for part in tokens)

    assert modalities == 2
    return FirstTokens()


def test_an_encoder_that_does_not_fit_is_refused_with_the_kinds_that_do():
    with pytest.raises(ConfigError) as caught:
        check_encoder("photo", LstmEncoderConfig(), SPECS["pixels"])

    assert "a lstm encoder cannot take pixels (8, 12, 3)" in str(caught.value)
    assert caught.value.where == "modalities.photo.encode"
    assert "linear, mlp, cnn, lenet, transformer" in caught.value.hint


def test_a_patch_that_does_not_divide_the_picture_is_refused():
    with pytest.raises(ConfigError, match=r"patch \(8\) does not divide"):
        check_encoder("photo", TransformerEncoderConfig(patch=8), SPECS["pixels"])


def test_heads_that_do_not_divide_the_width_are_refused():
    encoders, specs = {"a": TransformerEncoderConfig(heads=3)}, {"a": SPECS["sequence"]}

    with pytest.raises(ConfigError, match=r"model.width \(128\) is not a multiple of heads \(3\)"):
        build_model(ModelConfig(), encoders, specs, {"t": 2})


@pytest.mark.parametrize(
    "kind", ["attention", "transformer", "cross_attention", "bottleneck", "perceiver"]
)
def test_heads_of_a_fusion_that_do_not_divide_the_width_are_refused(kind):
    with pytest.raises(ValueError, match=r"width \(16\) must be a multiple of heads \(3\)"):
        ModelConfig.model_validate({"width": 16, "fusion": {"kind": kind, "heads": 3}})


def test_a_tensor_fusion_that_would_explode_is_refused_with_its_size():
    config = ModelConfig(fusion=TensorFusionConfig(size=16))
    encoders = {name: LinearEncoderConfig() for name in "abcde"}
    specs = dict.fromkeys(encoders, SPECS["vector"])

    with pytest.raises(ConfigError) as caught:
        check_model(config, encoders, specs)

    assert "(16 + 1) ** 5 = 1,419,857 products" in str(caught.value)
    assert "with a width of 128 181,741,696 weights" in str(caught.value)
    assert caught.value.where == "model.fusion.size"
    assert "low_rank" in caught.value.hint


def test_a_tensor_fusion_of_four_modalities_is_within_the_limit():
    check_fusion(TensorFusionConfig(), modalities=4, width=128)


def test_a_bottleneck_needs_a_second_layer_to_exchange_anything():
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        BottleneckFusionConfig(layers=1)


def test_more_active_experts_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"active \(5\) is more than experts \(4\)"):
        ExpertsFusionConfig(active=5)
    with pytest.raises(ValueError, match="the router has no gradient"):
        ExpertsFusionConfig(active=1)


def test_a_conditioned_modality_that_is_none_is_refused():
    document = make_document(model={"fusion": {"kind": "film", "conditioned": "smell"}})

    with pytest.raises(
        ConfigError, match=r"conditioned \('smell'\) is not one of the modalities: "
    ):
        check_document(document, where="a.yaml")


@pytest.mark.parametrize(("conditioned", "moves"), [("b", "b"), (None, "a"), ("c", "a")])
def test_film_conditions_the_named_modality_or_else_the_first(conditioned, moves):
    fusion = build_fusion(FilmFusionConfig(conditioned=conditioned), modalities=("a", "b"), width=4)
    torch.nn.init.zeros_(fusion.modulate.weight)  # scale and shift no longer hear of the others
    embeddings, present = torch.randn(1, 2, 4), torch.ones(1, 2, dtype=torch.bool)
    changed = embeddings.clone()
    changed[:, "ab".index(moves)] += 1.0

    assert (fusion(embeddings, present) - fusion(changed, present)).abs().max() > 1e-3
    other = embeddings.clone()
    other[:, 1 - "ab".index(moves)] += 1.0
    torch.testing.assert_close(fusion(embeddings, present), fusion(other, present))


def test_a_users_own_fusion_may_be_over_tokens():
    fusion = CustomFusionConfig(
        factory=f"{__name__}:first_tokens", tokens=True, options={"scale": 2.0}
    )
    encoders = dict.fromkeys("ab", LstmEncoderConfig(hidden=4))
    specs = dict.fromkeys("ab", SPECS["sequence"])
    model = build_model(ModelConfig(width=4, fusion=fusion), encoders, specs, {"t": 2}).eval()
    present = torch.ones(3, 2, dtype=torch.bool)
    features = {n: FeatureBatch(torch.randn(3, 5, 5), None) for n in "ab"}
    embedded = model.embed(features, present)

    fused = model.fusion(embedded.tokens, present)

    torch.testing.assert_close(fused, 2 * sum(part.values[:, 1] for part in embedded.tokens))
    assert model.fuse(embedded, present)["t"].shape == (3, 2)


def test_a_gru_has_three_quarters_of_the_weights_of_an_lstm():
    lstm, gru = (
        build_encoder(config(hidden=8), SPECS["sequence"], width=4, name="x").network
        for config in (LstmEncoderConfig, GruEncoderConfig)
    )

    assert isinstance(gru, torch.nn.GRU)
    assert 4 * sum(p.numel() for p in gru.parameters()) == 3 * sum(
        p.numel() for p in lstm.parameters()
    )


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
