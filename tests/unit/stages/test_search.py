"""What a search says of its trials."""

from mmray.stages.searching.trial import trial_name


def test_a_trial_is_named_by_its_keys_without_their_section():
    sample = {
        "train.lr": 0.00123456,
        "model.fusion": "gated",
        "modalities.text.encode": "mlp",
        "modalities.audio.encode": "lstm",
        "tasks.digit.weight": 0.5,
    }

    assert trial_name(3, sample) == (
        "trial 03: lr=0.001235, fusion=gated, text.encode=mlp, audio.encode=lstm, digit.weight=0.5"
    )
