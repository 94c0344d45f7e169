"""The documents that ship: each runs."""

import json

import pytest

from tests.support.workflow import CONFIGS, demo_overrides, run_here, small_corpus

pytestmark = [pytest.mark.e2e, pytest.mark.ray]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed")
    return folder, small_corpus(folder / "corpus", samples=80)


def test_lstm_cnn_runs_with_the_layers_that_it_names(cluster, corpus):
    folder, manifest = corpus
    work = folder / "lstm"

    report = run_here(
        CONFIGS / "lstm_cnn.yaml", *demo_overrides(manifest, work), "evaluation.alone=false"
    )

    bundle = json.loads((work / "model" / "bundle.json").read_text(encoding="utf-8"))
    encoders = {n: m["encode"] for n, m in bundle["config"]["modalities"].items()}
    assert (encoders["text"]["kind"], encoders["text"]["hidden"]) == ("lstm", 128)
    assert (encoders["image"]["kind"], bundle["specs"]["image"]["shape"]) == ("cnn", [64, 64, 3])
    assert (encoders["audio"]["kind"], bundle["specs"]["audio"]["shape"][1]) == ("lstm", 128)
    assert 0 <= report.metrics["fusion"]["digit"]["accuracy"] <= 1


def test_bert_resnet_mfcc_runs_on_checkpoints_of_these_families_and_widths(
    cluster, corpus, tmp_path
):
    from tests.support.checkpoint import save_wide_bert, save_wide_resnet

    _, manifest = corpus
    save_wide_bert(tmp_path / "bert")
    save_wide_resnet(tmp_path / "resnet")

    run_here(
        CONFIGS / "bert_resnet_mfcc.yaml", *demo_overrides(manifest, tmp_path / "work"),
        f"modalities.text.extract.model={tmp_path / 'bert'}",
        f"modalities.image.extract.model={tmp_path / 'resnet'}",
        "evaluation.alone=false",
    )  # fmt: skip

    model = tmp_path / "work" / "model"
    bundle = json.loads((model / "bundle.json").read_text(encoding="utf-8"))
    shapes = {name: spec["shape"] for name, spec in bundle["specs"].items()}
    assert shapes == {"text": [768], "image": [2048], "audio": [128]}
    assert list((model / "extractors" / "text").rglob("*.safetensors"))
