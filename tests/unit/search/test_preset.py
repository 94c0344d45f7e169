"""The spaces that presets make of documents."""

from itertools import product
from pathlib import Path
from random import Random

import pytest

from mmray.config.reading.load import check_document, load_config
from mmray.errors import ConfigError
from mmray.features.spec import spec_of
from mmray.models.fit_check import check_model
from mmray.search.check import check_space, random_sample
from mmray.search.preset.preset import search_document
from mmray.search.sample import apply_sample, params_of
from mmray.search.space_text import describe_space
from mmray.stages.searching.document import check_samples_for
from tests.support.document import make_document

CONFIGS = Path("workflows/configs")
OF_CHECKPOINTS = ("bert_resnet_mfcc", "finetune")
STEMS = sorted(p.stem for p in CONFIGS.glob("*.yaml") if p.stem not in OF_CHECKPOINTS)
MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "tokens"}, "encode": {"kind": "lstm"}},
    "image": {"column": "photo", "encode": {"kind": "cnn"}},
    "table": {"numbers": ["age"], "encode": {"kind": "mlp"}},
}
FIVE = {f"n{i}": {"kind": "table", "numbers": ["age"]} for i in range(5)}
ALIGNMENT = {"tasks": {"near": {"kind": "alignment"}}}
TWO_TASKS = {
    "animal": {"kind": "classification", "column": "label"},
    "age": {"kind": "regression", "column": "age", "weight": 0.5},
}
DOCUMENTS = {
    "width that four heads do not divide": {"model": {"width": 90}},
    "three heads": {"model": {"width": 96, "fusion": {"kind": "attention", "heads": 3}}},
    "one modality": {"modalities": {"text": {"column": "note"}}},
    "tensor of five": {
        "modalities": FIVE, "model": {"width": 64, "fusion": {"kind": "tensor", "size": 9}},
    },
    "attending encoder": {
        "modalities": MODALITIES
        | {"text": {"column": "note", "encode": {"kind": "transformer", "heads": 8}}},
    },
    "blending": {"train": {"balance": {"kind": "gradient_blending"}}},
    "ogm": {"train": {"balance": {"kind": "ogm_ge", "alpha": 3}}},
    "sharded": {"train": {"parallel": "fsdp"}},
    "an alignment alone": ALIGNMENT,
    "gradnorm": {"tasks": TWO_TASKS, "train": {"task_weighting": {"kind": "gradnorm"}}},
    "accumulated": {"train": {"accumulate": 4, "batch_size": 48}},
    "small pictures": {
        "modalities": {
            "image": {
                "column": "photo", "extract": {"kind": "pixels", "height": 6, "width": 9},
                "encode": {"kind": "lenet", "layers": 2},
            },
            "clip": {
                "kind": "video", "column": "clip",
                "extract": {"kind": "frames", "height": 16, "width": 24},
            },
        },
    },
    "a fusion of one's own": {"model": {"fusion": {"kind": "custom", "factory": "a.b:c"}}},
}  # fmt: skip


def config_of(**sections):
    return check_document(make_document(**({"modalities": MODALITIES} | sections)), where="x.yaml")


def specs_of(config):
    return {name: spec_of(config.modalities[name]) for name in config.modality_order()}


def fits(specs):
    def check(trial):
        check_model(trial.model, {n: m.encode for n, m in trial.modalities.items()}, specs)

    return check


@pytest.fixture(params=[*STEMS, *DOCUMENTS])
def config(request):
    if request.param in DOCUMENTS:
        return config_of(**DOCUMENTS[request.param])
    return load_config(CONFIGS / f"{request.param}.yaml")


def with_preset(config, preset, samples, **search):
    section = config.search_section().model_copy(update={"preset": preset, "space": {}} | search)
    config = config.model_copy(update={"search": section})
    return search_document(config, specs_of(config), samples)


def space_of(preset="quick", samples=1000, *, trials=24, **sections):
    return with_preset(config_of(**sections), preset, samples, trials=trials).search.space


def test_every_sample_of_a_preset_is_a_valid_document(config):
    rng = Random(5)
    for preset, samples in product(("quick", "thorough"), (24, 1000, 20000)):
        made = with_preset(config, preset, samples)
        for _ in range(6):
            sample = random_sample(made.search.space, rng)
            fits(specs_of(config))(apply_sample(made, sample))


def test_every_branch_and_bound_of_a_preset_is_valid(config):
    check_space(with_preset(config, "thorough", 1000), fits(specs_of(config)))


def test_the_document_lies_in_the_space_of_its_preset(config):
    for preset in ("quick", "thorough"):
        made = with_preset(config, preset, 1000)

        found = params_of(config, made.search.space)

        assert set(made.search.space) <= set(found)
        assert apply_sample(made, found) == apply_sample(made, {})


def test_a_quick_space_of_three_modalities_in_words():
    assert list(describe_space(space_of())) == [
        "train.lr: 0.0003 to 0.01, logarithmic",
        "train.batch_size: 16 | 32 | 64",
        "model.width: 64 | 128 | 256",
        "model.dropout: 0 to 0.5",
        "model.modality_dropout: 0 to 0.4",
        "model.fusion: concat | gated | low_rank(rank: 2 to 8) | late | attention(layers: 1 to 2)",
        "model.auxiliary: 0 to 1",
        "modalities.text.encode: mlp(hidden: [64] | [128] | [256]) | "
        "cnn(channels: [64, 96, 128] | [128, 128]) | "
        "lstm(hidden: 64 | 128; pooling: last | mean | max)",
        "modalities.image.encode: cnn(channels: [32, 64, 128] | [16, 32, 64] | [16, 32, 64, 64])",
        "modalities.table.encode: linear | mlp(hidden: [64] | [128] | [256])",
    ]


def branches(space, key):
    return space[key].branches()


def test_few_samples_get_small_networks_and_no_attention():
    small, large = space_of(samples=100), space_of(samples=10_000)

    assert small["model.width"].choice == [32, 64, 128]
    assert large["train.batch_size"].choice == [32, 64, 128]
    assert branches(small, "model.fusion") == ["concat", "gated", "low_rank", "late"]
    assert branches(large, "model.fusion")[-2:] == ["late", "attention"]
    assert small["modalities.table.encode"].nested("mlp")["hidden"].choice == [
        [32], [64], [128], [256],  # the last is the document's
    ]  # fmt: skip


def test_few_trials_search_what_matters_most():
    missing = set(space_of()) - set(space_of(trials=15))

    assert missing == {"train.batch_size", "model.width", "model.dropout"}
    assert set(space_of("thorough", trials=15)) > set(space_of())


def test_a_thorough_space_has_further_keys_and_branches():
    space, quick = space_of("thorough"), space_of()

    assert set(space) - set(quick) == {"train.weight_decay", "train.schedule", "train.balance"}
    assert set(branches(space, "model.fusion")) - set(branches(quick, "model.fusion")) == {
        "gmu", "film", "experts", "tensor",
        "bottleneck", "transformer", "cross_attention", "perceiver",
    }  # fmt: skip
    assert branches(space, "modalities.text.encode") == ["mlp", "cnn", "lstm", "gru", "transformer"]


def test_vectors_alone_have_nothing_to_attend_to():
    two = {"a": {"kind": "table", "numbers": ["x"]}, "b": {"kind": "table", "numbers": ["y"]}}

    assert "bottleneck" not in branches(space_of("thorough", modalities=two), "model.fusion")


def test_one_modality_has_no_fusion():
    space = space_of("thorough", modalities={"text": {"column": "note"}})

    assert not {"model.fusion", "model.auxiliary", "model.modality_dropout"} & set(space)


def test_what_weighs_the_losses_itself_leaves_no_auxiliary_weight():
    space = space_of(train={"balance": {"kind": "gradient_blending"}})

    assert branches(space, "train.balance") == ["gradient_blending", "none"]
    assert "model.auxiliary" not in space


@pytest.mark.parametrize(
    ("metric", "is_searched"), [("val/animal/accuracy", True), ("val/loss", False)]
)
def test_weights_of_tasks_are_searched_unless_the_objective_is_made_with_them(metric, is_searched):
    config = config_of(tasks=TWO_TASKS, search={"objective": {"metric": metric}})

    space = with_preset(config, "thorough", 1000).search.space

    assert ("tasks.age.weight" in space) is is_searched
    assert ("train.task_weighting" in space) is is_searched
    if is_searched:
        assert space["tasks.age.weight"].loguniform == (0.125, 2.0)


def test_an_alignment_keeps_its_batches_whose_samples_it_compares():
    assert "train.batch_size" not in space_of(**ALIGNMENT)


def test_a_batch_is_not_smaller_than_the_number_of_workers():
    space = space_of(train={"workers": 20}, samples=1000)

    assert space["train.batch_size"].choice == [32, 64]


def test_an_encoder_of_ones_own_is_not_replaced():
    own = {"kind": "custom", "factory": "a.b:c"}
    text = {"column": "note", "encode": own}

    assert "modalities.text.encode" not in space_of(modalities=MODALITIES | {"text": text})


def test_keys_of_the_documents_own_space_replace_those_of_the_preset():
    own = {
        "train.lr": {"choice": [0.1]},
        "modalities.image.encode.dropout": {"uniform": [0, 0.1]},
    }
    config = config_of(search={"space": own, "preset": "quick"})

    space = search_document(config, specs_of(config), 1000).search.space

    assert space["train.lr"].choice == [0.1]
    assert "modalities.image.encode.dropout" in space
    assert "modalities.image.encode" not in space
    assert "model.fusion" in space


def test_a_space_of_its_own_is_all_that_a_document_without_a_preset_has():
    config = config_of(search={"space": {"train.lr": {"choice": [0.1]}}})

    assert list(search_document(config, specs_of(config), 1000).search.space) == ["train.lr"]


def test_a_document_without_a_search_section_has_the_quick_space():
    config = config_of()

    found = search_document(config, specs_of(config), 1000).search

    assert list(found.space) == list(space_of())
    assert [one.metric for one in found.objective] == ["val/animal/accuracy"]


@pytest.mark.parametrize(
    ("tune", "preset", "samples", "ways"),
    [
        ("lora", "quick", 100, ["frozen", "last_layers", "lora"]),
        ("full", "quick", 100, ["frozen", "last_layers", "lora", "full"]),
        ("lora", "thorough", 1000, ["frozen", "last_layers", "lora", "full"]),
    ],
)
def test_a_checkpoint_is_frozen_or_tuned_in_several_ways(checkpoints, tune, preset, samples, ways):
    model = str(checkpoints["bert"])
    text = {
        "column": "note",
        "extract": {"kind": "tokens", "tokenizer": model},
        "encode": {
            "kind": "hf_text",
            "model": model,
            "tune": tune,
            "lora": {"rank": 5},
            "gradient_checkpointing": True,
        },
    }
    config = with_preset(config_of(modalities=MODALITIES | {"text": text}), preset, samples)
    encode = config.search.space["modalities.text.encode"]

    assert encode.branches() == ways
    assert encode.nested("last_layers")["layers"].int == (1, 2)  # which this checkpoint has
    ranks = [4, 5, 8, 16] if tune == "lora" else [4, 8, 16]
    assert encode.nested("lora")["lora.rank"].choice == ranks
    check_space(config, fits(specs_of(config)))
    sample = {"modalities.text.encode": "lora", "modalities.text.encode.lora.lora.rank": 16}
    sample = random_sample(config.search.space, Random(0), sample)
    assert apply_sample(config, sample).modalities["text"].encode.lora.rank == 16
    assert params_of(config, config.search.space)["modalities.text.encode"] == tune


def test_a_checkpoint_that_is_too_shallow_for_a_sample_is_refused(checkpoints):
    model = str(checkpoints["bert"])
    text = {
        "column": "note",
        "extract": {"kind": "tokens", "tokenizer": model, "max_tokens": 32},
        "encode": {"kind": "hf_text", "model": model, "tune": "last_layers", "layers": 1},
    }
    space = {"modalities.text.encode.layers": {"int": [1, 3]}}
    config = config_of(modalities=MODALITIES | {"text": text}, search={"space": space})

    with pytest.raises(ConfigError, match="has 2 layers, not 3; with"):
        check_samples_for(config, specs_of(config))
