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


def test_a_long_name_is_cut_between_two_settings():
    sample = {f"model.setting_{n}": n for n in range(12)}

    assert trial_name(3, sample) == (
        "trial 03: setting_0=0, setting_1=1, setting_2=2, setting_3=3, setting_4=4, setting_5=5, "
        "setting_6=6, ..."
    )
