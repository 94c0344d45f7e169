import pytest

from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ConfigError, ManifestError
from mmray.stages.searching.requirement import check_requirements
from tests.support.document import make_config

ROWS = 12


def make_manifest(groups=None):
    return Manifest(
        "/corpus",
        [str(row) for row in range(ROWS)],
        [Split.TRAIN] * ROWS,
        {},
        {"animal": ["cat", "dog"] * (ROWS // 2)},
        groups,
    )


def check(groups=None, *, data=None, sections=None, **search):
    config = make_config(
        data={"manifest": "m.jsonl"} | (data or {}), search=search, **(sections or {})
    )
    check_requirements(config, make_manifest(groups))


def test_a_search_without_folds_and_ensemble_needs_nothing():
    check(data={"split": {"group": "who"}})
    check(folds=3)
    check(ensemble=3)


def test_more_folds_than_groups_are_refused_before_any_trial():
    with pytest.raises(ManifestError, match="not enough for 5 folds"):
        check(["a", "b", "c", "d"] * 3, data={"split": {"group": "who"}}, folds=5)


def test_a_manifest_that_lacks_its_groups_is_refused():
    with pytest.raises(ManifestError, match="belong together") as caught:
        check(data={"split": {"group": "who"}}, folds=3)
    assert "mmray prepare" in caught.value.hint


def test_an_ensemble_of_folds_is_refused():
    with pytest.raises(ConfigError, match="one model per trial"):
        check(folds=3, ensemble=3)


def test_an_ensemble_of_what_has_no_mean_is_refused():
    sections = {
        "modalities": {"text": {"column": "note"}, "image": {"column": "photo"}},
        "tasks": {"pairs": {"kind": "alignment"}},
    }
    with pytest.raises(ConfigError, match="'pairs', which is of kind 'alignment'"):
        check(sections=sections, ensemble=3)
