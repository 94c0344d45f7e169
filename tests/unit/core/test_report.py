import json
import pickle

import pytest

from mmray.core.kind import Kind
from mmray.core.report import Report, report_from_dict
from mmray.core.spec import FeatureSpec, spec_from_dict
from mmray.errors import ConfigError, ManifestError

REPORT = Report(
    stage="train",
    fingerprint="f",
    folder="work/train/f",
    seconds=1.5,
    counts={"samples": 3, "splits": {"train": 2}},
    metrics={"loss": 0.25},
    found=("one", "two"),
    next_step="mmray evaluate CONFIG",
)


def test_a_report_read_back_is_the_same_but_skipped():
    document = json.loads(json.dumps(REPORT.to_dict()))

    again = report_from_dict(document, skipped=True)

    assert again.skipped
    assert report_from_dict(document, skipped=False) == REPORT
    assert again.to_dict() == REPORT.to_dict() | {"skipped": True}


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(Kind.AUDIO, "sequence", (12, 5), "float32"),
        FeatureSpec(Kind.TEXT, "tokens", (12,), "int32", vocabulary=20),
        FeatureSpec(Kind.IMAGE, "pixels", (8, 12, 3), "uint8"),
    ],
)
def test_a_spec_read_back_is_the_same(spec):
    assert spec_from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_an_error_says_what_where_and_what_to_do_and_survives_another_process():
    error = ManifestError("no rows", where="a.csv", hint="add one")

    again = pickle.loads(pickle.dumps(error))

    assert str(again) == "no rows\n  where: a.csv\n  hint:  add one"
    assert (type(again), again.exit_code) == (ManifestError, 3)
    assert str(ConfigError("no name")) == "no name"
