import pytest
from pydantic import TypeAdapter

from benchmarks.interaction import KINDS, learn
from mmray.config.model.model import FusionConfig, LateFusionConfig


def test_the_benchmark_has_every_fusion_of_the_product():
    schema = TypeAdapter(FusionConfig).json_schema()

    assert {*KINDS, "custom"} == set(schema["discriminator"]["mapping"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "late"])
def test_what_only_two_modalities_together_can_tell_is_learnt(kind):
    fusion = TypeAdapter(FusionConfig).validate_python({"kind": kind})

    assert learn(fusion, seed=0, steps=40).accuracy > 0.95


@pytest.mark.parametrize("weights", ["mean", "learned"])
def test_late_fusion_cannot_learn_it(weights):
    assert learn(LateFusionConfig(weights=weights), seed=0).accuracy < 0.65
