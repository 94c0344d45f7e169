"""The end of a search, with trainings in this process."""

import json
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from mmray.config.reading.load import check_document, load_config, resolved
from mmray.config.reading.override import apply_override
from mmray.core.file.atomic import read_success
from mmray.core.kind import Split
from mmray.data.manifest.manifest import read_manifest, write_manifest
from mmray.errors import TrainingError
from mmray.run.cross_validation import train_job
from mmray.search.features import FeatureFolders, features_key
from mmray.search.record import TrialRecord
from mmray.stages.searching.best import settings_line, track_files, write_outcome
from mmray.stages.searching.confirmation import SearchedTrials, conclude
from mmray.stages.searching.ensembling import write_ensemble
from mmray.stages.searching.outcome import ensemble_sentences
from mmray.stages.searching.trial import plan_trial
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.run import make_run_plan
from tests.support.training import identity, ignore

ACCURACY = "val/animal/accuracy"
SAMPLES = [{}, {"train.lr": 0.03, "model.fusion": "mean"}, {"train.lr": 1e-5}, {"train.lr": 0.02}]
SPACE = {
    "train.lr": {"loguniform": [1e-5, 0.1]},
    "model.fusion": {"choice": {"mean": {"kind": "concat"}, "gated": {"kind": "gated"}}},
}


class Trainer:
    """Trains jobs here, and counts them."""

    def __init__(self, failing=()):
        self.trained = []
        self.failing = failing

    def __call__(self, jobs):
        for job in jobs:
            if job.name in self.failing:
                continue
            train_job(job, context=WorkerContext(), wrap=identity, on_epoch=ignore)
        self.trained += [job.name for job in jobs]


def make_search(folder, **search):
    """A search over four samples of a corpus that has a test split."""
    job = make_run_plan(folder, name="base", samples=121)
    manifest = read_manifest(Path(job.manifest))
    splits = [Split.TEST if row % 3 == 0 else split for row, split in enumerate(manifest.splits)]
    write_manifest(replace(manifest, splits=splits), Path(job.manifest))
    document = resolved(job.config) | {
        "search": {"objective": {"metric": ACCURACY}, "space": SPACE} | search
    }
    document["train"] |= {"lr": 1e-4, "epochs": 2, "soup": None}
    config = check_document(document, where="test")
    plan = partial(
        plan_trial,
        config=config,
        manifest=job.manifest,
        features=FeatureFolders(
            {name: {features_key(config.modalities[name]): f} for name, f in job.features.items()}
        ),
        folder=str(folder / "search"),
    )
    return SearchedTrials(config, [], plan, folder / "search")


def run_trials(searched, samples=SAMPLES):
    """Train a trial for each sample, as a search does."""
    trials, metrics = [], [each.metric for each in searched.search.objective]
    for number, sample in enumerate(samples, 1):
        job = searched.plan(sample)
        Path(job.folder).mkdir(parents=True)
        Trainer()([job])
        success = read_success(Path(job.folder))
        known = success["best_metrics"] | {"parameters": success["parameters"]}
        values = tuple(known[metric] for metric in metrics)
        trials.append(
            TrialRecord(number, sample, "complete", values, 2, 1.0, "", 0.0, job.folder, None, None)
        )
    return replace(searched, trials=trials)


@pytest.fixture(scope="module")
def concluded(tmp_path_factory):
    searched = run_trials(
        make_search(tmp_path_factory.mktemp("search"), confirm={"top": 2, "seeds": 1}, ensemble=3)
    )
    trainer = Trainer()
    return searched, trainer, conclude(searched, trainer, can_measure=True)


def test_the_best_two_and_the_document_are_trained_with_one_more_seed(concluded):
    searched, trainer, outcome = concluded
    best = sorted(searched.trials[1:], key=lambda t: (-t.values[0], t.number))[:2]

    assert [each.candidate.trial.number for each in outcome.confirmed] == [
        1, *(trial.number for trial in best),
    ]  # fmt: skip
    assert trainer.trained == [f"trial {n}, seed 1" for n in (1, *(t.number for t in best))]
    for each in outcome.confirmed:
        assert each.values[0] == each.candidate.trial.values[0]
        assert len(each.values) == 2


def test_the_winner_has_the_best_mean_and_is_compared_on_test_once(concluded):
    searched, _, outcome = concluded
    means = {each.candidate.trial.number: each.mean for each in outcome.confirmed}
    number = outcome.winner.candidate.trial.number
    manifest = read_manifest(Path(searched.plan({}).manifest))

    assert means[number] == max(means.values())
    assert number == 2
    found = outcome.on_test["animal"]
    assert found.ours.trainings == found.other.trainings == 2
    assert 30 < found.ours.samples <= len(manifest.rows_of(Split.TEST))
    gain = found.ours.value - found.other.value
    assert found.difference.value == pytest.approx(gain)
    assert found.difference.interval[0] <= gain <= found.difference.interval[1]


def test_what_was_found_is_said_in_words(concluded):
    _, _, outcome = concluded
    winner, animal, size, *_ = outcome.sentences()
    low, high = sorted(outcome.winner.values)

    assert winner == (
        f"winner: trial 2, val/animal/accuracy {outcome.winner.mean:.4f} "
        f"(mean of 2 seeds, {low:.4f} to {high:.4f}) with lr=0.03, fusion=mean"
    )
    assert animal.startswith("animal: accuracy on test (")
    assert "mean of 2 trainings): winner 0." in animal
    assert animal.rsplit(", ", 1)[1] in ("shown to be better", "not shown to be better")
    assert size.startswith("size: mean absolute error on test (")


def test_the_same_command_trains_nothing_again(concluded):
    searched, _, outcome = concluded
    again = Trainer()

    assert conclude(searched, again, can_measure=True).to_dict() == outcome.to_dict()
    assert again.trained == []


def test_the_ensemble_is_at_least_as_good_on_val_as_its_first_member(concluded):
    searched, _, outcome = concluded
    ensemble = outcome.ensemble

    assert 1 <= len(ensemble.members) <= 3
    assert sum(each.weight for each in ensemble.members) == pytest.approx(1.0)
    known = [value for each in outcome.confirmed for value in each.values]
    known += [trial.values[0] for trial in searched.trials]
    assert ensemble.on_val >= max(known) - 1e-9
    assert ensemble.metric == ACCURACY
    assert ensemble.gains["animal"].other.trainings == 1


def test_an_ensemble_is_told_by_its_members_and_its_gain(concluded):
    ensemble = concluded[2].ensemble
    job = ensemble.members[0].job
    first, second = (
        replace(ensemble.members[0], job=replace(job, seed=seed), weight=weight)
        for seed, weight in ((0, 0.75), (1, 0.25))
    )
    number = first.trial.number

    several = ensemble_sentences(replace(ensemble, members=(first, second)))
    alone = ensemble_sentences(replace(ensemble, members=(second,)))

    assert several[0].startswith(
        f"ensemble: 0.75 x trial {number}, 0.25 x trial {number} with seed 1; val/animal/accuracy"
    )
    assert several[1].startswith("animal: accuracy on test: ensemble 0.")
    assert alone == [
        f"ensemble: none, as no mean is better on val than trial {number} with seed 1 alone"
    ]


def test_the_bundle_of_the_ensemble_holds_its_members_and_figures(concluded, tmp_path):
    ensemble = concluded[2].ensemble
    heavy, light = (replace(ensemble.members[0], weight=weight) for weight in (0.75, 0.25))

    write_ensemble(tmp_path / "bundle", replace(ensemble, members=(heavy, light)))

    document = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    figures = document["metrics"]["animal"]
    assert document["weights"] == [0.75, 0.25]
    assert (tmp_path / "bundle" / "members" / "2" / "model.safetensors").is_file()
    assert figures["accuracy"] == pytest.approx(ensemble.gains["animal"].ours.value)
    assert figures["accuracy_interval"] == list(ensemble.gains["animal"].ours.interval)


def test_best_yaml_is_the_document_of_the_winner_and_so_are_the_settings(concluded, tmp_path):
    searched, _, outcome = concluded
    job = outcome.winner.candidate.jobs[0]

    names = write_outcome(tmp_path, searched.config, job.config, outcome)

    assert names == ["best.yaml", "outcome.json"]
    best = load_config(tmp_path / "best.yaml")
    assert best.train.lr == 0.03
    assert best.model.fusion.kind == "concat"
    assert best.search is None
    heading = (tmp_path / "best.yaml").read_text().splitlines()[:2]
    line = "--set train.lr=0.03 --set 'model.fusion={kind: concat}'"
    assert heading[0] == f"# {outcome.sentences()[0]}"
    assert heading[1].startswith("# from the document: --set ")
    assert settings_line({"train.lr": 0.03, "model.fusion": {"kind": "concat"}}) == line
    saved = json.loads((tmp_path / "outcome.json").read_text())
    assert saved["winner"]["trial"] == 2
    assert saved["confirmed"][0]["seeds"] == [0, 1]


def test_the_run_of_the_search_gets_the_files_without_their_secrets(concluded, tmp_path):
    searched, _, outcome = concluded
    secret = "https://me:hush@web/m.jsonl"
    job = outcome.winner.candidate.jobs[0]
    config = job.config.model_copy(
        update={"data": job.config.data.model_copy(update={"manifest": secret})}
    )
    names, kept = write_outcome(tmp_path, searched.config, config, outcome), {}

    class Run:
        def log_file(self, path, *, folder=""):
            kept[path.name] = path.read_text()

    track_files(SimpleNamespace(parent=Run), tmp_path, names)

    assert list(kept) == ["best.yaml", "outcome.json"]
    assert "hush" not in kept["best.yaml"]
    assert (tmp_path / "best.yaml").stat().st_mode & 0o077 == 0
    assert "hush" in (tmp_path / "best.yaml").read_text()
    assert json.loads(kept["outcome.json"]) == outcome.to_dict()


def test_settings_to_paste_make_the_document_of_the_winner(concluded):
    searched, _, outcome = concluded
    document = resolved(searched.config)
    document.pop("search")

    for setting in shlex.split(settings_line(outcome.overrides))[1::2]:
        document = apply_override(document, setting)

    winner = outcome.winner.candidate.jobs[0].config
    assert check_document(document, where="test") == winner


def test_a_candidate_of_which_a_training_fails_is_left_out(tmp_path):
    searched = run_trials(make_search(tmp_path, confirm={"top": 2, "seeds": 1}), SAMPLES[:3])

    outcome = conclude(searched, Trainer({"trial 2, seed 1"}), can_measure=False)

    assert [each.candidate.trial.number for each in outcome.confirmed] == [1, 3]
    assert outcome.winner.candidate.trial.number in (1, 3)
    assert outcome.sentences()[1] == (
        "warning: left out, as a training with another seed failed: trial 2"
    )
    every = {f"trial {number}, seed 1" for number in (1, 2, 3)}
    fresh = replace(searched, folder=tmp_path / "fresh")
    with pytest.raises(TrainingError, match="with every seed"):
        conclude(fresh, Trainer(every), can_measure=False)


def test_with_folds_the_winner_is_trained_on_all_of_train_before_it_meets_test(tmp_path):
    searched = run_trials(
        make_search(tmp_path, folds=2, confirm={"top": 1, "seeds": 1}), SAMPLES[:3]
    )
    trainer = Trainer()

    outcome = conclude(searched, trainer, can_measure=True)

    number = outcome.winner.candidate.trial.number
    assert number == 2
    folder = tmp_path / "search" / "models" / f"trial-{number}"
    assert sorted(path.name for path in folder.iterdir()) == ["seed-0", "seed-1"]
    assert (
        read_success(folder / "seed-0")["samples"]
        > read_success(Path(searched.trials[1].folder) / "fold-1")["samples"]
    )
    assert outcome.on_test["animal"].ours.trainings == 2
    assert len(trainer.trained) == 2 + 4  # the seed of both again in folds, and two models of each


def test_without_confirm_the_best_trial_is_compared_as_it_is(tmp_path):
    searched = run_trials(make_search(tmp_path, confirm=None), SAMPLES[:3])
    trainer = Trainer()

    outcome = conclude(searched, trainer, can_measure=True)

    assert outcome.winner.candidate.trial.number == 2
    assert trainer.trained == []
    assert outcome.on_test["animal"].ours.trainings == 1


def test_of_several_objectives_the_front_is_named_with_its_settings(tmp_path):
    objectives = [{"metric": ACCURACY}, {"metric": "parameters"}]
    searched = make_search(tmp_path, objective=objectives, confirm=None)
    searched = run_trials(searched, SAMPLES[:3])

    outcome = conclude(searched, Trainer(), can_measure=False)
    names = write_outcome(tmp_path, searched.config, searched.config, outcome)

    front = json.loads((tmp_path / "front.json").read_text())
    assert names == ["best.yaml", "outcome.json", "front.json"]
    assert [each["trial"] for each in front] == [trial.number for trial in outcome.front]
    assert front[0]["trial"] == outcome.winner.candidate.trial.number == 2
    assert front[0]["settings"] == settings_line(outcome.overrides)
    assert front[0]["values"]["parameters"] == searched.trials[1].values[1]
    assert "front: trial 2 (" in " ".join(outcome.sentences())
    assert outcome.on_test == {}
    assert yaml.safe_load((tmp_path / "best.yaml").read_text())["model"]
