from pathlib import Path

from mmray.config.task.task import ClassificationConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.run.bundle.model_card import model_card
from mmray.run.feature_folder import FeatureFolder
from mmray.training.tasks.build import fit_task
from tests.support.document import make_config

EVIL = "<script>alert(1)</script> [a](http://b) \x1b[31m |"


def test_names_from_the_corpus_are_text_in_the_model_card():
    config = make_config(modalities={"text": {"column": f"no`te\n{EVIL}"}})
    spec = FeatureSpec(Kind.TEXT, "tokens", (8,), "int32", 100)
    task = fit_task(ClassificationConfig(column="label"), [EVIL, "dog"])

    features = {"text": FeatureFolder(Path(), spec, None)}

    card = model_card(config, features, {"animal": task}, {"animal": {EVIL: 0.5}})

    lines = card.splitlines()
    assert r"``no`te\x0a<script>alert(1)</script> [a](http://b) \x1b[31m |`` (text)" in card
    assert r"&lt;script&gt;alert(1)&lt;/script&gt; \[a\](http&#8203;://b)" in card
    assert [line for line in lines if line.startswith("<")] == []
    assert sum(line.startswith("```") for line in lines) == 2
    assert "\x1b" not in card


def test_a_figure_has_its_interval_and_its_samples():
    config = make_config()
    values = {"accuracy": 0.9, "accuracy_interval": [0.8, 0.95], "f1_macro": 0.5, "samples": 40}

    lines = model_card(config, {}, {}, {"animal": values}).splitlines()

    assert r"| animal | accuracy | 0.9000 | 0.8000 to 0.9500 | 40 |" in lines
    assert r"| animal | f1_macro | 0.5000 |  | 40 |" in lines
