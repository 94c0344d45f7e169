"""Search: trials are the document plus overrides; all of them share the extracted features."""

import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.core.fingerprint import fingerprint
from mmray.core.report import Report
from mmray.errors import TrainingError
from mmray.run.training_job import CHECKPOINTS
from mmray.search.confirm import PlanTrial
from mmray.search.features import searched_modalities
from mmray.search.record import TrialRecord
from mmray.search.sample import params_of
from mmray.stages.marker import earlier_report, require_success
from mmray.stages.prepare import log_settings
from mmray.stages.searching.best import BEST
from mmray.stages.searching.document import (
    check_samples,
    complete_document,
    show_space,
    take_over_results,
)
from mmray.stages.searching.requirement import check_requirements
from mmray.stages.searching.trial import plan_trial
from mmray.stages.searching.variants import extract_document, extract_variants
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

STAGE = "search"


def run(workspace: Workspace, tracker: Tracker) -> Report:
    """Run the trials, confirm the best, and write its document to the stage's folder."""
    started, config = time.monotonic(), complete_document(workspace)
    check_samples(config, workspace)
    check_requirements(config, workspace.prepared.manifest)
    folder = _folder(workspace, config)
    tracker.identify(workspace.key)
    earlier = earlier_report(folder)
    asked = config.search_section().asked()
    if earlier is not None and earlier.counts.get("asked") == asked:
        return earlier
    log_settings(workspace, tracker, workspace.prepared.manifest)
    show_space(config)
    # Here and not above: a search that is done must load neither Ray nor torch.
    from mmray.stages.searching.confirmation import SearchedTrials
    from mmray.stages.searching.finish import finish_search
    from mmray.stages.searching.runs import deliver_view

    take_over_results(config, workspace, folder)
    plan = _planner(workspace, config, folder)
    workspace.workers.release()  # trials need their cores
    trials = _run_trials(config, plan, folder, tracker)
    searched = SearchedTrials(config, trials, plan, folder)
    outcome, files = finish_search(searched, workspace, tracker)
    found = outcome.sentences()
    deliver_view(tracker, folder, found=found)
    seconds = round(time.monotonic() - started, 2)
    report = Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=seconds,
        counts=_counts(trials) | {"asked": asked},
        metrics={
            outcome.objective.metric: outcome.winner.mean,
            "best": dict(outcome.winner.candidate.trial.sample),
        },
        found=found,
        next_step=f"python workflows/fusion.py {folder / BEST}",
    )
    tracker.parent().log_metrics(outcome.figures() | {"seconds/search": seconds})
    workspace.finish(report, files=files)
    for left in (folder / "trials").glob(f"*/{CHECKPOINTS}"):  # of trials that were stopped early
        shutil.rmtree(left, ignore_errors=True)
    return report


def _planner(workspace: Workspace, config: Config, folder: Path) -> PlanTrial:
    """Return what makes a training of a sample."""
    return partial(
        plan_trial,
        config=config,
        manifest=str(workspace.prepared.path.resolve()),
        features=extract_variants(config, workspace),
        folder=str(folder.resolve()),
    )


def _run_trials(
    config: Config, plan: PlanTrial, folder: Path, tracker: Tracker
) -> list[TrialRecord]:
    """Train the trials and return them by number; what an earlier process has done is kept."""
    from mmray.display.search_display import SearchDisplay
    from mmray.distributed.node.session import connect
    from mmray.distributed.search.searching import search_trials
    from mmray.search.study import read_trials, spent_seconds
    from mmray.search.view.heading import heading_of, write_heading
    from mmray.stages.searching.runs import SearchRuns

    search, heading = config.search_section(), heading_of(config)
    write_heading(folder, heading)
    earlier = read_trials(folder)
    runs = SearchRuns(tracker, config, heading, earlier)
    spent_s = spent_seconds(folder)
    with SearchDisplay(heading, earlier, spent_s=spent_s) as display:

        def on_epoch(trial: TrialRecord, metrics: Mapping[str, float]) -> None:
            runs.epoch(trial, metrics)
            display.hear(trial)

        def on_change(trial: TrialRecord) -> None:
            runs.change(trial)
            display.hear(trial)

        return search_trials(
            plan,
            search=search,
            document=params_of(config, search.space),
            train=config.train,
            size=connect(config.runtime),
            folder=folder,
            on_epoch=on_epoch,
            on_change=on_change,
        )


def _folder(workspace: Workspace, config: Config) -> Path:
    search = config.search_section().identity()
    return workspace.stage_folder(STAGE, fingerprint(workspace.training_folder.name, search))


def _counts(trials: Sequence[TrialRecord]) -> dict[str, Any]:
    states = Counter(trial.state for trial in trials)
    return {
        "trials": len(trials),
        "stopped_early": states["stopped"],
        "failed": states["failed"],
    }


def search_of(workspace: Workspace) -> tuple[Config, Path]:
    """Return the document with all of its search section, and the folder of its search."""
    config = complete_document(workspace)
    return config, _folder(workspace, config)


def best_of(workspace: Workspace) -> Workspace:
    """Return the workspace for the best trial's document."""
    config, folder = search_of(workspace)
    require_success(folder, stage=STAGE, error=TrainingError)
    best = workspace.of(load_config(folder / BEST))
    if searched_modalities(config.search_section().space):
        extract_document(best)
    return best
