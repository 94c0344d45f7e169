import sys

import pytest

from mmray.config.modality.text import TextConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, extractor_identity
from mmray.features.extractor import extract_batch

SOURCE = """
import numpy as np
from mmray.core.spec import FeatureSpec
from mmray.core.kind import Kind

class Length:
    def __init__(self, scale, kind="text"):
        self.spec = FeatureSpec(Kind(kind), "vector", (1,), "float32")
        self.scale = scale
    def decode(self, payload):
        return len(payload)
    def extract(self, decoded):
        return [np.array([self.scale * length], dtype=np.float32) for length in decoded]

def nothing():
    return object()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "user_extractor.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "user_extractor", raising=False)
    return tmp_path / "user_extractor.py"


def text(factory, **options):
    extract = {"kind": "custom", "factory": factory, "options": options}
    return TextConfig(column="c", extract=extract)


def test_a_user_s_factory_is_called_with_its_options(module):
    extractor = build_extractor(text("user_extractor:Length", scale=2.0), None)

    features = extract_batch(extractor, [b"a", b"abc"]).features

    assert extractor.spec == FeatureSpec(Kind.TEXT, "vector", (1,), "float32")
    assert [feature.tolist() for feature in features] == [[2.0], [6.0]]


@pytest.mark.parametrize(
    ("factory", "options", "words"),
    [
        ("no_such_module:f", {}, "No module named 'no_such_module'"),
        ("user_extractor:missing", {}, "no attribute 'missing'"),
        ("user_extractor:Length", {"speed": 1}, "cannot be called with {'speed': 1}"),
        ("user_extractor:nothing", {}, "returned object"),
        ("user_extractor:Length", {"scale": 1, "kind": "audio"}, "in a modality of kind 'text'"),
    ],
)
def test_a_wrong_factory_is_an_error_with_a_hint(module, factory, options, words):
    with pytest.raises(ConfigError, match=words) as error:
        build_extractor(text(factory, **options), None)

    assert error.value.hint


def test_editing_the_factory_changes_the_identity(module):
    before = extractor_identity(text("user_extractor:Length"), None)
    module.write_text(SOURCE + "\n")

    assert extractor_identity(text("user_extractor:Length"), None) != before
