"""Code that a bundle names or brings: not run, not asked about, unless its user trusts it."""

import io
import json
import sys

import pytest

import mmray
from mmray.errors import BundleError, ConfigError
from mmray.run.bundle.foreign.trust import custom_parts
from tests.support.bundle import change_document, make_bundle, reseal
from tests.support.checkpoint import checkpoints
from tests.support.document import make_config

__all__ = ["checkpoints"]

FACTORY = """
from pathlib import Path
Path(__file__).with_name("imported").touch()

def make(**options):
    import numpy as np
    from mmray.core.spec import FeatureSpec
    from mmray.core.kind import Kind

    class Length:
        spec = FeatureSpec(Kind.TEXT, "vector", (1,), "float32")

        def decode(self, payload):
            return len(payload)

        def extract(self, decoded):
            return [np.array([n], np.float32) for n in decoded]

    return Length()
"""
CUSTOM = {"text": {"column": "note", "extract": {"kind": "custom", "factory": "theirs:make"}}}
ANIMAL = {"animal": {"kind": "classification", "column": "label"}}


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A bundle whose document names code, which says that it was imported by writing a file."""
    (tmp_path / "theirs.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("theirs", None)
    bundle = make_bundle(tmp_path / "model", modalities=CUSTOM, tasks=ANIMAL)
    sys.modules.pop("theirs")
    (tmp_path / "imported").unlink()
    return bundle


def test_a_factory_is_not_imported_and_is_named(theirs, tmp_path):
    with pytest.raises(BundleError, match=r"'theirs:make' \(modalities.text.extract\)") as caught:
        mmray.load(theirs)

    assert "trust=True" in caught.value.hint
    assert not (tmp_path / "imported").exists()
    assert "theirs" not in sys.modules


def test_a_bundle_that_is_trusted_runs_its_factory(theirs, tmp_path):
    (row,) = mmray.load(theirs, trust=True).predict({"note": "hello"})

    assert row["present"] == ["text"]
    assert (tmp_path / "imported").exists()


def test_every_place_where_a_document_can_name_code_is_found():
    custom = {"kind": "custom", "factory": "a.b:c"}
    transcript = {"kind": "transcript", "model": "m", "text": {"extract": custom}}
    config = make_config(
        modalities={
            "text": {"column": "note", "extract": custom, "encode": custom},
            "audio": {"column": "speech", "extract": transcript},
        },
        model={"fusion": custom},
        tasks={
            "t": custom | {"column": "c", "labels": "number", "metrics": {"error": "min"}},
        },
    )

    assert sorted(custom_parts(config)) == [
        "modalities.audio.extract.text.extract",
        "modalities.text.encode",
        "modalities.text.extract",
        "model.fusion",
        "tasks.t",
    ]


@pytest.fixture
def bert_bundle(tmp_path, checkpoints):
    extract = {"kind": "hf_text", "model": str(checkpoints["bert"]), "dim": 32, "max_tokens": 32}
    return make_bundle(
        tmp_path / "model",
        modalities={"text": {"column": "note", "extract": extract}},
        tasks=ANIMAL,
    )


def settings_of(bundle, change):
    path = bundle / "extractors" / "text" / "model" / "config.json"
    settings = json.loads(path.read_text())
    change(settings)
    path.write_text(json.dumps(settings))
    reseal(bundle)


def test_a_bundle_holds_its_checkpoint(bert_bundle):
    def rename(document):
        document["config"]["modalities"]["text"]["extract"]["model"] = "nobody/nowhere"

    change_document(bert_bundle, rename)

    (row,) = mmray.load(bert_bundle).predict({"note": "hello"})

    assert row["present"] == ["text"]


def test_a_checkpoint_with_code_of_its_own_is_refused_without_a_question(bert_bundle, monkeypatch):
    asked = io.StringIO("y\n" * 9)
    monkeypatch.setattr(sys, "stdin", asked)

    def bring_code(settings):
        settings["model_type"] = "theirs"
        settings["auto_map"] = {"AutoConfig": "code.C", "AutoModel": "code.M"}

    settings_of(bert_bundle, bring_code)
    for trust in (False, True):
        with pytest.raises(BundleError, match="names code of the checkpoint"):
            mmray.load(bert_bundle, trust=trust)
    assert asked.tell() == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("hidden_size", 10**6), ("hidden_size", 10**12), ("num_hidden_layers", 10**6),
     ("vocab_size", 10**8), ("intermediate_size", 10**8)],
)  # fmt: skip
def test_a_checkpoint_that_asks_for_more_weights_than_there_are(bert_bundle, key, value):
    settings_of(bert_bundle, lambda settings: settings.update({key: value}))

    with pytest.raises(BundleError, match=r"asks for|the limit is"):
        mmray.load(bert_bundle)


def test_a_checkpoint_without_its_weights_asks_nobody(bert_bundle):
    (bert_bundle / "extractors" / "text" / "model" / "model.safetensors").unlink()
    reseal(bert_bundle)

    with pytest.raises(ConfigError, match="cannot load checkpoint"):
        mmray.load(bert_bundle)
