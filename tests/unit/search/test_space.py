"""What a space draws, and the part of it that a document is."""

from random import Random

import optuna
import pytest

from mmray.errors import ConfigError
from mmray.search.check import check_space, random_sample
from mmray.search.sample import apply_sample, overrides_of, params_of, shown_sample
from mmray.search.space import contains, distributions_of, grid, parameters, suggest
from tests.support.document import make_config

BOTTLENECK = {"kind": "bottleneck", "tokens": {"int": [2, 8]}, "layers": {"int": [2, 4]}}
FUSION = {"choice": {"concat": {"kind": "concat"}, "bottleneck": BOTTLENECK}}
SPACE = {
    "train.lr": {"loguniform": [1e-4, 1e-2]},
    "model.fusion": FUSION,
    "model.width": {"choice": [64, 128]},
}
DRAWN = {"train.lr": 0.002, "model.fusion": "bottleneck", "model.fusion.bottleneck.tokens": 3,
         "model.fusion.bottleneck.layers": 4, "model.width": 64}  # fmt: skip


def config_of(space, **sections):
    return make_config(search={"space": space}, **sections)


def space_of(space):
    return config_of(space).search.space


def error_of(space, fits=None, **sections):
    with pytest.raises(ConfigError) as caught:
        check_space(config_of(space, **sections), fits)
    return caught.value


def test_a_parameter_inside_of_a_branch_is_drawn_only_where_the_branch_is():
    study, space = (
        optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)),
        space_of(SPACE),
    )

    samples = [suggest(study.ask(), space) for _ in range(40)]

    inner = {"model.fusion.bottleneck.tokens", "model.fusion.bottleneck.layers"}
    for sample in samples:
        is_bottleneck = sample["model.fusion"] == "bottleneck"
        assert sample.keys() == set(SPACE) | (inner if is_bottleneck else set())
        assert all(contains(parameters(space)[name], value) for name, value in sample.items())
    assert {s.get("model.fusion.bottleneck.tokens") for s in samples} == {None, *range(2, 9)}
    assert study.trials[0].params == samples[0]


def test_a_sample_becomes_the_section_of_its_branch_with_what_was_drawn_in_it():
    config = config_of(SPACE, train={"epochs": 3})

    trial = apply_sample(config, DRAWN)

    assert trial.model.fusion.model_dump() == {
        "kind": "bottleneck", "tokens": 3, "heads": 4, "layers": 4,
    }  # fmt: skip
    assert (trial.train.lr, trial.model.width, trial.train.epochs) == (0.002, 64, 3)
    assert trial.search is None
    assert overrides_of(config, DRAWN)["model.fusion"] == {
        "kind": "bottleneck", "tokens": 3, "layers": 4,
    }  # fmt: skip


def test_an_empty_sample_is_the_document():
    config = config_of(SPACE)

    assert apply_sample(config, {}) == config.model_copy(update={"search": None})


@pytest.mark.parametrize(
    ("fusion", "found"),
    [
        ({"kind": "concat"}, {"model.fusion": "concat"}),
        (
            {"kind": "bottleneck", "tokens": 5, "layers": 2},
            {
                "model.fusion": "bottleneck",
                "model.fusion.bottleneck.tokens": 5,
                "model.fusion.bottleneck.layers": 2,
            },
        ),
        ({"kind": "bottleneck", "tokens": 9, "layers": 2}, {}),  # out of bounds
        ({"kind": "bottleneck", "tokens": 5, "layers": 2, "heads": 8}, {}),  # of other heads
        ({"kind": "late"}, {}),
    ],
)
def test_the_document_is_found_in_the_space_as_far_as_it_lies_in_it(fusion, found):
    config = config_of(SPACE, model={"fusion": fusion, "width": 96}, train={"lr": 0.01})

    params = params_of(config, config.search.space)

    assert params == {"train.lr": 0.01} | found
    assert apply_sample(config, params) == apply_sample(config, {})


def test_of_branches_of_one_kind_the_one_with_the_documents_settings_is_found():
    branches = {name: {"kind": "attention", "heads": n} for name, n in (("few", 2), ("many", 8))}
    config = config_of(
        {"model.fusion": {"choice": branches}}, model={"fusion": {"kind": "attention", "heads": 8}}
    )

    assert params_of(config, config.search.space) == {"model.fusion": "many"}


def test_every_sample_is_found_again_in_its_own_document():
    config, rng = config_of(SPACE), Random(3)
    samples = [random_sample(config.search.space, rng) for _ in range(20)]

    assert all(params_of(apply_sample(config, s), config.search.space) == s for s in samples)


def test_a_list_is_drawn_as_text_and_applied_as_a_list():
    space = {"modalities.text.encode.hidden": {"choice": [[32], [64, 64]]}}
    text = {"text": {"column": "note", "encode": {"kind": "mlp", "hidden": [64, 64]}}}
    config = config_of(space, modalities=text)

    trial = apply_sample(config, {"modalities.text.encode.hidden": "[32]"})

    assert trial.modalities["text"].encode.hidden == (32,)
    assert params_of(config, config.search.space) == {"modalities.text.encode.hidden": "[64, 64]"}


def test_optuna_knows_the_distribution_of_each_parameter_of_a_sample():
    found = distributions_of(space_of(SPACE), DRAWN)

    assert found.keys() == DRAWN.keys()
    assert (found["train.lr"].low, found["train.lr"].high, found["train.lr"].log) == (
        1e-4,
        0.01,
        True,
    )
    assert found["model.fusion"].choices == ("concat", "bottleneck")
    tokens = found["model.fusion.bottleneck.tokens"]
    assert tokens == optuna.distributions.IntDistribution(2, 8)


def test_a_grid_has_every_branch_with_all_of_its_own_values():
    branches = {
        "concat": {"kind": "concat"},
        "low_rank": {"kind": "low_rank", "rank": {"int": [1, 2]}},
    }
    space = {"model.fusion": {"choice": branches}, "model.width": {"choice": [8, 16]}}

    assert grid(space_of(space)) == [
        {"model.fusion": "concat", "model.width": 8},
        {"model.fusion": "concat", "model.width": 16},
        {"model.fusion": "low_rank", "model.fusion.low_rank.rank": 1, "model.width": 8},
        {"model.fusion": "low_rank", "model.fusion.low_rank.rank": 1, "model.width": 16},
        {"model.fusion": "low_rank", "model.fusion.low_rank.rank": 2, "model.width": 8},
        {"model.fusion": "low_rank", "model.fusion.low_rank.rank": 2, "model.width": 16},
    ]


def test_a_trial_is_named_by_its_keys_without_their_section_and_by_what_its_branches_draw():
    sample = {
        "train.lr": 0.00123456,
        "model.fusion": "gated",
        "modalities.text.encode": "mlp",
        "modalities.audio.encode": "lstm",
        "modalities.audio.encode.lstm.hidden": 96,
        "modalities.audio.encode.lstm.head": "a",
        "modalities.audio.encode.lstm.head.a.dropout": 0.25,
        "tasks.digit.weight": 0.5,
    }

    assert shown_sample(sample) == (
        "lr=0.001235, fusion=gated, text.encode=mlp, "
        "audio.encode=lstm(hidden=96, head=a(dropout=0.25)), digit.weight=0.5"
    )
    assert shown_sample({}) == "the document"


def test_a_bound_or_a_branch_that_is_no_valid_document_is_named_with_the_sample():
    error = error_of({"model.dropout": {"uniform": [0.0, 1.0]}})

    assert error.args[0].startswith(
        "a trial would not be valid: model.dropout: Input should be less"
    )
    assert error.args[0].endswith("; with dropout=1")
    assert error.where == "search.space.model.dropout"


def test_a_typo_inside_of_a_branch_is_named_with_the_key_that_was_meant():
    branches = {"late": {"kind": "late"}, "gated": {"kind": "gated", "temprature": {"int": [1, 2]}}}

    error = error_of({"model.fusion": {"choice": branches}})

    assert "unknown key 'model.fusion.temprature'" in error.args[0]
    assert "fusion=gated(temprature=" in error.args[0]
    assert error.hint == "did you mean 'model.fusion.temperature'?"
    assert error.where == "search.space.model.fusion"


def test_values_that_are_valid_alone_and_not_together_are_refused():
    heads = {"attention": {"kind": "attention", "heads": 8}, "late": {"kind": "late"}}

    error = error_of({"model.width": {"choice": [64, 100]}, "model.fusion": {"choice": heads}})

    assert "width (100) must be a multiple of heads (8)" in error.args[0]
    assert "width=100, fusion=attention" in error.args[0]


def test_a_branch_that_the_documents_own_width_does_not_fit_is_valid_where_width_is_drawn():
    space = {
        "model.width": {"choice": [64, 128]},
        "model.fusion": {"choice": {"a": {"kind": "attention"}}},
    }

    check_space(config_of(space, model={"width": 90}))


def test_what_does_not_fit_to_the_features_is_refused():
    def fits(config):
        if config.model.width > 100:
            raise ConfigError("too wide", hint="less")

    error = error_of({"model.width": {"choice": [64, 128]}}, fits)

    assert error.args[0] == "a trial would not be valid: too wide; with width=128"


@pytest.mark.parametrize("key", ["data.split.val", "modalities.text.column", "evaluation.seeds"])
def test_keys_that_all_trials_share_are_refused(key):
    error = error_of({key: {"choice": [1, 2]}})

    assert f"{key!r} cannot be searched" in error.args[0]
    assert "decode of modalities.<name>" in error.hint


def test_a_key_inside_of_another_one_belongs_into_its_branches():
    error = error_of({"model.fusion": FUSION, "model.fusion.tokens": {"int": [2, 3]}})

    assert "'model.fusion.tokens' lies in 'model.fusion'" in error.args[0]
    assert "inside of the sections of 'search.space.model.fusion'" in error.hint
