"""The record of a search on disk: what is read of it, and what a kill leaves."""

import subprocess
import sys
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from mmray.errors import TrainingError
from mmray.search.record import TrialRecord
from mmray.search.study import JOURNAL, load_study, open_study, read_trials


def record(number, **values):
    return TrialRecord(
        number=number, sample={}, state="running", values=(), epochs=0, seconds=0.0, reason="",
        started=1.5, folder=f"trials/{number}", parameters=None, latency_ms=None,
    ) if not values else replace(record(number), **values)  # fmt: skip


def begin(number):
    return lambda trial: record(number, sample={"train.lr": trial.suggest_float("train.lr", 0, 1)})


def asked(study, number):
    return study.ask(begin(number), RandomSampler(seed=number))


def test_what_was_noted_is_read_by_another_opening_while_the_search_writes(tmp_path):
    study = open_study(tmp_path, ["minimize"])
    study.add(record(1), {"train.lr": 0.5}, {"train.lr": FloatDistribution(0, 1)})
    second = asked(study, 2)
    study.report(replace(second, epochs=1, values=(0.25,), seconds=2.0), 0.25)

    assert read_trials(tmp_path) == [
        record(1),
        replace(second, epochs=1, values=(0.25,), seconds=2.0),
    ]
    assert load_study(tmp_path).get_trials()[0].params == {"train.lr": 0.5}
    assert read_trials(tmp_path / "elsewhere") == []
    with pytest.raises(TrainingError, match="there is no search"):
        load_study(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("state", "values", "directions", "told"),
    [
        ("complete", (0.2,), ["minimize"], (TrialState.COMPLETE, [0.2])),
        ("stopped", (0.2,), ["minimize"], (TrialState.PRUNED, [0.4])),
        ("stopped", (0.2, 9.0), ["minimize", "maximize"], (TrialState.COMPLETE, [0.2, 9.0])),
        ("stopped", (), ["minimize"], (TrialState.FAIL, None)),
        ("failed", (0.2,), ["minimize"], (TrialState.FAIL, None)),
    ],
)
def test_the_end_of_a_trial_reaches_optuna_as_its_samplers_use_it(
    tmp_path, state, values, directions, told
):
    study = open_study(tmp_path, directions)
    trial = asked(study, 1)
    for epoch, value in enumerate((0.2, 0.4), start=1):
        study.report(replace(trial, epochs=epoch), value)
    ended = replace(trial, state=state, values=values, epochs=2, reason="because")
    study.tell(ended)
    curve = study.curves()[1]

    found = load_study(tmp_path).get_trials()[0]
    assert (found.state, found.values) == told
    assert curve == [0.2, 0.4]
    assert read_trials(tmp_path) == [ended]


def test_a_study_that_is_opened_again_knows_its_trials(tmp_path):
    study = open_study(tmp_path, ["minimize"])
    asked(study, 1)
    study = open_study(tmp_path, ["minimize"])
    first = study.record(1)
    study.tell(replace(first, state="failed", reason="no room"))
    asked(study, 2)

    assert [(r.number, r.state, r.reason) for r in study.records()] == [
        (1, "failed", "no room"), (2, "running", ""),
    ]  # fmt: skip


def test_trials_of_another_origin_only_inform_the_sampler(tmp_path):
    study = open_study(tmp_path, ["minimize"])
    study.study.add_trial(
        optuna.create_trial(
            value=0.1, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}
        )
    )
    asked(study, 1)
    study = open_study(tmp_path, ["minimize"])
    assert [r.number for r in study.records()] == [1]
    assert len(study.study.get_trials()) == 2


def test_wherever_a_kill_cuts_the_journal_the_same_trials_are_drawn(tmp_path):
    study = open_study(tmp_path / "undisturbed", ["minimize"])
    asked(study, 1)
    before = (tmp_path / "undisturbed" / JOURNAL).stat().st_size
    asked(study, 2)
    expected = study.records()
    content = (tmp_path / "undisturbed" / JOURNAL).read_bytes()

    for length in range(before, len(content), 31):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / JOURNAL).write_bytes(content[:length])
        (folder / f"{JOURNAL}.lock").symlink_to("a process that was killed")
        assert [r.number for r in read_trials(folder)] == [1]
        study = open_study(folder, ["minimize"])
        asked(study, 2)
        assert read_trials(folder) == expected


def test_the_record_of_a_search_is_read_without_torch_ray_and_mlflow():
    code = "import sys, mmray.search.study; print({'torch', 'ray', 'mlflow'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{}", b"[1]", b'{"op_code": 6, "trial_id": 99}'])
def test_a_damaged_line_is_an_error_that_names_the_journal(tmp_path, line):
    study = open_study(tmp_path, ["minimize"])
    asked(study, 1)
    path = tmp_path / JOURNAL
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, line + b"\n", *others]))

    for read in (read_trials, lambda folder: open_study(folder, ["minimize"])):
        with pytest.raises(TrainingError, match="the record of the trials is damaged") as info:
            read(tmp_path)
        assert info.value.where == str(path)
