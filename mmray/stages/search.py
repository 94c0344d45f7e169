"""Search: trials are the document plus overrides; all of them share the extracted features."""

import logging
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mmray.config.document import Config
from mmray.config.reading.load import load_config, resolved
from mmray.core.file.atomic import replacing, write_json
from mmray.core.fingerprint import fingerprint
from mmray.core.report import Report
from mmray.core.text.secret import masked
from mmray.errors import TrainingError
from mmray.run.training_job import CHECKPOINTS
from mmray.search.features import searched_modalities
from mmray.search.sample import apply_sample, shown_sample, shown_value
from mmray.stages.marker import earlier_report, require_success
from mmray.stages.searching.document import check_samples, complete_document, show_space
from mmray.stages.searching.trial import plan_trial, trial_folder, trial_name
from mmray.stages.searching.variants import extract_document, extract_variants
from mmray.stages.training.runs import training_seconds
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mmray.distributed.search.searching import TrialResult

logger = logging.getLogger(__name__)
STAGE = "search"
BEST = "best.yaml"
TRIALS = "trials.json"


def run(workspace: Workspace, tracker: Tracker) -> Report:
    """Run the trials; write the best document as ``best.yaml`` to the stage's folder."""
    started, config = time.monotonic(), complete_document(workspace)
    search = config.search_section()
    check_samples(config, workspace)
    folder = _folder(workspace, config)
    tracker.identify(workspace.key)
    earlier = earlier_report(folder)
    if earlier is not None:
        return earlier
    show_space(config)
    # Here and not above: a search that is done must load neither Ray nor torch.
    from mmray.distributed.node.session import connect
    from mmray.distributed.search.searching import search_trials

    workspace.workers.release()  # trials need their cores
    results = search_trials(
        partial(
            plan_trial,
            config=config,
            manifest=str(workspace.prepared.path.resolve()),
            features=extract_variants(config, workspace),
            folder=str(folder.resolve()),
        ),
        search=search,
        train=config.train,
        size=connect(config.runtime),
        folder=folder,
        on_epoch=partial(log_epoch, tracker, search.objective[0].metric, folder),
    )
    _write_best(config, results, folder / BEST)
    write_json(folder / TRIALS, [_trial(result) for result in results])
    report = _report(config, results, folder, seconds=round(time.monotonic() - started, 2))
    _track(tracker, report)
    workspace.finish(report, files=(BEST, TRIALS))
    for left in (folder / "trials").glob(f"*/{CHECKPOINTS}"):  # of trials that were stopped early
        shutil.rmtree(left, ignore_errors=True)
    return report


def _folder(workspace: Workspace, config: Config) -> Path:
    search = config.search_section().model_dump(mode="json")
    return workspace.stage_folder(STAGE, fingerprint(workspace.training_folder.name, search))


def log_epoch(  # noqa: PLR0913 (the first three are bound)
    tracker: Tracker,
    metric: str,
    folder: Path,
    number: int,
    sample: Mapping[str, Any],
    metrics: dict[str, Any],
    epoch: int,
) -> None:
    """Log an epoch of a trial on its run, whose duration is that of its epochs."""
    seconds = training_seconds(trial_folder(folder, sample))
    run = tracker.child(trial_name(number, sample), started=time.time() - seconds)
    if epoch == 1:
        run.log_params(dict(sample))
    run.log_metrics(metrics, step=epoch)
    run.spent(seconds)
    logger.info("trial %d: epoch %d, %s %.4f", number, epoch, metric, metrics[metric])


def _trial(result: "TrialResult") -> dict[str, Any]:
    return {
        "trial": result.number,
        "objective": result.best,
        "epochs": result.epochs,
        "error": result.error,
        "sample": dict(result.sample),
    }


def _report(
    config: Config, results: Sequence["TrialResult"], folder: Path, *, seconds: float
) -> Report:
    metric, best = config.search_section().objective[0].metric, results[0]
    return Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=seconds,
        counts={
            "trials": len(results),
            "stopped_early": sum(r.epochs < config.train.epochs and not r.error for r in results),
            "failed": sum(bool(r.error) for r in results),
        },
        metrics={metric: best.best, "best": dict(best.sample)},
        found=(
            f"{_best_of(results)}: {metric} {best.best:.4f} with {shown_sample(best.sample)}",
            *(
                f"  trial {r.number}: {shown_value(r.best)} after {r.epochs} epochs, "
                f"{shown_sample(r.sample)}"
                for r in results[:5]
            ),
        ),
        next_step=f"python workflows/fusion.py {folder / BEST}",
    )


def _best_of(results: Sequence["TrialResult"]) -> str:
    """Return the number of trials that the best was chosen from, without failed ones."""
    failed = sum(result.best is None for result in results)
    return f"best of {len(results) - failed} trials" + (f", {failed} failed" if failed else "")


def _track(tracker: Tracker, report: Report) -> None:
    folder, parent = Path(report.folder), tracker.parent()
    parent.log_file(folder / TRIALS)
    with tempfile.TemporaryDirectory() as shown:  # the document itself must stay as it runs
        copy = Path(shown) / BEST
        copy.write_text(masked((folder / BEST).read_text("utf-8")), "utf-8")
        parent.log_file(copy)
    figures = {f"search/best/{k}": v for k, v in report.metrics.items() if isinstance(v, float)}
    parent.log_metrics(figures | {"seconds/search": report.seconds})


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


def _write_best(config: Config, results: Sequence["TrialResult"], path: Path) -> None:
    document = resolved(apply_sample(config, results[0].sample))
    document.pop("search")
    with replacing(path) as temporary:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if masked(text) != text:
            temporary.touch(mode=0o600)
        temporary.write_text(f"# The {_best_of(results)}.\n{text}", encoding="utf-8")
