"""Results of earlier searches in the study of the next one."""

import json
from dataclasses import replace

import optuna
import pytest

from mmray.search.earlier import (
    EARLIER,
    EarlierTrial,
    earlier_trials,
    warm_start,
    write_origin,
)
from mmray.search.record import TrialRecord
from mmray.search.sample import params_of
from mmray.search.sampling import build_sampler
from mmray.search.space import distributions_of, suggest
from mmray.search.study import load_study, open_study, read_trials
from tests.support.document import make_config

LR = {"train.lr": {"loguniform": [1e-4, 1e-2]}}
FUSION = {
    "model.fusion": {
        "choice": {
            "concat": {"kind": "concat"},
            "low_rank": {"kind": "low_rank", "rank": {"int": [2, 8]}},
        }
    }
}
SAMPLES = [
    {},  # the document
    {"train.lr": 0.002, "model.fusion": "low_rank", "model.fusion.low_rank.rank": 6},
    {"train.lr": 0.004, "model.fusion": "concat"},
]


def config_of(space=LR | FUSION, *, objective="val/loss", **sections):
    search = {"space": space, "objective": {"metric": objective}}
    return make_config(search=search, **sections)


def search(folder, config, samples=SAMPLES, *, features="f", state="complete"):
    """Leave the folder of a search whose trials have the values 0.1, 0.2 and so on."""
    write_origin(folder, config, features)
    study, space = open_study(folder, ["minimize"]), config.search.space
    for number, sample in enumerate(samples, 1):
        params = dict(sample or params_of(config, space))
        record = TrialRecord(
            number=number, sample=sample, state="running", values=(), epochs=0, seconds=0.0,
            reason="", started=0.0, folder="", parameters=None, latency_ms=None,
        )  # fmt: skip
        study.add(record, params, distributions_of(space, params))
        study.report(replace(record, epochs=1, values=(number / 10,)), number / 10)
        study.tell(replace(record, epochs=1, values=(number / 10,), state=state))


def found(tmp_path, config, features="f"):
    return [
        (each.name, dict(each.params), each.values)
        for each in earlier_trials(tmp_path / "new", config, features)
    ]


def test_trials_of_another_search_are_found_as_samples_of_this_space(tmp_path):
    search(tmp_path / "old", config_of(train={"lr": 0.001}))

    assert found(tmp_path, config_of()) == [
        ("old/1", {"train.lr": 0.001, "model.fusion": "concat"}, (0.1,)),
        ("old/2", SAMPLES[1], (0.2,)),
        ("old/3", SAMPLES[2], (0.3,)),
    ]


def test_a_branch_of_another_name_is_found_by_what_it_is(tmp_path):
    search(tmp_path / "old", config_of())
    branches = {"joined": {"kind": "concat"}, "products": {"kind": "low_rank", "rank": 6}}

    names = [
        params
        for _, params, _ in found(tmp_path, config_of({"model.fusion": {"choice": branches}}))
    ]

    assert names == [{"model.fusion": each} for each in ("joined", "products", "joined")]


def test_trials_outside_of_the_space_are_left_out(tmp_path):
    search(tmp_path / "old", config_of())

    narrow = {"train.lr": {"loguniform": [3e-3, 1e-2]}}
    further = LR | FUSION | {"model.dropout": {"uniform": [0.5, 0.6]}}

    assert [name for name, _, _ in found(tmp_path, config_of(narrow))] == ["old/3"]
    assert found(tmp_path, config_of(further)) == []


@pytest.mark.parametrize(
    ("other", "features"),
    [
        (config_of(objective="val/animal/accuracy"), "f"),
        (config_of(train={"epochs": 3}), "f"),
        (config_of(), "g"),
    ],
)
def test_a_search_that_measured_something_else_is_left_out(tmp_path, other, features):
    search(tmp_path / "old", config_of())

    assert found(tmp_path, other, features) == []


def test_stopped_trials_the_search_itself_and_documents_of_other_rules_are_left_out(tmp_path):
    search(tmp_path / "stopped", config_of(), state="stopped")
    search(tmp_path / "new", config_of())
    search(tmp_path / "other rules", config_of())
    origin = tmp_path / "other rules" / "origin.json"
    document = json.loads(origin.read_text())
    document["document"]["train"]["forgotten"] = 1
    origin.write_text(json.dumps(document))

    assert found(tmp_path, config_of()) == []


@pytest.mark.parametrize("name", ["origin.json", "study.journal"])
@pytest.mark.parametrize("content", [b"", b"[]\n", b"\x00\xff\n", b"{}\n", b"garbage\n"])
def test_a_damaged_search_is_left_out_and_named(tmp_path, name, content, caplog):
    search(tmp_path / "damaged", config_of())
    search(tmp_path / "sound", config_of(), SAMPLES[:1])
    (tmp_path / "damaged" / name).write_bytes(content)

    assert [each for each, _, _ in found(tmp_path, config_of())] == ["sound/1"]
    is_empty = (name, content) == ("study.journal", b"")  # of a search that was about to begin
    assert ("left out, damaged: " + str(tmp_path / "damaged") in caplog.text) is not is_empty


def test_results_are_in_the_study_and_no_trials_of_it(tmp_path):
    config = config_of()
    trials = [EarlierTrial("old/2", SAMPLES[1], (0.2,))]

    added = warm_start(tmp_path, config.search, trials)
    again = warm_start(tmp_path, config.search, trials)

    (frozen,) = load_study(tmp_path).trials
    assert (added, again) == (1, 0)
    assert (frozen.params, frozen.values) == (SAMPLES[1], [0.2])
    assert frozen.user_attrs == {EARLIER: "old/2"}
    assert frozen.state == optuna.trial.TrialState.COMPLETE
    assert read_trials(tmp_path) == []


def test_a_sampler_draws_near_the_best_of_earlier_results(tmp_path):
    config = config_of(LR)
    good = [EarlierTrial(f"old/{n}", {"train.lr": 2e-4 + n * 1e-6}, (0.1,)) for n in range(10)]
    bad = [EarlierTrial(f"old/{n}", {"train.lr": 5e-3 + n * 1e-5}, (0.9,)) for n in range(30)]
    warm_start(tmp_path, config.search, [*good, *bad])

    drawn, study = [], open_study(tmp_path, ["minimize"]).study
    for seed in range(8):
        study.sampler = build_sampler("tpe", seed)
        drawn.append(suggest(study.ask(), config.search.space)["train.lr"])

    assert sum(lr < 6e-4 for lr in drawn) >= 6
