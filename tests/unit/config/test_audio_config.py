import pytest
from pydantic import ValidationError

from mmray.config.modality.audio import AudioDecodeConfig


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"segment_s": 1, "windows": {"length_s": 1, "hop_s": 1}}, "segment_s and windows exclude"),
        ({"windows": {"length_s": 1, "hop_s": 1}, "by_silence": {}}, "windows and by_silence"),
        ({"combine": "sequence"}, "needs windows or by_silence"),
        (
            {"sample_rate_hz": 8_000, "high_pass_hz": 4_000},
            r"below half of sample_rate_hz \(8000\)",
        ),
        ({"loudness_lufs": 3.0}, "less than or equal to 0"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        AudioDecodeConfig.model_validate(settings)
