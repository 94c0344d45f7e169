"""The search section of the document."""

import pytest

from mmray.config.reading.load import check_document
from mmray.config.training.search import SearchConfig
from mmray.errors import ConfigError
from tests.support.document import make_config, make_document

BRANCHES = {
    "concat": {"kind": "concat"},
    "bottleneck": {
        "kind": "bottleneck",
        "tokens": {"int": [2, 8]},
        "deeper": {"rank": {"loguniform": [1, 4]}},
    },
}


def error_of(**search):
    with pytest.raises(ConfigError) as caught:
        check_document(make_document(search=search), where="pets.yaml")
    return caught.value


def test_a_search_without_a_section_optimises_the_main_metric_of_the_first_task():
    tasks = {"age": {"kind": "regression", "column": "a"}, "sex": {"kind": "binary", "column": "s"}}

    search = make_config(tasks=tasks).search_section()

    assert [(one.metric, one.direction) for one in search.objective] == [("val/age/mae", "min")]
    assert (search.trials, search.minutes, search.preset) == (24, None, None)


def test_several_objectives_keep_their_order_and_what_a_model_costs_is_one():
    metrics = ["val/animal/accuracy", "parameters", "latency_ms"]

    search = make_config(search={"objective": [{"metric": each} for each in metrics]}).search

    assert [one.metric for one in search.objective] == metrics
    assert [one.direction for one in search.objective] == ["max", "min", "min"]


def test_what_a_model_costs_selects_no_epoch():
    with pytest.raises(ConfigError, match="there is no metric 'parameters'"):
        make_config(train={"keep_best": {"metric": "parameters"}})


def test_an_objective_of_a_list_is_named_by_its_number():
    error = error_of(objective=[{"metric": "val/loss"}, {"metric": "val/animal/acuracy"}])

    assert "search.objective.1.metric: there is no metric 'val/animal/acuracy'" in str(error)


def test_an_objective_of_a_list_has_the_direction_that_a_custom_task_declares():
    task = {
        "kind": "custom",
        "factory": "a.b:c",
        "column": "x",
        "labels": "number",
        "metrics": {"cost": "min"},
    }
    objective = [{"metric": "val/fee/cost"}, {"metric": "parameters"}]

    config = make_config(tasks={"fee": task}, search={"objective": objective})

    assert [one.direction for one in config.search.objective] == ["min", "min"]


@pytest.mark.parametrize(
    ("budget", "trials"), [({}, 24), ({"trials": 3}, 3), ({"minutes": 2}, None)]
)
def test_minutes_alone_set_no_limit_to_the_trials(budget, trials):
    assert SearchConfig(**budget).trials == trials


def test_a_search_without_an_end_is_refused():
    assert "search: a search needs an end" in str(error_of(trials=None))


@pytest.mark.parametrize("key", ["grace_epochs", "reduction"])
def test_settings_of_early_stopping_that_have_moved_name_their_new_place(key):
    error = error_of(**{key: 2})

    assert f"'{key}' belongs to the section 'stop'" in str(error)
    assert error.hint.startswith("write 'search.stop: {kind: asha, " + key)


def test_a_stop_without_a_kind_is_asha_and_optuna_is_another_name_of_tpe():
    search = SearchConfig(stop={"grace_epochs": 4}, sampler="optuna")

    assert (search.stop.kind, search.stop.grace_epochs, search.sampler) == ("asha", 4, "tpe")


def test_distributions_inside_of_a_named_section_are_found_by_their_key_in_it():
    space = SearchConfig(space={"model.fusion": {"choice": BRANCHES}}).space["model.fusion"]

    nested = space.nested("bottleneck")
    assert {key: each.model_dump() for key, each in nested.items()} == {
        "tokens": {"int": (2, 8)},
        "deeper.rank": {"loguniform": (1.0, 4.0)},
    }
    assert space.nested("concat") == {}


def test_a_wrong_distribution_inside_of_a_named_section_is_named():
    branches = {"late": {"kind": "late", "tokens": {"int": [8, 2]}}}

    error = error_of(space={"model.fusion": {"choice": branches}})

    assert "search.space.model.fusion.choice: late.tokens: int needs the lower bound" in str(error)


def test_a_grid_has_no_bounds():
    error = error_of(sampler="grid", space={"train.lr": {"uniform": [0.1, 0.2]}})

    assert "a grid needs single values, and 'train.lr' has bounds" in str(error)
