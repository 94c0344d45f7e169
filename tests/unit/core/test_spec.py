import pytest

from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec, spec_from_dict

SPECS = {
    "vector (6)": FeatureSpec(Kind.IMAGE, "vector", (6,), "float32"),
    "sequence (T<=9, F=5)": FeatureSpec(Kind.AUDIO, "sequence", (9, 5), "float32"),
    "tokens (T<=12) of 300": FeatureSpec(Kind.TEXT, "tokens", (12,), "int32", vocabulary=300),
    "pixels (8, 6, 3)": FeatureSpec(Kind.IMAGE, "pixels", (8, 6, 3), "uint8"),
    "frames (T<=4, 8, 6, 3)": FeatureSpec(Kind.VIDEO, "frames", (4, 8, 6, 3), "uint8"),
}


@pytest.mark.parametrize("words", SPECS)
def test_a_spec_is_described_and_read_back(words):
    spec = SPECS[words]

    assert spec.describe() == words
    assert spec_from_dict(spec.to_dict()) == spec


def test_sequences_tokens_and_frames_have_as_many_steps_as_the_payload():
    ragged = [spec.layout for spec in SPECS.values() if spec.is_ragged]

    assert ragged == ["sequence", "tokens", "frames"]
