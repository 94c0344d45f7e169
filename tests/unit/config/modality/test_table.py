import pytest

from mmray.config.modality.table import CategoryColumn, DateColumn, NumberColumn, TableConfig
from mmray.errors import ConfigError
from tests.support.document import make_config


def table(**settings):
    return make_config(modalities={"table": settings}).modalities["table"]


def test_a_plain_name_is_a_column_and_a_section_says_more():
    config = table(
        numbers=["age", {"column": "income", "scale": "quantile"}],
        categories=["sex"],
        dates=[{"column": "born", "format": "%d.%m.%Y"}],
    )

    assert config.numbers == (
        NumberColumn(column="age"),
        NumberColumn(column="income", scale="quantile"),
    )
    assert config.categories == (CategoryColumn(column="sex"),)
    assert config.dates == (DateColumn(column="born", format="%d.%m.%Y"),)
    assert config.columns == ("age", "income", "sex", "born")
    assert config.is_inline


def test_what_is_written_out_is_read_back():
    config = table(numbers=["age"], sequences=[{"column": "played", "vocabulary": 9}])

    assert TableConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "modalities.table: a table needs a column under 'numbers', 'categories', 'dates' or"),
        ({"numbers": ["a"], "categories": ["a"]}, "the column 'a' is named twice"),
        ({"dates": [{"column": "d", "format": "dmy"}]}, "use iso, unix_s, unix_ms or a pattern"),
        ({"dates": [{"column": "d", "format": "%q"}]}, "'q' is a bad directive in format '%q'"),
        ({"numbers": ["a", 3]}, "modalities.table.numbers.1: "),
        ({"numbers": ["a"], "missing": [-999]}, "modalities.table.missing.0: "),
    ],
)
def test_a_table_that_cannot_be_is_refused(settings, problem):
    with pytest.raises(ConfigError) as caught:
        table(**settings)

    assert problem in caught.value.args[0]


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"number": ["a"]}, "did you mean 'modalities.table.numbers'?"),
        (
            {"numbers": ["b", {"column": "a", "scal": "none"}]},
            "did you mean 'modalities.table.numbers.1.scale'?",
        ),
        ({"column": "a"}, "allowed here: kind, numbers, categories, dates, sequences, missing"),
    ],
)
def test_an_unknown_key_is_answered_with_the_one_meant_inside_of_a_list_too(settings, hint):
    with pytest.raises(ConfigError) as caught:
        table(**settings)

    assert caught.value.hint.startswith(hint)
