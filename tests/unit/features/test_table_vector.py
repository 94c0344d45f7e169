import json

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from mmray.config.modality.table import TableConfig
from mmray.core.file.atomic import read_json
from mmray.data.manifest.reference import reference_of
from mmray.errors import ConfigError, ExtractionError
from mmray.features.build import build_extractor, extractor_identity
from mmray.features.extractor import extract_batch
from mmray.features.fit import fit_extractor
from mmray.features.spec import fitted_spec, spec_of


def table(extract=None, **columns):
    section = {"kind": "table_vector"} | (extract or {})
    return TypeAdapter(TableConfig).validate_python({"extract": section} | columns)


def payloads_of(config, rows):
    return [reference_of(config, row).encode() for row in rows]


class Fitted:
    """An extractor fitted on rows, that gives named features."""

    def __init__(self, config, rows, folder):
        self.config = config
        fit_extractor(config, payloads_of(config, rows), folder)
        self.extractor = build_extractor(config, folder)
        assert len(set(self.extractor.names)) == fitted_spec(config, folder).shape[0]

    def __call__(self, row):
        batch = extract_batch(self.extractor, payloads_of(self.config, [row]))
        assert batch.reasons == [""]
        return dict(zip(self.extractor.names, batch.features[0].tolist(), strict=True))

    def column(self, name, rows):
        return np.array([self(row)[name] for row in rows])


# --- numbers --------------------------------------------------------------------------------

AGES = np.random.default_rng(3).lognormal(3, 1, 500)
UNSEEN = np.array([-5.0, 0.0, 3.3, 20.0, 55.5, 1e4])


def ages(values):
    return [{"age": float(value)} for value in values]


def test_a_standard_number_is_that_of_scikit_learn_and_cut_at_ten_deviations(tmp_path):
    fitted = Fitted(table(numbers=["age"]), ages(AGES), tmp_path)

    expected = StandardScaler().fit(AGES[:, None]).transform(UNSEEN[:, None])[:, 0]

    assert expected.max() > 10
    np.testing.assert_allclose(
        fitted.column("age", ages(UNSEEN)), np.clip(expected, -10, 10), atol=1e-5
    )


@pytest.mark.parametrize("values", [AGES, AGES.round(-1), AGES[:7]])
def test_a_quantile_number_is_that_of_scikit_learn(values, tmp_path):
    fitted = Fitted(table({"scale": "quantile"}, numbers=["age"]), ages(values), tmp_path)
    asked = np.concatenate([UNSEEN, values[:50]])

    transformer = QuantileTransformer(
        n_quantiles=min(1000, len(values)), output_distribution="normal", subsample=None
    ).fit(values[:, None])
    expected = transformer.transform(asked[:, None])[:, 0]

    # scikit-learn puts every row of a smallest value that many rows share at the far end.
    differs = (asked == values.min()) & (np.sum(values == values.min()) > 1)
    found = fitted.column("age", ages(asked))
    np.testing.assert_allclose(found[~differs], expected[~differs], atol=1e-4)


def test_a_smallest_number_that_many_rows_share_is_in_the_middle_of_its_ranks(tmp_path):
    spent = np.concatenate([np.zeros(600), np.arange(1, 401)])

    fitted = Fitted(table({"scale": "quantile"}, numbers=["age"]), ages(spent), tmp_path)

    assert fitted({"age": 0})["age"] == pytest.approx(norm.ppf(0.3), abs=1e-2)


def test_a_column_has_its_own_scale_where_it_says_so(tmp_path):
    config = table({"scale": "none"}, numbers=["a", {"column": "b", "scale": "standard"}])

    row = Fitted(config, [{"a": n, "b": n} for n in (1, 3)], tmp_path)({"a": 5, "b": 5})

    assert (row["a"], row["b"]) == (5.0, 3.0)


@pytest.mark.parametrize("impute", ["median", "mean"])
def test_a_missing_number_is_filled_and_flagged(impute, tmp_path):
    config = table({"impute": impute}, numbers=["a", "b"])
    values = [0.0, 0.0, 2.0, 2.0, 0.0, 5.0]
    standard = StandardScaler().fit(np.array(values)[:, None])
    middle = np.median(values) if impute == "median" else np.mean(values)

    fitted = Fitted(config, [{"a": v, "b": 1} for v in values], tmp_path)
    gap, known = fitted({"b": 1}), fitted({"a": 5.0})

    assert gap["a"] == pytest.approx((middle - standard.mean_[0]) / standard.scale_[0], abs=1e-6)
    assert (gap["a is missing"], known["a is missing"]) == (1.0, 0.0)
    assert (gap["b is missing"], known["b is missing"]) == (0.0, 1.0)


@pytest.mark.parametrize("scale", ["standard", "quantile", "none"])
def test_constant_absent_and_huge_columns_give_finite_features(scale, tmp_path):
    config = table({"scale": scale}, numbers=["same", "never", "huge", "tiny"])
    extremes = ((1e308, 1e-308), (-1e308, 0), (1, 5e-324))
    rows = [{"same": 7, "huge": huge, "tiny": tiny} for huge, tiny in extremes]

    fitted = Fitted(config, rows, tmp_path)
    asked = [*rows, {"same": 8, "never": 3, "huge": -1e300, "tiny": 1e300}, {"tiny": -1e308}]
    features = np.array([list(fitted(row).values()) for row in asked])

    assert np.isfinite(features).all()
    assert np.isfinite((features**2).astype(np.float32)).all()
    if scale != "none":
        assert [fitted(row)["same"] for row in asked] == [0.0] * 5
        assert [fitted(row)["never"] for row in asked] == [0.0] * 5


# --- categories -----------------------------------------------------------------------------


def test_a_category_has_a_slot_and_rare_unseen_and_missing_ones_have_others(tmp_path):
    config = table({"max_categories": 2, "min_count": 2}, categories=["town"])
    towns = ["a"] * 2 + ["b"] * 3 + ["c"] * 2 + ["rare", None]

    fitted = Fitted(config, [{"town": t} for t in towns if t], tmp_path)

    assert fitted.extractor.names == ["town is unknown", "town is missing", "town = b", "town = a"]
    assert list(fitted({"town": "a"}).values()) == [0, 0, 0, 1]
    for unknown in ("c", "rare", "never seen"):
        assert list(fitted({"town": unknown}).values()) == [1, 0, 0, 0]


def test_a_missing_category_is_not_an_unknown_one(tmp_path):
    config = table({"max_categories": 3}, categories=["town", "sex"])
    fitted = Fitted(config, [{"town": "a", "sex": "f"}] * 2, tmp_path)

    row = fitted({"sex": "f"})

    assert (row["town is missing"], row["town is unknown"], row["town = a"]) == (1, 0, 0)
    assert row["sex = f"] == 1


def test_a_column_with_fewer_names_than_slots_has_no_empty_ones(tmp_path):
    config = table({"max_categories": 3, "vocabulary": 9}, categories=["sex"], sequences=["played"])
    rows = [{"sex": "f", "played": ["x", "y"]}] * 2

    fitted = Fitted(config, rows, tmp_path)

    names = ["sex is unknown", "sex is missing", "sex = f"]
    names += ["played is unknown", "played is missing", "played = x", "played = y"]
    assert fitted.extractor.names == names
    assert (fitted.extractor.spec.shape, spec_of(config).shape) == ((7,), (16,))
    assert fitted_spec(config, tmp_path) == fitted.extractor.spec


def test_a_state_with_unused_slots_keeps_their_features(tmp_path):
    config = table({"max_categories": 3}, categories=["sex"])
    rows = [{"sex": "f"}] * 2
    Fitted(config, rows, tmp_path)
    state = json.loads((tmp_path / "table.json").read_text())
    state["categories"][0]["slots"] = 3
    (tmp_path / "table.json").write_text(json.dumps(state))

    extractor = build_extractor(config, tmp_path)

    (feature,) = extractor.extract([extractor.decode(b'{"sex": "f"}')])
    assert feature.tolist() == [0, 0, 1, 0, 0]
    assert extractor.spec == spec_of(config)


# --- dates ----------------------------------------------------------------------------------


def test_a_date_lies_on_a_line_and_on_three_circles(tmp_path):
    config = table(numbers=["n"], dates=["seen"])
    rows = [{"seen": "2024-01-01"}, {"seen": "2024-01-03"}]

    fitted = Fitted(config, rows, tmp_path)
    monday, thursday = fitted(rows[0]), fitted({"seen": "2023-07-06T06:00:00"})

    assert monday["seen"] == -1.0
    assert thursday["seen"] == -10.0
    waves = [f"seen {part} {wave}" for part in ("year", "week", "day") for wave in ("sin", "cos")]
    np.testing.assert_allclose([monday[name] for name in waves], [0, 1, 0, 1, 0, 1], atol=1e-6)
    year = 2 * np.pi * (186 + 0.25) / 365
    week = 2 * np.pi * 3.25 / 7
    expected = [np.sin(year), np.cos(year), np.sin(week), np.cos(week), 1, 0]
    np.testing.assert_allclose([thursday[name] for name in waves], expected, atol=1e-6)


def test_a_missing_date_is_zeros_and_a_flag(tmp_path):
    fitted = Fitted(table(numbers=["n"], dates=["seen"]), [{"n": 1}, {"n": 2}], tmp_path)

    row = fitted({"n": 1})

    assert row.pop("seen is missing") == 1.0
    assert [value for name, value in row.items() if name.startswith("seen")] == [0.0] * 7


@pytest.mark.parametrize("day", ["0001-01-01", "1600-02-29", "9999-12-31T23:59:59.999"])
def test_any_year_is_finite_and_on_the_circle(day, tmp_path):
    rows = [{"d": "2024-01-01"}, {"d": "2020-01-01"}]

    row = Fitted(table(dates=["d"]), rows, tmp_path)({"d": day})

    for part in ("year", "week", "day"):
        assert np.hypot(row[f"d {part} sin"], row[f"d {part} cos"]) == pytest.approx(1, abs=1e-6)


# --- sequences ------------------------------------------------------------------------------

HEARD = [{"heard": ["a", "b"]}, {"heard": ["b", "c", "c"]}, {"heard": ["a", "b", "z"]}]


def test_a_sequence_is_counts_at_length_one_with_the_share_of_unknown_ids(tmp_path):
    config = table({"vocabulary": 2}, sequences=["heard"])

    fitted = Fitted(config, HEARD, tmp_path)
    row = fitted({"heard": ["a", "b", "a", "new", "c"]})

    assert fitted.extractor.names == [
        "heard is unknown", "heard is missing", "heard = b", "heard = a",
    ]  # fmt: skip
    expected = [2 / 5, 0, 1 / 5**0.5, 2 / 5**0.5]
    np.testing.assert_allclose(list(row.values()), expected, rtol=1e-6)


def test_an_empty_sequence_is_not_a_missing_one(tmp_path):
    fitted = Fitted(table(numbers=["n"], sequences=["heard"]), HEARD, tmp_path)

    empty, missing = fitted({"heard": []}), fitted({"n": 1})

    assert (empty["heard is missing"], missing["heard is missing"]) == (0.0, 1.0)
    assert sum(empty[name] for name in empty if name.startswith("heard")) == 0.0


def test_recent_ids_weigh_more_and_old_ones_are_cut(tmp_path):
    settings = {"weighting": "recent", "half_life": 1, "max_items": 3, "vocabulary": 2}
    fitted = Fitted(table(settings, sequences=["heard"]), HEARD, tmp_path)

    row = fitted({"heard": ["b", "b", "b", "new", "a", "b"]})

    assert row["heard is unknown"] == pytest.approx(0.25 / 1.75)
    assert row["heard = a"] / row["heard = b"] == pytest.approx(0.5)


# --- the state ------------------------------------------------------------------------------

EVERY = {"numbers": ["age"], "categories": ["town"], "dates": ["seen"], "sequences": ["heard"]}
ROWS = [
    {"age": 3, "town": "a", "seen": "2024-01-01", "heard": ["x", "y"]},
    {"age": 5.5, "town": "b", "heard": ["y", "z"]},
    {"age": 4, "town": "b", "seen": "2024-03-01", "heard": ["x", "z"]},
    {"town": "a", "seen": "2024-02-01"},
]


@pytest.mark.parametrize("scale", ["standard", "quantile"])
def test_the_same_rows_teach_the_same_state_byte_for_byte_in_any_order(scale, tmp_path):
    config = table({"scale": scale}, **EVERY)
    payloads = payloads_of(config, ROWS)
    for folder, given in (("one", payloads), ("two", payloads), ("three", payloads[::-1])):
        fit_extractor(config, given, tmp_path / folder)

    written = [(tmp_path / name / "table.json").read_bytes() for name in ("one", "two", "three")]
    assert written[0] == written[1] == written[2]
    assert len(json.loads(written[0])["names"]) == fitted_spec(config, tmp_path / "one").shape[0]


def test_rejected_rows_teach_nothing_and_only_rejected_ones_are_an_error(tmp_path):
    config = table(**EVERY)
    payloads = payloads_of(config, ROWS)
    bad = payloads_of(config, [{"age": "abc", "town": "q"}])

    fit_extractor(config, payloads, tmp_path / "good")
    fit_extractor(config, payloads + bad * 9, tmp_path / "mixed")

    states = [read_json(tmp_path / name / "table.json") for name in ("good", "mixed")]
    assert states[0] == states[1]
    with pytest.raises(ExtractionError, match="no usable row to fit on"):
        fit_extractor(config, bad, tmp_path / "bad")


def test_a_state_of_other_settings_is_refused(tmp_path):
    fit_extractor(table(**EVERY), payloads_of(table(**EVERY), ROWS), tmp_path)

    with pytest.raises(ConfigError, match="the fitted state gives"):
        build_extractor(table({"max_categories": 1}, **EVERY), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": [{"column": "age", "scale": "none"}]},
        {"dates": [{"column": "seen", "format": "%Y"}]},
        {"missing": ["NA"]},
        {"extract": {"kind": "table_vector", "impute": "mean"}},
    ],
)
def test_what_decides_features_is_part_of_the_identity_and_the_encoder_is_not(change, tmp_path):
    config = table(**EVERY)
    fit_extractor(config, payloads_of(config, ROWS), tmp_path)
    document = config.model_dump(mode="json", exclude={"encode"})
    changed = TableConfig.model_validate(document | change)
    encoded = TableConfig.model_validate(document | {"encode": {"kind": "linear"}})

    assert extractor_identity(changed, tmp_path) != extractor_identity(config, tmp_path)
    assert extractor_identity(encoded, tmp_path) == extractor_identity(config, tmp_path)
