from pathlib import Path

from mmray.assembly.bundle import model_card
from mmray.assembly.samples import FeatureFolder
from mmray.config.task import ClassificationConfig
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
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
