import json

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from mmray.config.modality.modality import ModalityConfig
from mmray.core.kind import Kind
from mmray.core.rejection import Rejection
from mmray.errors import ConfigError, ExtractionError
from mmray.features.build import build_extractor, extractor_identity
from mmray.features.extractor import extract_batch
from mmray.features.fit import fit_extractor
from mmray.features.kinds import KINDS, kind_of
from mmray.features.series.raw import fit_scale
from mmray.features.series.statistics import channel_statistics
from mmray.features.spec import spec_of
from tests.support.kinds.series import lines, npy

CHECK = TypeAdapter(ModalityConfig)
NAN = float("nan")


def config_of(extract=None, **settings):
    document = {"kind": "series", "column": "c", "extract": {"kind": extract or "statistics"}}
    return CHECK.validate_python(document | settings)


def features(config, payloads, state, train=()):
    fit_extractor(config, train or payloads, state)
    batch = extract_batch(build_extractor(config, state), payloads)
    assert batch.reasons == [""] * len(payloads), batch.details
    return batch.features


# --- statistics -----------------------------------------------------------------------------


def test_statistics_are_those_of_numpy_over_the_values_that_are_there():
    channel = np.random.default_rng(0).normal(3, 2, 50).cumsum()
    found = channel_statistics(channel, (0.1, 0.9))

    np.testing.assert_allclose(
        found[:4], [channel.mean(), channel.std(), min(channel), max(channel)]
    )
    np.testing.assert_allclose(found[4], np.polyfit(np.arange(50), channel, 1)[0])
    np.testing.assert_allclose(found[5], np.abs(np.diff(channel)).mean())
    np.testing.assert_allclose(found[8:], np.quantile(channel, (0.1, 0.9)))
    assert 0.8 < found[6] < 1


def test_missing_steps_count_as_a_share_and_in_nothing_else():
    gaps = channel_statistics(np.array([0.0, NAN, 2.0, 3.0, NAN]), ())

    np.testing.assert_allclose(gaps[[0, 4, 5, 7]], [5 / 3, 1.0, 1.0, 0.4])
    np.testing.assert_allclose(channel_statistics(np.full(4, NAN), (0.5,)), [0] * 7 + [1, 0])


def test_a_channel_that_does_not_vary_and_one_of_huge_numbers_are_finite(tmp_path):
    found = features(config_of(), [npy(np.full(9, 0.1)), npy([-1e300, 1e300])], tmp_path)

    np.testing.assert_allclose(found[0], [0.1, 0, 0.1, 0.1, 0, 0, 0, 0, 0.1, 0.1, 0.1], atol=1e-9)
    assert np.abs(found[1]).max() == np.float32(1e15)


def test_windows_give_a_sequence_of_statistics(tmp_path):
    windows = {"windows": {"length": 3, "hop": 2, "most": 4}}
    config = config_of(decode=windows)
    short, long = features(config, [b"[1,2]", npy(np.arange(100.0))], tmp_path)

    assert spec_of(config).describe() == "sequence (T<=4, F=11)"
    np.testing.assert_allclose(short[:, [0, 7]], [[1.5, 1 / 3]], rtol=1e-6)
    np.testing.assert_allclose(long[:, 0], [1, 3, 5, 7])


# --- raw ------------------------------------------------------------------------------------


def test_steps_are_standardised_by_the_train_split_with_flags_of_what_is_missing(tmp_path):
    config = config_of("raw", decode={"columns": 2})
    (found,) = features(
        config, [b"[[3,null],[5,9]]"], tmp_path, train=[lines([[1, 0.1]] * 3 + [[3, 0.1]] * 3, "")]
    )

    # The train split's first channel has mean 2 and deviation 1; the second does not vary.
    np.testing.assert_allclose(found, [[1, 0, 0, 1], [3, 0, 0, 0]])


@pytest.mark.parametrize("missing", ["interpolate", "drop"])
def test_without_a_mask_there_are_no_flags(missing, tmp_path):
    config = config_of("raw", decode={"missing": missing})
    (found,) = features(config, [b"[3,null,1]"], tmp_path, train=[b"[1,3]"])

    np.testing.assert_allclose(found, [[1], [0], [-1]] if missing == "interpolate" else [[1], [-1]])


def test_windows_lay_their_steps_side_by_side(tmp_path):
    config = config_of("raw", decode={"windows": {"length": 2, "hop": 2}})
    (found,) = features(config, [b"[1,3,1]"], tmp_path, train=[b"[1,3]"])

    assert spec_of(config).describe() == "sequence (T<=64, F=4)"
    np.testing.assert_allclose(found, [[-1, 0, 1, 0], [-1, 0, 0, 1]])


def test_a_long_series_is_cut_and_a_far_value_too(tmp_path):
    config = CHECK.validate_python(
        {"kind": "series", "column": "c", "extract": {"kind": "raw", "max_steps": 2}}
    )
    (found,) = features(config, [b"[1e50,3,1,2]"], tmp_path, train=[b"[1,3]"])

    np.testing.assert_allclose(found, [[10, 0], [1, 0]])


def test_the_scale_is_that_of_all_steps_at_once_even_where_means_are_large():
    rng = np.random.default_rng(0)
    series = [rng.normal(1e8, 1, (size, 2)) for size in (3, 50, 700)]
    series[1][::2, 0] = NAN
    together = np.concatenate(series)

    scale = fit_scale([*series, Rejection("series_empty")], 2)

    np.testing.assert_allclose(scale.mean, np.nanmean(together, axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale.deviation, np.nanstd(together, axis=0), rtol=1e-6)


def test_a_train_split_without_a_usable_series_is_an_error(tmp_path):
    with pytest.raises(ExtractionError, match="no usable series"):
        fit_extractor(config_of("raw"), [b"", b"x,y"], tmp_path)


@pytest.mark.parametrize(
    "state",
    [
        "[]", '{"mean": [0]}', '{"mean": [0, 0], "deviation": [1, 1]}',
        '{"mean": [0], "deviation": [-1]}', '{"mean": [1e999], "deviation": [1]}',
    ],
)  # fmt: skip
def test_a_foreign_state_that_does_not_fit_is_refused(state, tmp_path):
    (tmp_path / "series.json").write_text(state)

    with pytest.raises(ConfigError, match="fitted scale"):
        build_extractor(config_of("raw"), tmp_path)


# --- the document ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decode", "problem"),
    [
        ({"rate_hz": 10}, "rate_hz needs 'time'"),
        ({"time": "t", "max_gap_s": 1}, "max_gap_s needs rate_hz"),
        ({"columns": ["a", "b", "a"]}, "the column 'a' is named twice"),
        ({"columns": ["a", 0], "time": 0, "rate_hz": 1}, "the column 0 is named twice"),
        ({"columns": []}, "at least 1 item"),
        ({"columns": 0}, "greater than 0"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(decode, problem):
    with pytest.raises(ValidationError, match=problem):
        config_of(decode=decode)


@pytest.mark.parametrize("change", [{"rate_hz": 2, "time": "t"}, {"missing": "drop"}])
def test_a_setting_of_decoding_changes_the_identity(change):
    before = extractor_identity(config_of(), None)

    assert extractor_identity(config_of(decode=change), None) != before
    assert extractor_identity(config_of(payload="inline"), None) == before


# --- examples of all kinds ------------------------------------------------------------------


@pytest.mark.parametrize(
    "decode",
    [
        {}, {"columns": 3}, {"columns": ["x", "y"]}, {"columns": [2, 0]},
        {"columns": 2, "time": "t", "rate_hz": 50}, {"columns": 2, "time": 0, "rate_hz": 0.1},
        {"columns": ["x"], "time": "t", "rate_hz": 1e6, "time_unit": "ns"},
    ],
)  # fmt: skip
def test_the_example_of_a_series_can_be_extracted(decode, tmp_path):
    config = config_of(decode=decode, payload="inline")
    cell = kind_of(config).example(config)["c"]

    (found,) = features(config, [cell.encode()], tmp_path)
    assert found.shape == spec_of(config).shape


def test_formats_are_named_for_people():
    (series,) = [kind for kind in KINDS if kind.kind == Kind.SERIES]

    told = map(series.format_of, [npy([1.0]), json.dumps([1]).encode(), b"a,b\n1,2"])
    assert list(told) == ["npy", "json", "csv"]
